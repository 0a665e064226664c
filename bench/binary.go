package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// runningLine is in the line that the binary logs when all consumers are subscribed.
const runningLine = `"msg":"running"`

// binaryRun is a run of the real binary, from an empty data directory to the end of the log, or until its limit.
type binaryRun struct {
	engine string
	// only is the one consumer that runs, empty for all.
	only  string
	limit time.Duration
}

// run runs the binary with groups of its own. Its time is from the line that says it runs to its end, its processor time that of the whole
// process. At the limit it is stopped as an orchestrator stops it, and what it did is what its groups have committed.
func (b binaryRun) run(ctx context.Context, s *session) (report, error) {
	dir, err := os.MkdirTemp("", "millrace-bench-")
	if err != nil {
		return report{}, err
	}
	defer os.RemoveAll(dir)
	text, groups := s.prepared.configuration(s.brokers.addresses, b.engine, filepath.Join(dir, "data"), s.name())
	file := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return report{}, err
	}
	defer s.brokers.remove(ctx, nil, groups)
	arguments, w := []string{"run", "--exit-at-end", "--config", file}, watched{records: int64(s.prepared.records), deliveries: deliveries}
	if b.only != "" {
		groups = slices.DeleteFunc(groups, func(group string) bool { return !strings.HasSuffix(group, "-"+b.only) })
		arguments, w.deliveries = append(arguments, "--consumers", b.only), 1
	}
	command := exec.CommandContext(ctx, s.prepared.binary, arguments...)
	// Settings of whoever measures are not the binary's.
	command.Env = slices.DeleteFunc(os.Environ(), func(variable string) bool { return strings.HasPrefix(variable, "MILLRACE_") })
	logs, err := command.StderrPipe()
	if err != nil {
		return report{}, err
	}
	if err := command.Start(); err != nil {
		return report{}, fmt.Errorf("starting the binary: %w", err)
	}
	resident := watchResident(command.Process.Pid)
	seen := s.brokers.watchGroups(ctx, groups, b.limit, func() { _ = command.Process.Signal(syscall.SIGTERM) })
	var last []byte
	w.running, last = readLogs(logs)
	err = command.Wait()
	w.ended = time.Now()
	r := resident()
	w.first, w.cut = seen()
	if err != nil || w.running.IsZero() {
		return r, fmt.Errorf("millrace run: %w; its last line: %s", errors.Join(err, ctx.Err()), last)
	}
	if !w.cut.IsZero() {
		if w.first.at.IsZero() {
			return r, fmt.Errorf("millrace run: not all groups had committed anything after %s; its last line: %s", patience, last)
		}
		if w.committed, _, err = s.brokers.committed(ctx, groups); err != nil {
			return r, err
		}
	}
	w.rate(&r, (command.ProcessState.UserTime() + command.ProcessState.SystemTime()).Seconds())
	return r, nil
}

// readLogs reads the log to its end and returns when the binary said that it runs, and its last line.
func readLogs(logs io.Reader) (running time.Time, last []byte) {
	lines := bufio.NewReader(logs)
	for {
		line, err := lines.ReadBytes('\n')
		if running.IsZero() && bytes.Contains(line, []byte(runningLine)) {
			running = time.Now()
		}
		if len(line) > 0 {
			last = line
		}
		if err != nil {
			return running, last
		}
	}
}

// lookPeriod is how often the resident size is looked at.
const lookPeriod = 100 * time.Millisecond

// watchResident looks at the resident size of a process until the function is called that it returns, which has the peak and the growth.
func watchResident(pid int) func() report {
	stop, sizes := make(chan struct{}), make(chan []float64, 1)
	go func() {
		ticker := time.NewTicker(lookPeriod)
		defer ticker.Stop()
		var seen []float64
		for {
			select {
			case <-stop:
				sizes <- seen
				return
			case <-ticker.C:
				if size := residentOf(pid); size > 0 {
					seen = append(seen, size)
				}
			}
		}
	}()
	return func() report {
		close(stop)
		return growthOf(<-sizes)
	}
}

// growthOf is the peak of resident sizes, and that of the second half by that of the first.
func growthOf(sizes []float64) report {
	if len(sizes) < 2 {
		return report{}
	}
	half := len(sizes) / 2
	first, second := slices.Max(sizes[:half]), slices.Max(sizes[half:])
	return report{PeakRSSMiB: max(first, second), GrowthRatio: second / first}
}
