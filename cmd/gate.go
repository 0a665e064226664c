package cmd

import (
	"sync"
	"time"
)

// gate lets one of many through, and the next one after a time. Its zero value is open; it is safe for concurrent use.
type gate struct {
	mu     sync.Mutex
	passed time.Time
}

func (g *gate) open(again time.Duration) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	if !g.passed.IsZero() && now.Sub(g.passed) < again {
		return false
	}
	g.passed = now
	return true
}
