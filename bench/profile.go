package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strings"

	"github.com/google/pprof/profile"
)

// mostShares bounds the lines of a profile that are worth reading.
const mostShares = 10

// share is a part of the processor time of a turn.
type share struct {
	Of      string  `json:"of"`
	Percent float64 `json:"percent"`
}

// profiled does the task and writes where its processor time went to the task's profile file.
func (t task) profiled(ctx context.Context, ready func()) (report, error) {
	file, err := os.Create(t.Profile)
	if err != nil {
		return report{}, fmt.Errorf("profiling %s: %w", t.Peer, err)
	}
	defer file.Close()
	if err := pprof.StartCPUProfile(file); err != nil {
		return report{}, fmt.Errorf("profiling %s: %w", t.Peer, err)
	}
	defer pprof.StopCPUProfile()
	return t.run(ctx, ready)
}

// whyMissed says where our processor time goes in a workload that misses a bar: one more turn of our peer's last variant, which counts for
// no figure, with the profiler on. It is empty when every bar is met, and where the turn is no peer of this binary.
func (s *session) whyMissed(ctx context.Context, m measurement) ([]share, error) {
	missed := slices.ContainsFunc(m.Bars, func(v verdict) bool { return !v.Met })
	ours := func(c cell) bool { return c.peer == peerMillrace && c.run == nil }
	cells := s.workload.cells
	at := len(cells) - 1
	for at >= 0 && !ours(cells[at]) {
		at--
	}
	if !missed || at < 0 {
		return nil, nil
	}
	folder, err := os.MkdirTemp("", "millrace-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	c := cells[at]
	c.task.Profile = filepath.Join(folder, "cpu.pprof")
	if _, err := s.turn(ctx, c); err != nil {
		return nil, fmt.Errorf("profiling %s: %w", s.workload.name, err)
	}
	file, err := os.Open(c.task.Profile)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	p, err := profile.Parse(file)
	if err != nil {
		return nil, fmt.Errorf("reading the profile of %s: %w", s.workload.name, err)
	}
	return sharesOf(p), nil
}

// sharesOf divides the processor time over who caused it, the largest part first.
func sharesOf(p *profile.Profile) []share {
	byCause := map[string]int64{}
	all := int64(0)
	for _, sample := range p.Sample {
		// A processor profile has the number of samples and, last, their time.
		spent := sample.Value[len(sample.Value)-1]
		byCause[cause(functionsOf(sample))] += spent
		all += spent
	}
	var shares []share
	for _, name := range slices.SortedFunc(maps.Keys(byCause), func(a, b string) int {
		return cmp.Or(cmp.Compare(byCause[b], byCause[a]), cmp.Compare(a, b))
	}) {
		shares = append(shares, share{Of: name, Percent: 100 * quotient(float64(byCause[name]), float64(all))})
	}
	return shares[:min(len(shares), mostShares)]
}

// functionsOf is the stack of a sample, the innermost function first.
func functionsOf(sample *profile.Sample) []string {
	var names []string
	for _, location := range sample.Location {
		for _, line := range location.Line {
			if line.Function != nil {
				names = append(names, line.Function.Name)
			}
		}
	}
	return names
}

// cause is what a stack is put down to: the kernel, the collector, the scheduler, else the package of the innermost function that is not the
// runtime's, so that what a package allocates, copies and hashes is its own.
func cause(functions []string) string {
	has := func(names ...string) bool {
		return slices.ContainsFunc(functions, func(function string) bool { return slices.Contains(names, function) })
	}
	switch {
	case len(functions) > 0 && strings.Contains(packageOf(functions[0]), "syscall"):
		return "system calls"
	case has("runtime.gcBgMarkWorker", "runtime.gcAssistAlloc", "runtime.bgsweep", "runtime.bgscavenge"):
		return "garbage collection"
	case has("runtime.schedule", "runtime.park_m", "runtime.goschedImpl", "runtime.sysmon"):
		return "scheduler"
	}
	for _, function := range functions {
		if name := packageOf(function); !strings.HasPrefix(name, "runtime") && !strings.HasPrefix(name, "internal/runtime") && !slices.Contains(theRuntimes, name) {
			return name
		}
	}
	return "runtime"
}

// theRuntimes are packages that do the work of whoever calls them.
var theRuntimes = []string{"sync", "sync/atomic", "internal/sync", "internal/bytealg", "internal/chacha8rand", "internal/abi", "gogo", "memeqbody", "aeshashbody", "cmpbody", "indexbytebody"}

// packageOf is the package of a function's full name, without the host that it comes from.
func packageOf(function string) string {
	function, _, _ = strings.Cut(function, "[")
	folder := strings.LastIndexByte(function, '/') + 1
	name, _, _ := strings.Cut(function[folder:], ".")
	return strings.TrimPrefix(function[:folder]+name, "github.com/")
}
