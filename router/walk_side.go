package router

import (
	"context"
	"sync"
	"time"

	"github.com/prantikov/millrace/record"
)

// sideWalk walks records of a batch key by key, side by side.
type sideWalk struct {
	h     *handler
	ctx   context.Context
	batch *record.Batch
	// next has, by index, the next record of the same key; -1 for none.
	next []int32
	over *sync.WaitGroup
}

// walkSide gives the records from an index on to the pool and returns at once; over says when all of them have their results. Records
// of keys that must wait are reported as unfinished: they come again.
func (h *handler) walkSide(ctx context.Context, batch *record.Batch, from int, wait func(key string) bool, over *sync.WaitGroup) {
	batch.Side()
	w := &sideWalk{h: h, ctx: ctx, batch: batch, next: make([]int32, len(batch.Records)), over: over}
	last := make(map[string]int32, len(batch.Records)-from)
	tasks := make([]task, 0, len(batch.Records)-from)
	for i := from; i < len(batch.Records); i++ {
		key := h.keyOf(batch.Records[i])
		w.next[i] = -1
		if wait != nil && wait(key) {
			batch.Report(i, record.Result{Outcome: record.Unfinished})
			continue
		}
		if before, ok := last[key]; ok {
			w.next[before] = int32(i)
		} else {
			tasks = append(tasks, task{walk: w, first: i})
		}
		last[key] = int32(i)
	}
	over.Add(len(tasks))
	h.pool.add(tasks)
}

// run handles the records of one key.
func (w *sideWalk) run(first int, by *worker) {
	defer w.over.Done()
	began := time.Now()
	for i := first; i >= 0; i = int(w.next[i]) {
		if stopped(w.ctx.Done(), w.batch.Stopping) {
			w.giveBack(i)
			return
		}
		result := w.h.walkOne(w.ctx, w.batch, by.made.of(w.ctx, w.h, w.batch, i, &by.seat))
		w.h.report(w.batch, i, result)
		now := time.Now()
		w.h.pace.add(now.Sub(began), 1)
		began = now
		if !result.Outcome.Finished() && w.next[i] >= 0 {
			w.giveBack(int(w.next[i]))
			return
		}
	}
}

// giveBack reports the rest of a key as unfinished.
func (w *sideWalk) giveBack(first int) {
	for i := first; i >= 0; i = int(w.next[i]) {
		w.batch.Report(i, record.Result{Outcome: record.Unfinished})
	}
}
