//go:build unix

package integration_test

import (
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// rolled is the consumer that the instances share. It has no unit of work, so its partitions are shared between processes.
const rolled = "journal-lines"

// fleet are three processes that share the partitions of a consumer, each with data and a file of its own.
type fleet struct {
	*journalPlatform
	instances []*instance
}

type instance struct {
	*journalPlatform
	name        string
	environment []string
	run         *process
}

// newFleet starts the instances, as static members of the group or as plain ones.
func newFleet(t testing.TB, rebalance string, static bool) *fleet {
	t.Helper()
	f := &fleet{journalPlatform: newJournalPlatform(t)}
	f.rewrite(t, settings{
		// The defaults: what is measured is what one gets.
		"kafka":  settings{"rebalance": rebalance, "session_timeout": "10s", "heartbeat_interval": "2s"},
		"topics": settings{"defaults": settings{"partitions": 12}},
	})
	f.journalPlatform.start(t, "topics", "apply").ends(0)
	for number := range 3 {
		own, directory := *f.platform, t.TempDir()
		own.data = filepath.Join(directory, "data")
		one := &instance{
			journalPlatform: &journalPlatform{platform: &own, refuses: f.refuses, lines: filepath.Join(directory, "lines")},
			name:            fmt.Sprintf("pod-%d", number),
		}
		one.environment = one.journalPlatform.environment()
		if static {
			one.environment = append(one.environment, "MILLRACE_KAFKA_INSTANCE_ID="+one.name)
		}
		f.instances = append(f.instances, one)
		one.begin(t)
	}
	return f
}

// begin starts the process and returns when it is ready.
func (i *instance) begin(t testing.TB) {
	t.Helper()
	i.run = startProgram(t, journal, i.environment, i.arguments("run", "--consumers", rolled)...)
	ready := i.run.http() + "/readyz"
	eventually(t, i.name+" is ready", func() bool { status, _ := ask(t, ready); return status == http.StatusOK })
}

// restart stops the process as a rolling deployment does, starts it again, and returns when it works.
func (i *instance) restart(t testing.TB) {
	t.Helper()
	before := i.size()
	i.run.signal(syscall.SIGTERM)
	i.run.ends(0)
	i.begin(t)
	eventually(t, i.name+" works", func() bool { return i.size() > before })
}

// all are the entries of all files, in the order of time.
func (f *fleet) all(t testing.TB) []entry {
	t.Helper()
	entries := f.written(t)
	for _, one := range f.instances {
		entries = append(entries, one.written(t)...)
	}
	slices.SortStableFunc(entries, func(a, b entry) int { return a.when.Compare(b.when) })
	return entries
}

// window is a time that is looked at.
type window struct{ from, to time.Time }

// delays are for how long a record of each partition waited at most, of those that were produced in the window: how long the partition stood
// still. The shortest comes first.
func (f *fleet) delays(entries []entry, log map[position]*kgo.Record, in window) []time.Duration {
	longest := map[int32]time.Duration{}
	for _, e := range entries {
		produced := log[e.at].Timestamp
		if e.entity != refusedOrder && produced.After(in.from) && produced.Before(in.to) {
			longest[e.at.partition] = max(longest[e.at.partition], e.when.Sub(produced))
		}
	}
	return slices.Sorted(maps.Values(longest))
}

// Ensure a rolling restart of three processes under load loses and repeats nothing, also while a key waits all along, whether they are static
// members of the group or not and whichever way partitions change hands. How long partitions stand still is measured, not judged.
func TestRollingRestartOfThreeUnderLoadRepeatsNothing(t *testing.T) {
	t.Parallel()
	rolls := 1
	if soak() {
		rolls = 20
	}
	for _, rebalance := range []string{"eager", "cooperative"} {
		for _, static := range []bool{true, false} {
			name := fmt.Sprintf("%s, static %t", rebalance, static)
			t.Run(name, func(t *testing.T) {
				f := newFleet(t, rebalance, static)
				load := startLoadOf(t, f.platform, f.orders())
				load.more(t, 2000)
				var restarts []window
				quiet := window{from: time.Now()}
				load.more(t, 2000)
				quiet.to = time.Now()
				for range rolls {
					for _, one := range slices.Backward(f.instances) {
						restart := window{from: time.Now()}
						one.restart(t)
						restart.to = time.Now()
						restarts = append(restarts, restart)
						load.more(t, 2000)
					}
				}
				sent := load.stop(t)
				eventually(t, "all but the refused are handled", func() bool { return len(f.all(t)) >= sent-sent/100 })
				f.stopAll(t, static)
				f.finishJournal(t, rolled)
				entries := f.all(t)
				f.want(t, fmt.Sprintf("%s, %d restarts, %d sent", name, len(restarts), sent), entries, false)
				log := f.broker.read(t, f.topics[journeys[2].topic])
				var all []time.Duration
				for _, restart := range restarts {
					all = append(all, f.delays(entries, log, restart)...)
				}
				t.Logf("%s: %d restarts: a partition stood still for %s; without a restart for %s", name, len(restarts), spread(all), spread(f.delays(entries, log, quiet)))
			})
		}
	}
}

// spread is what there is to say about times.
func spread(all []time.Duration) string {
	slices.Sort(all)
	of := func(part int) time.Duration { return all[(len(all)-1)*part/100].Round(time.Millisecond) }
	return fmt.Sprintf("%s at the median, %s at the 75th and %s at the 90th percentile, %s at most", of(50), of(75), of(90), of(100))
}

// stopAll stops the processes for good; static members are taken out of the group, which would wait for them.
func (f *fleet) stopAll(t testing.TB, static bool) {
	t.Helper()
	for _, one := range f.instances {
		one.run.signal(syscall.SIGTERM)
	}
	for _, one := range f.instances {
		one.run.ends(0)
	}
	if !static {
		return
	}
	if got := f.members(t, rolled); got != len(f.instances) {
		t.Errorf("members after a stop: got %d, want %d: they may come back", got, len(f.instances))
	}
	for _, one := range f.instances {
		f.journalPlatform.start(t, "leave", one.name).ends(0)
	}
	if got := f.members(t, rolled); got != 0 {
		t.Errorf("members after they have left: got %d, want none", got)
	}
}
