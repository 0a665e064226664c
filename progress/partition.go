// Package progress owns how far one consumer is with one partition: what was delivered, what is finished, and the frontier between.
// It never has a clock, a goroutine or a client in it.
package progress

import "sort"

// Partition is the progress of one consumer with one partition, from the moment it takes the partition until it gives it back.
// One goroutine uses it at a time.
//
// The frontier walks the offsets that were delivered. Offsets that the log does not have (aborted transactions, compaction) are holes:
// the next delivered offset closes them.
type Partition struct {
	// frontier is the lowest offset that is not known to be finished.
	frontier int64
	// next is one past the last delivered offset.
	next int64
	// restored is what a former owner had finished, at next and above.
	restored DoneSet
	// window has the delivered records from the frontier on, in order; the first one is unfinished. head is where it begins.
	window []entry
	head   int

	pending      int
	pendingBytes int64
}

type entry struct {
	offset   int64
	size     int
	finished bool
}

// New returns the progress of a partition that is taken at the frontier and done set of its former owner. A partition that had none
// begins at the offset that will be read first, with an empty set.
func New(frontier int64, done DoneSet) *Partition {
	restored := done.Clone()
	restored.Trim(frontier)
	return &Partition{frontier: frontier, next: frontier, restored: restored}
}

// Deliver takes note of the next record of the log, of a size in bytes. It says whether the record is to be handled: one that was
// delivered or finished before is not. Offsets come in the order of the log.
func (p *Partition) Deliver(offset int64, size int) bool {
	if offset < p.next {
		return false
	}
	finished := p.restored.Contains(offset)
	p.next = offset + 1
	p.restored.Trim(p.next)
	if p.head == len(p.window) {
		p.frontier = offset
		if finished {
			p.frontier = p.next
			return false
		}
	}
	p.window = append(p.window, entry{offset: offset, size: size, finished: finished})
	if finished {
		return false
	}
	p.pending++
	p.pendingBytes += int64(size)
	return true
}

// Finish takes note that a delivered record is done, skipped or dead-lettered. It says whether that was news: not for a record that
// was never delivered, nor for one that is finished already.
func (p *Partition) Finish(offset int64) bool {
	e := p.find(offset)
	if e == nil || e.finished {
		return false
	}
	e.finished = true
	p.pending--
	p.pendingBytes -= int64(e.size)
	p.advance()
	return true
}

// find returns the entry of an offset in the window, or nil. Without holes the offset's distance is its index.
func (p *Partition) find(offset int64) *entry {
	window := p.window[p.head:]
	if len(window) == 0 || offset < window[0].offset || offset >= p.next {
		return nil
	}
	if i := offset - window[0].offset; i < int64(len(window)) && window[i].offset == offset {
		return &window[i]
	}
	i := sort.Search(len(window), func(i int) bool { return window[i].offset >= offset })
	if i == len(window) || window[i].offset != offset {
		return nil
	}
	return &window[i]
}

// advance moves the frontier over what is finished and gives the space of the window back.
func (p *Partition) advance() {
	for p.head < len(p.window) && p.window[p.head].finished {
		p.head++
	}
	if p.head == len(p.window) {
		p.frontier = p.next
		p.window, p.head = p.window[:0], 0
		return
	}
	p.frontier = p.window[p.head].offset
	if p.head > 1024 && p.head > len(p.window)/2 {
		p.window, p.head = p.window[:copy(p.window, p.window[p.head:])], 0
	}
}

// Frontier is the lowest offset that is not finished: what is committed. When all that was delivered is finished, it is one past the
// last delivered offset.
func (p *Partition) Frontier() int64 { return p.frontier }

// Next is one past the last delivered offset: where reading goes on.
func (p *Partition) Next() int64 { return p.next }

// Pending counts the records that were delivered and are not finished, and their bytes.
func (p *Partition) Pending() (records int, bytes int64) { return p.pending, p.pendingBytes }

// Oldest returns the lowest offset that was delivered and is not finished; ok is false when there is none.
func (p *Partition) Oldest() (offset int64, ok bool) {
	if p.head == len(p.window) {
		return 0, false
	}
	return p.window[p.head].offset, true
}

// Done returns what is finished at the frontier and above, for whoever takes the partition next. A hole behind a finished record counts
// as finished, so that the marker of a transaction does not split a run. At the frontier itself only what a former owner finished can
// be in the set, until it is delivered again.
func (p *Partition) Done() DoneSet {
	var done DoneSet
	from := int64(-1)
	for _, e := range p.window[p.head:] {
		switch {
		case e.finished && from < 0:
			from = e.offset
		case !e.finished && from >= 0:
			done.AddRun(Run{From: from, To: e.offset})
			from = -1
		}
	}
	if from >= 0 {
		done.AddRun(Run{From: from, To: p.next})
	}
	for _, run := range p.restored.runs {
		done.AddRun(run)
	}
	return done
}
