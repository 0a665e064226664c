package progress

import (
	"container/heap"
	"slices"
	"time"

	"github.com/prantikov/millrace/record"
)

// lanes are the keys that are under way or wait. A key without a lane is idle, or in a batch whose keys nobody took note of.
type lanes struct {
	// together makes one lane of all keys.
	together bool
	byKey    map[string]*lane
	// idle is lanes whose time has come and whose key is not under way, in the order in which that came about.
	idle []*lane
	// parked is lanes that wait for a time.
	parked laneHeap
	// busy counts the lanes with records in flight.
	busy int
	// spare is lanes to be used again.
	spare []*lane
}

// lane is one key: how many of its records are in flight, and which wait, in the order of the log.
type lane struct {
	key    string
	flying int
	queue  []int64
	// until is when the first of the queue may be handed over; zero for at once.
	until time.Time
	place place
}

// place is where a lane that waits is listed.
type place uint8

const (
	nowhere place = iota
	listedIdle
	listedParked
)

func (ls *lanes) key(r *record.Record) []byte {
	if ls.together {
		return nil
	}
	return r.Key
}

func (ls *lanes) find(r *record.Record) *lane {
	if len(ls.byKey) == 0 {
		return nil
	}
	return ls.byKey[string(ls.key(r))]
}

// take returns the lane of a record's key, a new one where there is none.
func (ls *lanes) take(r *record.Record) *lane {
	if l := ls.byKey[string(ls.key(r))]; l != nil {
		return l
	}
	var l *lane
	if last := len(ls.spare) - 1; last >= 0 {
		l, ls.spare = ls.spare[last], ls.spare[:last]
	} else {
		l = &lane{}
	}
	l.key = string(ls.key(r))
	if ls.byKey == nil {
		ls.byKey = map[string]*lane{}
	}
	ls.byKey[l.key] = l
	return l
}

// fly takes note that records of the key are in flight.
func (ls *lanes) fly(l *lane, records int) {
	if l.flying == 0 {
		ls.busy++
	}
	l.flying += records
}

// insert puts an offset into the queue at its place in the log.
func (l *lane) insert(offset int64) {
	at, _ := slices.BinarySearch(l.queue, offset)
	l.queue = slices.Insert(l.queue, at, offset)
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// land takes note that a record of the key is in flight no longer.
func (ls *lanes) land(r *record.Record) {
	l := ls.byKey[string(ls.key(r))]
	if l.flying--; l.flying == 0 {
		ls.busy--
	}
	ls.list(l)
}

// list puts a lane where it belongs: nothing can be taken from it while its key is under way, and it is gone when nothing is left of it.
func (ls *lanes) list(l *lane) {
	if l.flying > 0 || l.place != nowhere {
		return
	}
	switch {
	case len(l.queue) == 0:
		ls.drop(l)
	case l.until.IsZero():
		l.place = listedIdle
		ls.idle = append(ls.idle, l)
	default:
		l.place = listedParked
		heap.Push(&ls.parked, l)
	}
}

// sparesKept bounds how many lanes are kept to be used again.
const sparesKept = 1024

func (ls *lanes) drop(l *lane) {
	delete(ls.byKey, l.key)
	if len(ls.spare) < sparesKept && cap(l.queue) <= 64 {
		*l = lane{queue: l.queue[:0]}
		ls.spare = append(ls.spare, l)
	}
}

// ready takes offsets out of lanes whose time has come, at most as many as asked for, in the order of the log.
func (ls *lanes) ready(now time.Time, most int) []int64 {
	for ls.parked.Len() > 0 && !ls.parked[0].until.After(now) {
		l := heap.Pop(&ls.parked).(*lane)
		l.place, l.until = listedIdle, time.Time{}
		ls.idle = append(ls.idle, l)
	}
	var offsets []int64
	taken := 0
	for ; taken < len(ls.idle) && len(offsets) < most; taken++ {
		l := ls.idle[taken]
		count := min(len(l.queue), most-len(offsets))
		offsets = append(offsets, l.queue[:count]...)
		l.queue = slices.Delete(l.queue, 0, count)
		l.place = nowhere
		ls.fly(l, count)
	}
	ls.idle = slices.Delete(ls.idle, 0, taken)
	if taken > 1 {
		slices.Sort(offsets)
	}
	return offsets
}

func (ls *lanes) nextDue() (time.Time, bool) {
	if ls.parked.Len() == 0 {
		return time.Time{}, false
	}
	return ls.parked[0].until, true
}

// laneHeap has the lane that is due first at its top.
type laneHeap []*lane

func (h laneHeap) Len() int           { return len(h) }
func (h laneHeap) Less(i, j int) bool { return h[i].until.Before(h[j].until) }
func (h laneHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push implements [heap.Interface].
func (h *laneHeap) Push(l any) { *h = append(*h, l.(*lane)) }

// Pop implements [heap.Interface].
func (h *laneHeap) Pop() any {
	last := len(*h) - 1
	l := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return l
}
