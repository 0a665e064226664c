package demo_test

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"github.com/prantikov/millrace/demo"
	"github.com/prantikov/millrace/record"
)

func at(topic string, partition int32, offset int64) record.Position {
	return record.Position{Topic: topic, Partition: partition, Offset: offset}
}

var (
	done    = record.Result{Outcome: record.Done, Attempts: 1}
	dead    = record.Result{Outcome: record.DeadLettered, Attempts: 1}
	skipped = record.Result{Outcome: record.Skipped}
	retried = record.Result{Outcome: record.Done, Attempts: 3}
)

func TestLedger(t *testing.T) {
	t.Parallel()
	type entry struct {
		consumer string
		at       record.Position
		result   record.Result
	}
	cases := []struct {
		name       string
		entries    []entry
		wantCounts demo.Counts // of orders, of what was published
		wantLost   int
	}{
		{name: "nothing observed is all lost", wantLost: 6},
		{name: "each end counts apart", wantCounts: demo.Counts{Done: 1, DeadLettered: 1, Skipped: 1}, wantLost: 3, entries: []entry{
			{"orders", at("o", 0, 0), done}, {"orders", at("o", 0, 1), dead}, {"orders", at("o", 1, 1<<40), skipped},
		}},
		{name: "retried counts once beside its end", wantCounts: demo.Counts{Done: 1, Retried: 1}, wantLost: 5, entries: []entry{
			{"orders", at("o", 0, 0), retried},
		}},
		{name: "a repeat counts as it ended first", wantCounts: demo.Counts{DeadLettered: 1}, wantLost: 5, entries: []entry{
			{"orders", at("o", 0, 0), dead}, {"orders", at("o", 0, 0), done}, {"orders", at("o", 0, 0), retried},
		}},
		{name: "parked and unfinished are no end", wantLost: 6, entries: []entry{
			{"orders", at("o", 0, 0), record.Result{Outcome: record.Parked, Attempts: 1}}, {"orders", at("o", 0, 1), record.Result{}},
		}},
		{name: "what was not published counts nowhere", wantLost: 6, entries: []entry{
			{"orders", at("o", 0, 7), done}, {"orders", at("other", 0, 0), done}, {"orders", at("o", 3, 0), done},
		}},
		{name: "another consumer's end is not ours", wantLost: 3, entries: []entry{
			{"archive", at("o", 0, 0), done}, {"archive", at("o", 0, 1), done}, {"archive", at("o", 1, 1<<40), done},
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ledger, published := demo.NewLedger(), new(demo.Positions)
			for _, p := range []record.Position{at("o", 0, 0), at("o", 0, 1), at("o", 1, 1<<40), at("not-taken", 0, 0), at("o", 0, 1)} {
				published.Add(p)
			}
			if got := published.Len(); got != 4 {
				t.Errorf("published: got %d, want 4", got)
			}
			topics := map[string][]string{"orders": {"o"}, "archive": {"o"}}
			for _, e := range c.entries {
				ledger.Observe(e.consumer, e.at, e.result)
			}
			if got := ledger.Counts("orders", published); got != c.wantCounts {
				t.Errorf("counts: got %+v, want %+v", got, c.wantCounts)
			}
			if got := ledger.Lost(published, topics); got != c.wantLost {
				t.Errorf("lost: got %d, want %d", got, c.wantLost)
			}
			if got, want := ledger.Through(published, topics), c.wantLost == 0; got != want {
				t.Errorf("through: got %t, want %t", got, want)
			}
		})
	}
}

func TestCountsOfEverythingObserved(t *testing.T) {
	t.Parallel()
	ledger := demo.NewLedger()
	ledger.Observe("orders", at("o", 0, 5), done)
	ledger.Observe("orders", at("p", 2, 9000), dead)
	if got, want := ledger.Counts("orders", nil), (demo.Counts{Done: 1, DeadLettered: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := ledger.Counts("nobody", nil); got != (demo.Counts{}) {
		t.Errorf("got %+v, want nothing of a consumer that is not known", got)
	}
}

// The ledger is told the truth in any order by many goroutines while others read it, and agrees with a plain count in the end.
func TestLedgerAgreesWithAPlainCount(t *testing.T) {
	t.Parallel()
	const records, consumers = 3_000, 4
	ledger, published := demo.NewLedger(), new(demo.Positions)
	names := [consumers]string{"a", "b", "c", "d"}
	topics := map[string][]string{}
	want := [consumers]demo.Counts{}
	var writing, reading sync.WaitGroup
	stop := make(chan struct{})
	writing.Go(func() {
		for i := range int64(records) {
			published.Add(at("o", int32(i%6), i/6))
		}
	})
	for n, name := range names {
		topics[name] = []string{"o"}
		writing.Go(func() {
			random := rand.New(rand.NewPCG(uint64(n), 1))
			for _, i := range random.Perm(records) {
				result := [...]record.Result{done, dead, skipped, retried}[random.IntN(4)]
				switch result.Outcome {
				case record.DeadLettered:
					want[n].DeadLettered++
				case record.Skipped:
					want[n].Skipped++
				default:
					want[n].Done++
				}
				if result.Attempts > 1 {
					want[n].Retried++
				}
				ledger.Observe(name, at("o", int32(i%6), int64(i/6)), result)
			}
		})
	}
	reading.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				ledger.Through(published, topics)
				ledger.Counts("a", published)
			}
		}
	})
	writing.Wait()
	close(stop)
	reading.Wait()
	for n, name := range names {
		if got := ledger.Counts(name, published); got != want[n] {
			t.Errorf("%s: got %+v, want %+v", name, got, want[n])
		}
	}
	if !ledger.Through(published, topics) {
		t.Errorf("got %d lost, want none", ledger.Lost(published, topics))
	}
}

// fill enters a million records for each of eight consumers.
func fill() (*demo.Ledger, *demo.Positions, map[string][]string) {
	ledger, published, topics := demo.NewLedger(), new(demo.Positions), map[string][]string{}
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		topics[name] = []string{"o"}
		for i := range int64(1_000_000) {
			published.Add(at("o", int32(i%6), i/6))
			ledger.Observe(name, at("o", int32(i%6), i/6), done)
		}
	}
	return ledger, published, topics
}

func BenchmarkLedgerObserve(b *testing.B) {
	ledger := demo.NewLedger()
	offset := int64(0)
	b.ReportAllocs()
	for b.Loop() {
		ledger.Observe("orders", at("order-events", 3, offset), done)
		offset++
	}
}

func BenchmarkLedgerThroughAMillion(b *testing.B) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	ledger, published, topics := fill()
	runtime.GC()
	runtime.ReadMemStats(&after)
	for b.Loop() {
		if !ledger.Through(published, topics) {
			b.Fatal("got something lost")
		}
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<20), "MiB")
}
