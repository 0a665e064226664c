package router

import "sync"

// pool handles the keys of a consumer side by side, at most as many as its limit, first come first served. It is safe for concurrent use.
type pool struct {
	lookout *lookout

	mu      sync.Mutex
	limit   int
	workers int
	// idle has the workers that wait for a task, and leastIdle the fewest that have since the last trim: nobody needed those.
	idle      []*worker
	leastIdle int
	// waiting is a ring of tasks that wait for a worker: head is where it begins, count how many there are.
	waiting     []task
	head, count int
}

// task is one goroutine's part of a walk: the records of one key of a batch from the first of them on, or a whole batch inline.
type task struct {
	walk interface {
		run(first int, by *worker)
	}
	first int
}

// worker is a goroutine that runs tasks. It waits for the next one for a while: a new goroutine would have to grow its stack again for
// each record.
type worker struct {
	seat seat
	made deliveries
	// next has room for one task; closed, it ends the worker.
	next chan task
}

func newPool(limit int, l *lookout) *pool { return &pool{limit: max(limit, 1), lookout: l} }

// add gives tasks to workers that wait, to new ones, and to the queue.
func (p *pool) add(tasks []task) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range tasks {
		p.push(t)
	}
	p.employ()
}

// employ finds workers for the tasks that wait. The lock is held.
func (p *pool) employ() {
	for p.count > 0 {
		if last := len(p.idle) - 1; last >= 0 {
			w := p.idle[last]
			p.idle[last] = nil
			p.idle = p.idle[:last]
			p.leastIdle = min(p.leastIdle, last)
			w.next <- p.pop()
			continue
		}
		if p.workers >= p.limit {
			return
		}
		p.workers++
		w := &worker{next: make(chan task, 1)}
		w.next <- p.pop()
		go p.work(w)
	}
}

func (p *pool) work(w *worker) {
	p.lookout.enterWorker(w, p)
	defer p.lookout.leave(&w.seat)
	for t := range w.next {
		for more := true; more; {
			t.walk.run(t.first, w)
			t, more = p.take(w)
		}
	}
}

// take returns the next task that waits. Without one the worker is idle from then on, or ends when there are more than the limit allows.
func (p *pool) take(w *worker) (task, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.workers > p.limit:
		p.workers--
		close(w.next)
		return task{}, false
	case p.count == 0:
		p.idle = append(p.idle, w)
		return task{}, false
	}
	return p.pop(), true
}

// trim ends the workers that nobody has needed since the last trim.
func (p *pool) trim() {
	p.mu.Lock()
	defer p.mu.Unlock()
	spare := min(p.leastIdle, len(p.idle))
	for _, w := range p.idle[:spare] {
		close(w.next)
	}
	p.workers -= spare
	rest := copy(p.idle, p.idle[spare:])
	clear(p.idle[rest:])
	p.idle = p.idle[:rest]
	p.leastIdle = rest
}

// resize changes the limit. Workers beyond it end with the key that they have.
func (p *pool) resize(limit int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.limit = max(limit, 1)
	p.employ()
}

func (p *pool) size() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.limit
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

func (p *pool) pop() task {
	t := p.waiting[p.head]
	p.waiting[p.head] = task{}
	p.head = (p.head + 1) % len(p.waiting)
	p.count--
	return t
}
