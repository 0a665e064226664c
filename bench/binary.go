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
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// runningLine is in the line that the binary logs when all consumers are subscribed.
const runningLine = `"msg":"running"`

// runBinary is one run of the real binary, with an engine, from an empty data directory to the end of the log, or for as long as a turn may
// take. Its time is from the line that says it runs to its end, its processor time that of the whole process.
func (s *session) runBinary(ctx context.Context, engine string, arguments ...string) (report, error) {
	dir, err := os.MkdirTemp("", "millrace-bench-")
	if err != nil {
		return report{}, err
	}
	defer os.RemoveAll(dir)
	text, groups := s.prepared.configuration(s.brokers.addresses, engine, filepath.Join(dir, "data"), s.name())
	file := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return report{}, err
	}
	defer s.brokers.remove(ctx, nil, groups)
	arguments = append([]string{"run", "--exit-at-end", "--config", file}, arguments...)
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
	watched := watchResident(command.Process.Pid)
	var cut atomic.Pointer[time.Time]
	limit := time.AfterFunc(turnLimit, func() {
		now := time.Now()
		cut.Store(&now)
		_ = command.Process.Signal(os.Interrupt)
	})
	begin, last := readLogs(logs)
	err = command.Wait()
	ended := time.Now()
	limit.Stop()
	r := watched()
	if err != nil || begin.IsZero() {
		return r, fmt.Errorf("millrace run: %w; its last line: %s", errors.Join(err, ctx.Err()), last)
	}
	r.Records, r.Complete = int64(s.prepared.records), true
	if at := cut.Load(); at != nil {
		ended = *at
		handled, err := s.brokers.committed(ctx, groups)
		if err != nil {
			return r, err
		}
		r.Records, r.Complete = handled/deliveries, false
	}
	r.Seconds = ended.Sub(begin).Seconds()
	r.CPUSeconds = (command.ProcessState.UserTime() + command.ProcessState.SystemTime()).Seconds()
	return r, nil
}

// turnLimit ends a run of the binary that would take hours.
const turnLimit = 40 * time.Second

// committed is how many records the groups have behind them, all together.
func (b *brokers) committed(ctx context.Context, groups []string) (int64, error) {
	total := int64(0)
	for _, group := range groups {
		offsets, err := b.admin.FetchOffsets(ctx, group)
		if err != nil {
			return 0, fmt.Errorf("asking for the positions of %q: %w", group, err)
		}
		offsets.Each(func(o kadm.OffsetResponse) { total += max(o.At, 0) })
	}
	return total, nil
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
