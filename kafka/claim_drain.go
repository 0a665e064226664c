package kafka

import (
	"context"
	"sync"
	"time"
)

// abandonAfter is how long a handler may go on after its context was cancelled at the drain deadline.
const abandonAfter = time.Second

// drain is the end of owning partitions, in three steps: first nothing more is taken, at the deadline the contexts of what is still in
// flight are cancelled, a moment later handlers that go on are abandoned.
type drain struct {
	// stopping is closed when the partitions are wanted back.
	stopping chan struct{}
	// ctx ends at the deadline and not before.
	ctx    context.Context
	cancel context.CancelFunc
	// abandoned is closed when no handler is waited for any more.
	abandoned chan struct{}

	released chan struct{}
	once     sync.Once
}

// startDrain waits for the end of owning, then goes through the steps.
func startDrain(end <-chan struct{}, timeout time.Duration) *drain {
	ctx, cancel := context.WithCancel(context.Background())
	d := &drain{
		stopping: make(chan struct{}), ctx: ctx, cancel: cancel,
		abandoned: make(chan struct{}), released: make(chan struct{}),
	}
	go d.run(end, timeout)
	return d
}

func (d *drain) run(end <-chan struct{}, timeout time.Duration) {
	defer d.cancel()
	select {
	case <-end:
	case <-d.released:
		return
	}
	close(d.stopping)
	if !d.waits(timeout) {
		return
	}
	d.cancel()
	if d.waits(abandonAfter) {
		close(d.abandoned)
	}
}

// waits says whether the time passed before everything was given back.
func (d *drain) waits(timeout time.Duration) bool {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-d.released:
		return false
	}
}

// release ends the drain: all is given back.
func (d *drain) release() { d.once.Do(func() { close(d.released) }) }
