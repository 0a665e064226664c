package main

import (
	"sync/atomic"
	"time"
)

// A handler that turns is fast for a number of records, slow for a while, and then fast again. Its calls are counted in slices of time,
// from which one sees how soon the rate follows.
const (
	slice     = 50 * time.Millisecond
	mostSlice = 4096
	fast      = time.Microsecond
	slow      = 5 * time.Millisecond
	slowPhase = 3 * time.Second
)

// turns is the calls of a turning handler.
type turns struct {
	calls  atomic.Int64
	slices [mostSlice]atomic.Int64
	// slowAt and backAt are since the first record, in nanoseconds; 0 before.
	slowAt, backAt atomic.Int64
}

// turn is the handler: 1 µs, then 5 ms, then 1 µs again.
func (w *work) turn(call) error {
	t := &w.turns
	since := time.Since(w.meter.begin.at)
	if t.calls.Add(1) >= w.behaviour.AfterRecords {
		t.slowAt.CompareAndSwap(0, int64(since))
	}
	if began := t.slowAt.Load(); began > 0 && int64(since)-began < int64(slowPhase) {
		_ = w.measured(func() { time.Sleep(slow) })
	} else {
		if began > 0 {
			t.backAt.CompareAndSwap(0, int64(since))
		}
		for began := time.Now(); time.Since(began) < fast; {
		}
	}
	if at := int64(time.Since(w.meter.begin.at) / slice); at < mostSlice {
		t.slices[at].Add(1)
	}
	return nil
}

// never is the time of a rate that did not follow.
const never = 999

// follow is how many seconds the rate took to follow, the slower of both turns: after the turn to slow until it is half of what is possible
// in a second, and after the turn back until it is half of what it was at first. It is 0 when the input ended before the handler turned back.
func (t *turns) follow(possible float64) float64 {
	slowAt, backAt := int(t.slowAt.Load()/int64(slice)), int(t.backAt.Load()/int64(slice))
	if slowAt == 0 || backAt == 0 {
		return 0
	}
	// The slices of a turn have calls of both kinds, so they are left out.
	steady, first := possible*slice.Seconds(), t.mean(1, slowAt)
	return max(t.until(slowAt+1, backAt, steady/2), t.until(backAt, mostSlice, first/2))
}

// until is how long after from a slice first has this many calls.
func (t *turns) until(from, to int, calls float64) float64 {
	for at := from; at < to; at++ {
		if float64(t.slices[at].Load()) >= calls && calls > 0 {
			return (time.Duration(at-from) * slice).Seconds()
		}
	}
	return never
}

// mean is the calls of a slice between two slices.
func (t *turns) mean(from, to int) float64 {
	from = max(from, 0)
	sum := int64(0)
	for at := from; at < to; at++ {
		sum += t.slices[at].Load()
	}
	return quotient(float64(sum), float64(to-from))
}
