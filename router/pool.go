package router

import "sync"

// pool handles the keys of a consumer side by side, at most as many as its limit, first come first served. It is safe for concurrent use.
type pool struct {
	lookout *lookout

	mu      sync.Mutex
	limit   int
	workers int
	// waiting is a ring: head is where it begins, count how many tasks it has.
	waiting     []task
	head, count int
}

// task is the records of one key of a batch, from the first of them on.
type task struct {
	walk  *sideWalk
	first int
}

func newPool(limit int, l *lookout) *pool { return &pool{limit: max(limit, 1), lookout: l} }

// add queues tasks and starts workers for them.
func (p *pool) add(tasks []task) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range tasks {
		p.push(t)
	}
	p.hire()
}

func (p *pool) push(t task) {
	if p.count == len(p.waiting) {
		larger := make([]task, max(64, 2*p.count))
		for i := range p.count {
			larger[i] = p.waiting[(p.head+i)%len(p.waiting)]
		}
		p.waiting, p.head = larger, 0
	}
	p.waiting[(p.head+p.count)%len(p.waiting)] = t
	p.count++
}

// hire starts workers while tasks wait for one. The lock is held.
func (p *pool) hire() {
	for hired := 0; p.workers < p.limit && hired < p.count; hired++ {
		p.workers++
		go p.work()
	}
}

// work runs tasks until none waits, or there are more workers than the limit allows. A goroutine is cheaper than a worker that waits.
func (p *pool) work() {
	s := &seat{}
	p.lookout.enter(s)
	defer p.lookout.leave(s)
	for {
		t, ok := p.next()
		if !ok {
			return
		}
		t.walk.run(t.first, s)
	}
}

func (p *pool) next() (task, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.count == 0 || p.workers > p.limit {
		p.workers--
		return task{}, false
	}
	t := p.waiting[p.head]
	p.waiting[p.head] = task{}
	p.head = (p.head + 1) % len(p.waiting)
	p.count--
	return t, true
}

// resize changes the limit. Workers beyond it end with the key that they have.
func (p *pool) resize(limit int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.limit = max(limit, 1)
	p.hire()
}

func (p *pool) size() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.limit
}
