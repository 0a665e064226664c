package kafka

import (
	"context"
	"sync"
	"time"
)

// abandonAfter is how long a handler may go on after its context was cancelled at the drain deadline.
const abandonAfter = time.Second

// drain is the end of owning a partition, in three steps: first nothing more is taken, at the deadline the contexts of what is still in
// flight are cancelled, a moment later handlers that go on are abandoned.
type drain struct {
	timeout time.Duration
	// stopping is closed when the partition is wanted back.
	stopping chan struct{}
	// ctx ends at the deadline and not before.
	ctx    context.Context
	cancel context.CancelFunc
	// abandoned is closed when no handler is waited for any more.
	abandoned chan struct{}

	mu       sync.Mutex
	began    bool
	released bool
	timer    *time.Timer
}

func newDrain(timeout time.Duration) *drain {
	ctx, cancel := context.WithCancel(context.Background())
	return &drain{timeout: timeout, stopping: make(chan struct{}), ctx: ctx, cancel: cancel, abandoned: make(chan struct{})}
}

// begin takes the first step, once; the others follow by themselves.
func (d *drain) begin() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.began || d.released {
		return
	}
	d.began = true
	close(d.stopping)
	d.timer = time.AfterFunc(d.timeout, d.deadline)
}

func (d *drain) deadline() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.released {
		return
	}
	d.cancel()
	d.timer = time.AfterFunc(abandonAfter, d.abandon)
}

func (d *drain) abandon() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.released {
		close(d.abandoned)
	}
}

// release ends the drain: the partition is given back.
func (d *drain) release() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.released = true
	if d.timer != nil {
		d.timer.Stop()
	}
	d.cancel()
}
