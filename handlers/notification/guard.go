package notification

import (
	"errors"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"
)

// failuresUntilAway is how many failures in a row, of whatever notifications, mean that a destination is away. It is less than the tries of one
// record, so that what is away costs no dead letter.
const failuresUntilAway = 3

// guards are the destinations that were sent to, each with its guard. It is safe for concurrent use.
type guards struct {
	probeAfter time.Duration
	now        func() time.Time

	mutex sync.Mutex
	known map[string]*guard
}

// of returns the guard of what is behind an address: two channels are never one destination.
func (g *guards) of(channel, destination string) *guard {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if g.known == nil {
		g.known = map[string]*guard{}
	}
	name := channel + " " + destination
	if g.known[name] == nil {
		g.known[name] = newGuard(channel, g.probeAfter, g.now)
	}
	return g.known[name]
}

// guard keeps notifications from a destination that is away, or that asked to be left alone. Then one at a time probes it.
type guard struct {
	breaker *gobreaker.CircuitBreaker[answer]
	now     func() time.Time

	mutex sync.Mutex
	// alone is until when the destination asked to be left alone.
	alone time.Time
}

// errNotTaken is an answer as the breaker sees it.
var errNotTaken = errors.New("not taken")

func newGuard(channel string, probeAfter time.Duration, now func() time.Time) *guard {
	return &guard{now: now, breaker: gobreaker.NewCircuitBreaker[answer](gobreaker.Settings{
		Name: channel, MaxRequests: 1, Timeout: probeAfter,
		ReadyToTrip: func(counts gobreaker.Counts) bool { return counts.ConsecutiveFailures >= failuresUntilAway },
	})}
}

// closed says for how long nothing is to be sent; 0 when something may be.
func (g *guard) closed() time.Duration {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if left := g.alone.Sub(g.now()); left > 0 {
		return left
	}
	switch state := g.breaker.State(); {
	case state == gobreaker.StateOpen, state == gobreaker.StateHalfOpen && g.breaker.Counts().Requests > 0:
		return time.Second
	}
	return 0
}

// isAway says whether failures have closed the destination, or a probe is on its way.
func (g *guard) isAway() bool { return g.breaker.State() != gobreaker.StateClosed }

// through sends unless the destination is closed; ok is false when nothing was sent.
func (g *guard) through(send func() answer) (given answer, ok bool) {
	given, err := g.breaker.Execute(func() (answer, error) {
		ok = true
		given := send()
		switch given.verdict {
		case failed, away, unknown:
			return given, errNotTaken
		case busy:
			g.leaveAlone(given.after)
		}
		return given, nil
	})
	return given, ok && (err == nil || errors.Is(err, errNotTaken))
}

func (g *guard) leaveAlone(wait time.Duration) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if until := g.now().Add(wait); until.After(g.alone) {
		g.alone = until
	}
}
