package state

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"

	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router"
)

// Tally counts how records ended.
type Tally struct {
	Records int64 `json:"records"`
	Done    int64 `json:"done"`
	Skipped int64 `json:"skipped"`
	// GivenUp is by class: records that the consumer cannot take. They are no dead letters here: those were written when the consumer met them.
	GivenUp map[record.Class]int64 `json:"givenUp"`
}

// Add adds what another tally has counted.
func (t *Tally) Add(other Tally) {
	t.Records, t.Done, t.Skipped = t.Records+other.Records, t.Done+other.Done, t.Skipped+other.Skipped
	for class, count := range other.GivenUp {
		if t.GivenUp == nil {
			t.GivenUp = map[record.Class]int64{}
		}
		t.GivenUp[class] += count
	}
}

func (t *Tally) count(result record.Result) {
	one := Tally{Records: 1}
	switch result.Outcome {
	case record.Done:
		one.Done = 1
	case record.Skipped:
		one.Skipped = 1
	default:
		one.GivenUp = map[record.Class]int64{result.Class: 1}
	}
	t.Add(one)
}

// walk takes the records of a topic through a consumer's functions.
type walk struct {
	walker *router.Walker
	// scattered says that keys do not keep an entity's records in one partition, so that all records come one after another.
	scattered bool
	claim     string

	mu    sync.Mutex
	tally Tally
}

// window walks one window: partitions side by side, but for keys that more than one of them has, which come last and in the order of time.
func (w *walk) window(ctx context.Context, records window) error {
	together, apart := w.split(records)
	var walking sync.WaitGroup
	turns := make(chan struct{}, 2*runtime.GOMAXPROCS(0))
	errs := make([]error, len(together))
	for i, batch := range together {
		if len(batch) == 0 {
			continue
		}
		turns <- struct{}{}
		walking.Go(func() {
			errs[i] = w.batch(ctx, batch)
			<-turns
		})
	}
	walking.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return w.inTurn(ctx, apart)
}

// split takes the records of keys that several partitions have out of the others.
func (w *walk) split(records window) (together [][]*record.Record, apart []timed) {
	var shared map[string]bool
	if records.mixed && !w.scattered {
		shared = sharedKeys(records)
	}
	together = make([][]*record.Record, len(records.partitions))
	for i, of := range records.partitions {
		together[i] = make([]*record.Record, 0, len(of))
		for _, r := range of {
			if w.scattered || len(shared) > 0 && shared[string(r.Key)] {
				apart = append(apart, r)
			} else {
				together[i] = append(together[i], r.Record)
			}
		}
	}
	slices.SortStableFunc(apart, func(a, b timed) int { return cmp.Compare(a.at, b.at) })
	return together, apart
}

// sharedKeys are those that more than one partition has.
func sharedKeys(records window) map[string]bool {
	first, shared := map[string]int{}, map[string]bool{}
	for i, of := range records.partitions {
		for _, r := range of {
			if at, seen := first[string(r.Key)]; !seen {
				first[string(r.Key)] = i
			} else if at != i {
				shared[string(r.Key)] = true
			}
		}
	}
	return shared
}

// inTurn walks records one after another, those of one partition that stand together as one batch.
func (w *walk) inTurn(ctx context.Context, records []timed) error {
	for len(records) > 0 {
		var batch []*record.Record
		for _, r := range records {
			if r.Partition != records[0].Partition {
				break
			}
			batch = append(batch, r.Record)
		}
		if err := w.batch(ctx, batch); err != nil {
			return err
		}
		records = records[len(batch):]
	}
	return nil
}

// batch walks records of one partition and wants each of them finished.
func (w *walk) batch(ctx context.Context, records []*record.Record) error {
	var tally Tally
	batch := &record.Batch{Records: records, Claim: w.claim, Stopping: ctx.Done(), Report: func(_ int, result record.Result) {
		if result.Outcome.Finished() {
			tally.count(result)
		}
	}}
	if err := w.walker.Walk(ctx, batch); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if int(tally.Records) != len(records) {
		return fmt.Errorf("handling %s: it was not finished, another process has the tables", records[0].Position)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tally.Add(tally)
	return nil
}

// total is what was counted so far.
func (w *walk) total() Tally {
	w.mu.Lock()
	defer w.mu.Unlock()
	total := w.tally
	total.GivenUp = maps.Clone(total.GivenUp)
	return total
}
