package main

import (
	"math"
	"slices"
	"sync"
	"time"
)

// waits is a sample of every wait, so that its longest is the real one. At the paces that are measured it is some megabytes.
type waits struct {
	mu     sync.Mutex
	all    []time.Duration
	sorted bool
}

func (w *waits) add(wait time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, wait)
	w.sorted = false
}

// percentile is the wait in milliseconds that this part of all waits did not exceed, 0 when there was none.
func (w *waits) percentile(part float64) float64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.all) == 0 {
		return 0
	}
	if !w.sorted {
		slices.Sort(w.all)
		w.sorted = true
	}
	index := int(math.Ceil(part*float64(len(w.all)))) - 1
	return float64(w.all[max(index, 0)]) / float64(time.Millisecond)
}
