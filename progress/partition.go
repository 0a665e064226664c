// Package progress owns how far one consumer is with one partition: what was delivered, which keys are under way, which wait for another
// try, what is finished, and the frontier between. It never has a clock, a goroutine or a client in it.
package progress

import (
	"sort"
	"time"

	"github.com/prantikov/millrace/record"
)

// Partition is the progress of one consumer with one partition, from the moment it takes the partition until it gives it back.
// One goroutine uses it at a time.
//
// A record is delivered, then handed over, then finished; in between it may wait: for an earlier record of its key, or for its next
// try. Of one key at most one batch is in flight, and its records are handed over in the order of the log. Records without a key are
// one key.
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
	// runs counts the runs of finished records in the window: what the done set will have.
	runs int

	pending      int
	pendingBytes int64
	// fresh counts the records that are in flight and belong to no lane, running those that do.
	fresh, running int

	lanes lanes
}

// entry is one delivered record.
type entry struct {
	offset int64
	// record is nil once it is finished.
	record *record.Record
	// memo is what the walk left with the record when it was parked.
	memo  any
	size  int
	state state
}

type state uint8

const (
	// fresh is in flight, with keys that nobody took note of: until all of them are through, no record of another batch may be new.
	fresh state = iota
	// running is in flight, and its key has a lane that says so.
	running
	// waiting is in its key's lane.
	waiting
	finished
)

func (e *entry) inFlight() bool { return e.state == fresh || e.state == running }

// New returns the progress of a partition that is taken at the frontier and done set of its former owner. A partition that had none
// begins at the offset that will be read first, with an empty set. With together, all records count as of one key.
func New(frontier int64, done DoneSet, together bool) *Partition {
	restored := done.Clone()
	restored.Trim(frontier)
	return &Partition{frontier: frontier, next: frontier, restored: restored, lanes: lanes{together: together}}
}

// Delivery says what became of a delivered record.
type Delivery uint8

const (
	// Known is a record that was delivered or finished before: it is not handled.
	Known Delivery = iota
	// Fresh is a record that is in flight from now on.
	Fresh
	// Behind is a record whose key is under way or waits: it comes with a later [Partition.Ready].
	Behind
)

// Deliver takes note of the next record of the log and says whether it is to be handed over now. Offsets come in the order of the log.
func (p *Partition) Deliver(r *record.Record) Delivery {
	if r.Offset < p.next {
		return Known
	}
	if p.restored.Contains(r.Offset) {
		p.Known(r.Offset)
		return Known
	}
	p.next = r.Offset + 1
	p.restored.Trim(p.next)
	if p.head == len(p.window) {
		p.frontier = r.Offset
	}
	e := entry{offset: r.Offset, record: r, size: r.Size(), state: fresh}
	delivery := Fresh
	if l := p.lanes.find(r); l != nil {
		e.state, e.record, delivery = waiting, r.Clone(), Behind
		l.queue = append(l.queue, r.Offset)
	} else {
		p.fresh++
	}
	p.window = append(p.window, e)
	p.pending++
	p.pendingBytes += int64(e.size)
	return delivery
}

// Side takes note of the keys of records that are in flight, so that from now on new records of other keys may be handed over beside
// them. Records that are through are left out.
func (p *Partition) Side(records []*record.Record) {
	for _, r := range records {
		if e := p.find(r.Offset); e != nil && e.state == fresh {
			e.state = running
			p.fresh--
			p.running++
			p.lanes.fly(p.lanes.take(r), 1)
		}
	}
}

// Finish takes note that a delivered record is done, skipped or dead-lettered. It says whether that was news: not for a record that
// is not in flight.
func (p *Partition) Finish(offset int64) bool {
	i := p.index(offset)
	if i < 0 || !p.window[i].inFlight() {
		return false
	}
	e := &p.window[i]
	p.land(e)
	p.pending--
	p.pendingBytes -= int64(e.size)
	e.record, e.memo, e.state = nil, nil, finished
	p.countRuns(i)
	if i == p.head {
		p.advance()
	}
	return true
}

// Park takes note that a record in flight waits until a time, with what is to be handed over with it then. Records of its key behind it
// wait with it: those in flight must come back too, before any of them begins. It says whether the record was in flight.
func (p *Partition) Park(offset int64, until time.Time, memo any) bool {
	e := p.find(offset)
	if e == nil || !e.inFlight() {
		return false
	}
	e.memo = memo
	p.wait(e, func(*lane) time.Time { return until })
	return true
}

// Return takes note that a record in flight was not begun, because its key waits or is still under way: it comes again with its key. Where
// neither is so, nothing says when to try again, and it waits until the given time. It says whether the record was in flight.
func (p *Partition) Return(offset int64, otherwise time.Time) bool {
	e := p.find(offset)
	if e == nil || !e.inFlight() {
		return false
	}
	p.wait(e, func(l *lane) time.Time {
		underWay := l.flying > 1 || l.flying == 1 && e.state == fresh
		if underWay || !l.until.IsZero() || l.queue[0] != offset {
			return time.Time{}
		}
		return otherwise
	})
	return true
}

// wait puts a record in flight into its lane.
func (p *Partition) wait(e *entry, until func(*lane) time.Time) {
	// Who waits must not keep the memory of a whole fetch.
	e.record = e.record.Clone()
	l := p.lanes.take(e.record)
	l.insert(e.offset)
	if l.place == nowhere {
		l.until = latest(l.until, until(l))
	}
	p.land(e)
	p.lanes.list(l)
	e.state = waiting
}

// land ends the flight of a record.
func (p *Partition) land(e *entry) {
	switch e.state {
	case fresh:
		p.fresh--
	case running:
		p.running--
		p.lanes.land(e.record)
	}
}

// Ready returns records that have waited and may be handed over at this time, in the order of the log, at most as many as asked for,
// with what was left with each (nil when there is nothing). They are in flight from now on.
func (p *Partition) Ready(now time.Time, most int) (records []*record.Record, memos []any) {
	offsets := p.lanes.ready(now, most)
	for i, offset := range offsets {
		e := p.find(offset)
		e.state = running
		p.running++
		records = append(records, e.record)
		if e.memo != nil && memos == nil {
			memos = make([]any, len(offsets))
		}
		if memos != nil {
			memos[i] = e.memo
		}
	}
	return records, memos
}

// NextDue is when the next parked record may be tried again; ok is false when none waits for a time.
func (p *Partition) NextDue() (due time.Time, ok bool) { return p.lanes.nextDue() }

// index returns where the record of an offset is in the window, or -1. Without holes the distance is the index.
func (p *Partition) index(offset int64) int {
	window := p.window[p.head:]
	if len(window) == 0 || offset < window[0].offset || offset >= p.next {
		return -1
	}
	if i := offset - window[0].offset; i < int64(len(window)) && window[i].offset == offset {
		return p.head + int(i)
	}
	i := sort.Search(len(window), func(i int) bool { return window[i].offset >= offset })
	if i == len(window) || window[i].offset != offset {
		return -1
	}
	return p.head + i
}

func (p *Partition) find(offset int64) *entry {
	if i := p.index(offset); i >= 0 {
		return &p.window[i]
	}
	return nil
}

// countRuns takes note that the record at i is finished: alone it is a run of its own, next to one it joins it, between two it joins them.
func (p *Partition) countRuns(i int) {
	p.runs++
	if i > p.head && p.window[i-1].state == finished {
		p.runs--
	}
	if i+1 < len(p.window) && p.window[i+1].state == finished {
		p.runs--
	}
}

// advance moves the frontier over the run of finished records at the head and gives their space back.
func (p *Partition) advance() {
	for p.head < len(p.window) && p.window[p.head].state == finished {
		p.head++
	}
	p.runs--
	if p.head == len(p.window) {
		p.frontier = p.next
		p.window, p.head = p.window[:0], 0
		return
	}
	p.frontier = p.window[p.head].offset
	if p.head > 1024 && p.head > len(p.window)/2 {
		kept := copy(p.window, p.window[p.head:])
		clear(p.window[kept:])
		p.window, p.head = p.window[:kept], 0
	}
}

// Frontier is the lowest offset that is not finished: what is committed. When all that was delivered is finished, it is one past the
// last delivered offset.
func (p *Partition) Frontier() int64 { return p.frontier }

// Next is one past the last delivered offset: where reading goes on.
func (p *Partition) Next() int64 { return p.next }

// Pending counts the records that were delivered and are not finished, and their bytes.
func (p *Partition) Pending() (records int, bytes int64) { return p.pending, p.pendingBytes }

// InFlight counts the records that are handed over and not back.
func (p *Partition) InFlight() int { return p.fresh + p.running }

// Fresh counts the records in flight that keep all new records waiting, because nobody took note of their keys; see [Partition.Side].
func (p *Partition) Fresh() int { return p.fresh }

// Keys counts the keys under way beside each other.
func (p *Partition) Keys() int { return p.lanes.busy }

// Window is how many records the window spans, finished ones included, and how many runs the done set has.
func (p *Partition) Window() (records, runs int) { return len(p.window) - p.head, p.runs }

// Parked counts the keys that wait for a time.
func (p *Partition) Parked() int { return p.lanes.parked.Len() }

// Oldest returns the first record that was delivered and is not finished; nil when there is none.
func (p *Partition) Oldest() *record.Record {
	if p.head == len(p.window) {
		return nil
	}
	return p.window[p.head].record
}

// Done returns what is finished at the frontier and above, for whoever takes the partition next. A hole behind a finished record counts
// as finished, so that the marker of a transaction does not split a run. At the frontier itself only what a former owner finished can
// be in the set, until it is delivered again.
func (p *Partition) Done() DoneSet {
	var done DoneSet
	if p.runs > 0 {
		from := int64(-1)
		for i := range p.window[p.head:] {
			e := &p.window[p.head+i]
			switch {
			case e.state == finished && from < 0:
				from = e.offset
			case e.state != finished && from >= 0:
				done.AddRun(Run{From: from, To: e.offset})
				from = -1
			}
		}
		if from >= 0 {
			done.AddRun(Run{From: from, To: p.next})
		}
	}
	for _, run := range p.restored.runs {
		done.AddRun(run)
	}
	return done
}
