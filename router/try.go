package router

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prantikov/millrace/record"
)

// try is the context of one try of one record. It carries the record, and ends when the try has taken too long, when the try is over, and
// when the batch's context ends.
//
// It is a context of its own because nearly no function looks at its end: the standard library's would cost each record an allocation and
// a place in the list of its parent, and a timer beside it. Here that is made when Done is first called; until then nothing is.
type try struct {
	parent   context.Context
	delivery *delivery
	// began is when the try began, limit how long it may take; a route sets its own limit when it is found.
	began time.Time
	limit atomic.Int64
	// expired is set when the limit was reached.
	expired atomic.Bool

	// ending is the real context behind this one, once somebody needs it.
	ending atomic.Pointer[ending]
	mu     sync.Mutex
	// over is set under the lock when the try has ended.
	over atomic.Bool
}

type ending struct {
	context.Context
	cancel context.CancelCauseFunc
}

var _ context.Context = (*try)(nil)

// Deadline implements [context.Context].
func (t *try) Deadline() (time.Time, bool) { return t.parent.Deadline() }

// Done implements [context.Context].
func (t *try) Done() <-chan struct{} { return t.real().Done() }

// Err implements [context.Context].
func (t *try) Err() error {
	if real := t.ending.Load(); real != nil {
		return real.Err()
	}
	if t.over.Load() {
		return context.Canceled
	}
	return t.parent.Err()
}

// Value implements [context.Context].
func (t *try) Value(key any) any {
	switch key.(type) {
	case deliveryKey:
		return t.delivery
	case record.ContextKey:
		return t.delivery.handled
	}
	if real := t.ending.Load(); real != nil {
		return real.Value(key)
	}
	return t.parent.Value(key)
}

// real makes the context behind this one.
func (t *try) real() *ending {
	if made := t.ending.Load(); made != nil {
		return made
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.make()
}

// make is real for who has the lock.
func (t *try) make() *ending {
	if made := t.ending.Load(); made != nil {
		return made
	}
	made := &ending{}
	made.Context, made.cancel = context.WithCancelCause(t.parent)
	if t.over.Load() {
		made.cancel(nil)
	}
	t.ending.Store(made)
	return made
}

// expire ends the try's context because its time is over. A try that is over already is left alone.
func (t *try) expire() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over.Load() || t.expired.Load() {
		return
	}
	t.expired.Store(true)
	t.make().cancel(errTimeout)
}

// end ends the context with the try.
func (t *try) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over.Store(true)
	if made := t.ending.Load(); made != nil {
		made.cancel(nil)
	}
}
