package router

import (
	"sync"
	"time"
)

const (
	// slowAbove is the time per record from which keys go side by side, fastBelow the one under which they no longer do. What a function
	// computes itself does not become faster side by side, and is measured on a machine that does other things meanwhile.
	slowAbove = 150 * time.Microsecond
	fastBelow = 75 * time.Microsecond
	// paceGroup is how many records are one sample.
	paceGroup = 16
	// paceShare is the weight of one sample.
	paceShare = 8
)

// pace is how long a consumer's function takes for a record, as a forgetting average. It is safe for concurrent use.
//
// A sample counts for at most twice the average: a pre-emption of half a millisecond in the middle of 16 records of a microsecond says
// nothing about the function.
type pace struct {
	mu      sync.Mutex
	average time.Duration
	slow    bool
	// sum and count are samples that are no group yet.
	sum   time.Duration
	count int
}

// newPace starts slow: one batch of slow records walked inline would hold its partition for seconds, one of fast ones walked by key
// only costs some microseconds.
func newPace() *pace { return &pace{average: 4 * slowAbove, slow: true} }

// add takes the time of some records.
func (p *pace) add(took time.Duration, records int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sum += took
	p.count += records
	if p.count < paceGroup {
		return
	}
	sample := min(p.sum/time.Duration(p.count), 2*p.average)
	p.sum, p.count = 0, 0
	p.set(p.average + (sample-p.average)/paceShare)
}

// blocked takes note that a walk took so long for so few records that waiting for samples would be wrong.
func (p *pace) blocked(perRecord time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.set(max(p.average, min(perRecord, 4*slowAbove)))
}

func (p *pace) set(average time.Duration) {
	p.average = max(average, 100*time.Nanosecond)
	switch {
	case p.average > slowAbove:
		p.slow = true
	case p.average < fastBelow:
		p.slow = false
	}
}

// isSlow says whether keys are to go side by side.
func (p *pace) isSlow() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.slow
}
