package replay

import (
	"sync"
	"time"
)

// Pace bounds how many records are handed over in a second, over all sources that have it. A nil pace does not. It is safe for concurrent use.
type Pace struct {
	each time.Duration
	mu   sync.Mutex
	// next is when the next record may go.
	next time.Time
}

// NewPace makes the pace of so many records a second; nil, which bounds nothing, for 0 and less.
func NewPace(perSecond int) *Pace {
	if perSecond <= 0 {
		return nil
	}
	return &Pace{each: time.Second / time.Duration(perSecond)}
}

// most is how many records go together at most: a tenth of a second's, so that they do not come in bursts.
func (p *Pace) most(records int) int {
	if p == nil || p.each == 0 {
		return records
	}
	return max(1, min(records, int(100*time.Millisecond/p.each)))
}

// wait waits for the turn of so many records, and returns false when stopping is closed first.
func (p *Pace) wait(records int, stopping <-chan struct{}) bool {
	if p == nil {
		return true
	}
	p.mu.Lock()
	now := time.Now()
	turn := p.next
	if turn.Before(now) {
		turn = now
	}
	p.next = turn.Add(time.Duration(records) * p.each)
	p.mu.Unlock()
	timer := time.NewTimer(time.Until(turn))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-stopping:
		return false
	}
}
