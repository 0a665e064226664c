package router

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prantikov/millrace/record"
)

const (
	// blockedAfter is how long one record may hold those behind it in an inline walk, tardyAfter how long the whole walk may take. A
	// goroutine that is ready to run may wait for some milliseconds on a busy machine, so less would see ghosts.
	blockedAfter = 15 * time.Millisecond
	tardyAfter   = 30 * time.Millisecond
)

// inlineWalk walks the records of a batch one after another on one goroutine. The lookout may take what is not begun yet out of its hands.
type inlineWalk struct {
	h     *handler
	ctx   context.Context
	batch *record.Batch
	began time.Time
	// cursor is the index of the next record; taking it from here is what makes a record belong to who took it.
	cursor atomic.Int64
	// handed is the walk of what the lookout has taken over.
	handed sync.WaitGroup

	mu sync.Mutex
	// over is true when the walk is through, sided once other keys go on beside it.
	over, sided bool
	// parked has the keys of which a record waits for its next try.
	parked map[string]bool
}

// walkInline returns when every record has its result, or when we stop. It takes one of the pool's workers, so that the partitions of a
// consumer have no more side by side than its concurrency, however fast its functions are. Where records of a partition stay in order, and
// for a source that knows no keys, there is no concurrency to keep to.
func (h *handler) walkInline(ctx context.Context, batch *record.Batch) {
	w := &inlineWalk{h: h, ctx: ctx, batch: batch}
	if h.together || !batch.Parks() {
		w.walk(&deliveries{})
		return
	}
	w.handed.Add(1)
	h.pool.add([]task{{walk: w}})
	w.handed.Wait()
}

// run implements the pool's task.
func (w *inlineWalk) run(_ int, by *worker) {
	defer w.handed.Done()
	w.walk(&by.made)
}

// walk walks the records on this goroutine, where the lookout sees it.
func (w *inlineWalk) walk(made *deliveries) {
	w.began = time.Now()
	s := &seat{walk: w}
	w.h.lookout.enter(s)
	w.walkFrom(s, made)
	w.h.lookout.leave(s)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
}

func (w *inlineWalk) walkFrom(s *seat, made *deliveries) {
	ended := w.ctx.Done()
	began, walked := w.began, 0
	for {
		i := int(w.cursor.Add(1)) - 1
		if i >= len(w.batch.Records) || stopped(ended, w.batch.Stopping) {
			break
		}
		key := ""
		if w.parked != nil {
			if key = w.h.keyOf(w.batch.Records[i]); w.parked[key] {
				w.batch.Report(i, record.Result{Outcome: record.Unfinished})
				continue
			}
		}
		result := w.h.walkOne(w.ctx, w.batch, made.of(w.ctx, w.h, w.batch, i, s))
		if result.Outcome == record.Parked {
			w.park(w.h.keyOf(w.batch.Records[i]))
		}
		w.h.report(w.batch, i, result)
		if walked++; walked == paceGroup {
			now := time.Now()
			w.h.pace.add(now.Sub(began), walked)
			began, walked = now, 0
		}
	}
	if walked > 0 {
		w.h.pace.add(time.Since(began), walked)
	}
}

// park notes a key. Only the walk's goroutine writes, so it alone reads without the lock.
func (w *inlineWalk) park(key string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.parked == nil {
		w.parked = map[string]bool{}
	}
	w.parked[key] = true
}

// look lets other keys go on when the running record blocks the walk: the source may hand over more, and what is not begun yet goes to
// the pool.
func (w *inlineWalk) look(now time.Time, running *try) {
	blocked := running != nil && now.Sub(running.began) > blockedAfter
	if w.h.together || !w.batch.Parks() || !(blocked || now.Sub(w.began) > tardyAfter) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over || w.sided {
		return
	}
	w.sided = true
	count := len(w.batch.Records)
	from := min(int(w.cursor.Swap(int64(count))), count)
	w.h.pace.blocked(now.Sub(w.began) / time.Duration(max(from, 1)))
	present := ""
	if from > 0 {
		present = w.h.keyOf(w.batch.Records[from-1])
	}
	w.h.walkSide(w.ctx, w.batch, from, func(key string) bool {
		return from > 0 && key == present || w.parked[key]
	}, &w.handed)
}
