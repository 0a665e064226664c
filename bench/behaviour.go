package main

import (
	"bytes"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// The kinds of functions that a workload gives its consumers.
const (
	doNothing = "nothing"
	doSleep   = "sleep"
	doSpin    = "spin"
	doTurn    = "turn"
	doBlock   = "block"
	doFail    = "fail"
)

// behaviour is what a peer's function does with a record.
type behaviour struct {
	Kind string `json:"kind"`
	// Duration is how long it sleeps, spins or blocks.
	Duration time.Duration `json:"duration,omitempty"`
	// Key is the key that blocks, or whose times are left out because it is the hot one.
	Key string `json:"key,omitempty"`
	// FailingKeys is how many keys fail, the first ones.
	FailingKeys int `json:"failingKeys,omitempty"`
	// After is how many records, or how much time, pass before a change.
	AfterRecords int64         `json:"afterRecords,omitempty"`
	After        time.Duration `json:"after,omitempty"`
}

// call is one record on its way into a function. Sent is when its producer sent it, in nanoseconds; 0 for not known.
type call struct {
	key       []byte
	partition int32
	offset    int64
	sent      int64
}

// function is what a peer calls for each record, from as many goroutines as it likes.
type function func(call) error

// work is a behaviour at work: the function, and what it measured of itself.
type work struct {
	behaviour behaviour
	meter     *meter
	timed     bool
	// concurrency is that of the task.
	concurrency int

	calls, spent   atomic.Int64
	spins, spinCPU atomic.Int64
	waits          waits
	turns          turns
	blocked        sync.Once
	mu             sync.Mutex
	failures       map[string]failure
}

// newWork returns the function of a task.
func newWork(t task, m *meter) *work {
	return &work{behaviour: t.Handler, meter: m, timed: t.Timed, concurrency: t.Concurrency, failures: map[string]failure{}}
}

// function handles one record as the behaviour says and counts it at its end.
func (w *work) function() function {
	act := w.act()
	return func(c call) error {
		w.meter.start()
		if w.timed && c.sent > 0 && !(w.behaviour.Key != "" && string(c.key) == w.behaviour.Key) {
			w.waits.add(time.Duration(time.Now().UnixNano() - c.sent))
		}
		if act != nil {
			if err := act(c); err != nil {
				return err
			}
		}
		w.meter.count(c.partition, c.offset)
		return nil
	}
}

// act is what happens between the beginning and the end of a call, nil for nothing.
func (w *work) act() func(call) error {
	switch w.behaviour.Kind {
	case doSleep:
		return func(call) error { return w.measured(func() { time.Sleep(w.behaviour.Duration) }) }
	case doSpin:
		return w.spin
	case doTurn:
		return w.turn
	case doBlock:
		return w.block
	case doFail:
		return w.fail
	}
	return nil
}

// measured runs something and adds its time to the function's own.
func (w *work) measured(do func()) error {
	began := time.Now()
	do()
	w.spent.Add(int64(time.Since(began)))
	w.calls.Add(1)
	return nil
}

// sampleSpins is one in how many spins is measured: asking for a thread's time costs as much as a fiftieth of a spin.
const sampleSpins = 16

// spin burns processor time. Of a sample it measures what it really used: on a busy machine a spin of 20 µs on the wall is less.
func (w *work) spin(c call) error {
	sampled := c.offset%sampleSpins == 0
	var before time.Duration
	if sampled {
		before, sampled = threadTime()
	}
	began := time.Now()
	for time.Since(began) < w.behaviour.Duration {
	}
	if !sampled {
		w.spent.Add(int64(time.Since(began)))
		w.calls.Add(1)
		return nil
	}
	after, _ := threadTime()
	// Moved to another thread in between, the difference is one of two clocks.
	if used := after - before; used >= 0 && used < 20*w.behaviour.Duration {
		w.spinCPU.Add(int64(used))
		w.spins.Add(1)
	}
	return nil
}

// block holds one record of one key, once, when the turn is under way.
func (w *work) block(c call) error {
	if string(c.key) == w.behaviour.Key && time.Since(w.meter.begin.at) > w.behaviour.After {
		w.blocked.Do(func() { time.Sleep(w.behaviour.Duration) })
	}
	return nil
}

// failure is where a key stands with its failures.
type failure struct {
	offset int64
	left   int
	until  time.Time
}

var errFails = errors.New("this key fails now")

// fail refuses a record of a failing key twice. Its next failure comes when a second has passed, so that the key itself can keep up.
func (w *work) fail(c call) error {
	number, isKey := keyNumber(c.key)
	if !isKey || number >= w.behaviour.FailingKeys {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	f := w.failures[string(c.key)]
	switch {
	case f.left > 0 && f.offset == c.offset:
		f.left--
	case f.left == 0 && time.Now().After(f.until):
		f = failure{offset: c.offset, left: 2, until: time.Now().Add(time.Second)}
	default:
		return nil
	}
	w.failures[string(c.key)] = f
	if f.left == 0 {
		return nil
	}
	return errFails
}

// keyNumber is the number in a key of the input.
func keyNumber(key []byte) (int, bool) {
	digits, ok := bytes.CutPrefix(key, []byte(keyPrefix))
	number := 0
	for _, digit := range digits {
		if digit < '0' || digit > '9' {
			return 0, false
		}
		number = number*10 + int(digit-'0')
	}
	return number, ok && len(digits) > 0
}

// addTo puts what was measured into the report.
func (w *work) addTo(r *report) {
	r.HandlerMeanMicros = quotient(float64(w.spent.Load())/1e3, float64(w.calls.Load()))
	r.HandlerCPUMicros = quotient(float64(w.spinCPU.Load())/1e3, float64(w.spins.Load()))
	if r.HandlerCPUMicros == 0 && w.behaviour.Kind == doSpin {
		r.HandlerCPUMicros = r.HandlerMeanMicros
	}
	r.P50Millis, r.P99Millis, r.LongestMillis = w.waits.percentile(.5), w.waits.percentile(.99), w.waits.percentile(1)
	// What the concurrency can do while the handler is slow; beyond 50,000/s the processors bound it.
	r.FollowSeconds = w.turns.follow(min(float64(w.concurrency)*1e6/max(r.HandlerMeanMicros, 1), mostBySleeping))
}
