package router

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// lookEvery is how often walks are looked at; poolEvery how many looks pass between two at the pools' workers, of which there can be
	// thousands, and which hold nobody but themselves.
	lookEvery = 5 * time.Millisecond
	poolEvery = 4
	// trimEvery is how many looks pass between two trims of the pools.
	trimEvery = 200
	// quietLooks is how many looks without anything to see end the lookout's goroutine.
	quietLooks = 100
)

// seat is where one goroutine handles records, one after another.
type seat struct {
	running atomic.Pointer[try]
	// walk is the inline walk whose records are handled here; nil for a pool's worker and for a unit of work.
	walk *inlineWalk
	// place is the index in the lookout's list.
	place int
}

// lookout sees what runs for too long: it ends the context of a try whose time is over, and hands over what waits behind a record
// that blocks an inline walk. So no try needs a timer of its own. Its zero value is ready; it is safe for concurrent use.
type lookout struct {
	mu      sync.Mutex
	walks   []*seat
	workers []*seat
	// pools are those that have or had workers.
	pools []*pool
	on    bool
}

// enterWorker shows a pool's worker to the lookout, and the pool, to be trimmed.
func (l *lookout) enterWorker(w *worker, p *pool) {
	l.enter(&w.seat)
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.Contains(l.pools, p) {
		l.pools = append(l.pools, p)
	}
}

// enter shows a seat to the lookout until leave.
func (l *lookout) enter(s *seat) {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := l.listOf(s)
	s.place = len(*list)
	*list = append(*list, s)
	if !l.on {
		l.on = true
		go l.run()
	}
}

func (l *lookout) leave(s *seat) {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := l.listOf(s)
	last := len(*list) - 1
	moved := (*list)[last]
	(*list)[s.place], moved.place = moved, s.place
	(*list)[last] = nil
	*list = (*list)[:last]
}

// listOf returns the list in which the seat is.
func (l *lookout) listOf(s *seat) *[]*seat {
	if s.walk != nil {
		return &l.walks
	}
	return &l.workers
}

// run looks until nobody has been there for a while.
func (l *lookout) run() {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	var seen []*seat
	for look, quiet := 0, 0; ; look++ {
		<-ticker.C
		l.mu.Lock()
		if len(l.walks)+len(l.workers) > 0 {
			quiet = 0
		} else if quiet++; quiet > quietLooks {
			l.on = false
			l.mu.Unlock()
			return
		}
		var pools []*pool
		if look%trimEvery == 0 {
			pools = slices.Clone(l.pools)
		}
		seen = append(seen[:0], l.walks...)
		if look%poolEvery == 0 {
			seen = append(seen, l.workers...)
		}
		l.mu.Unlock()
		now := time.Now()
		for _, s := range seen {
			s.look(now)
		}
		clear(seen)
		for _, p := range pools {
			p.trim()
		}
	}
}

func (s *seat) look(now time.Time) {
	t := s.running.Load()
	if t != nil && now.Sub(t.began) > time.Duration(t.limit.Load()) {
		t.expire()
	}
	if s.walk != nil {
		s.walk.look(now, t)
	}
}
