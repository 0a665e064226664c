package progress_test

import (
	"testing"
	"time"

	"github.com/prantikov/millrace/progress"
	"github.com/prantikov/millrace/record"
)

// step is what happens to a partition in a table test.
type step struct {
	deliver, finish int64
}

func deliver(offset int64) step { return step{deliver: offset, finish: -1} }
func finish(offset int64) step  { return step{deliver: -1, finish: offset} }

func TestPartition(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		start    int64
		steps    []step
		frontier int64
		done     string
		pending  int
	}{
		{name: "nothing delivered stays at the start", start: 7, frontier: 7},
		{name: "a delivered record is the frontier", start: 5, steps: []step{deliver(5)}, frontier: 5, pending: 1},
		{name: "a finished record moves the frontier past it", start: 5, steps: []step{deliver(5), finish(5)}, frontier: 6},
		{
			name: "a later record waits for the earlier", start: 0,
			steps:    []step{deliver(0), deliver(1), deliver(2), finish(2), finish(1)},
			frontier: 0, done: "1-2", pending: 1,
		},
		{
			name: "the frontier jumps over what was finished before", start: 0,
			steps:    []step{deliver(0), deliver(1), deliver(2), finish(1), finish(0)},
			frontier: 2, pending: 1,
		},
		{name: "the next delivered record closes a hole", start: 0, steps: []step{deliver(0), finish(0), deliver(4)}, frontier: 4, pending: 1},
		{name: "a hole at the start is closed", start: 0, steps: []step{deliver(3)}, frontier: 3, pending: 1},
		{
			name: "a hole does not split a run", start: 0,
			steps:    []step{deliver(0), deliver(2), deliver(5), finish(5), finish(2)},
			frontier: 0, done: "2-5", pending: 1,
		},
		{name: "a record delivered again is not counted twice", start: 0, steps: []step{deliver(0), deliver(0)}, frontier: 0, pending: 1},
		{name: "finishing twice changes nothing", start: 0, steps: []step{deliver(0), deliver(1), finish(1), finish(1)}, frontier: 0, done: "1", pending: 1},
		{name: "finishing what was never delivered changes nothing", start: 0, steps: []step{deliver(0), deliver(3), finish(2), finish(9)}, frontier: 0, pending: 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := progress.New(test.start, progress.DoneSet{}, false)
			for _, s := range test.steps {
				if s.deliver >= 0 {
					p.Deliver(&record.Record{Position: record.Position{Offset: s.deliver}, Value: make([]byte, 10)})
				} else {
					p.Finish(s.finish)
				}
			}
			if got := p.Frontier(); got != test.frontier {
				t.Errorf("frontier: got %d, want %d", got, test.frontier)
			}
			if got := p.Done().String(); got != test.done {
				t.Errorf("done set: got %q, want %q", got, test.done)
			}
			if records, bytes := p.Pending(); records != test.pending || bytes != int64(10*test.pending) {
				t.Errorf("pending: got %d records of %d bytes, want %d of %d", records, bytes, test.pending, 10*test.pending)
			}
		})
	}
}

func keyed(offset int64, key string) *record.Record {
	return &record.Record{Position: record.Position{Offset: offset}, Key: []byte(key), Value: []byte("v")}
}

// offsets of records, for comparison in one line.
func offsets(records []*record.Record) string {
	var set progress.DoneSet
	for _, r := range records {
		set.Add(r.Offset)
	}
	return set.String()
}

func TestParkedKeyHoldsNoOther(t *testing.T) {
	t.Parallel()
	p := progress.New(0, progress.DoneSet{}, false)
	began := time.Unix(0, 0)
	p.Deliver(keyed(0, "a"))
	p.Deliver(keyed(1, "b"))
	p.Deliver(keyed(2, "a"))
	p.Park(0, began.Add(time.Second), "first failure")
	p.Finish(1)
	p.Return(2, time.Unix(100, 0))
	if got := p.Fresh(); got != 0 {
		t.Fatalf("records that keep others waiting: got %d, want 0", got)
	}
	if got := p.Deliver(keyed(3, "b")); got != progress.Fresh {
		t.Errorf("record of another key: got %d, want it in flight", got)
	}
	if got := p.Deliver(keyed(4, "a")); got != progress.Behind {
		t.Errorf("record of the parked key: got %d, want it behind", got)
	}
	if early, _ := p.Ready(began, 10); len(early) != 0 {
		t.Errorf("ready before the time: got %s, want nothing", offsets(early))
	}
	due, ok := p.NextDue()
	if !ok || !due.Equal(began.Add(time.Second)) {
		t.Errorf("due: got %v %t, want in a second", due, ok)
	}
	ready, memos := p.Ready(due, 10)
	if got := offsets(ready); got != "0,2,4" || memos[0] != "first failure" || memos[1] != nil {
		t.Errorf("ready: got %s with %v, want 0,2,4 with what was left with 0", got, memos)
	}
	if got := p.Done().String(); got != "1-2" && got != "1" {
		t.Errorf("done set: got %s, want 1", got)
	}
}

func TestReturnedRecordWaitsForItsKey(t *testing.T) {
	t.Parallel()
	p := progress.New(0, progress.DoneSet{}, false)
	later := time.Unix(100, 0)
	records := []*record.Record{keyed(0, "a"), keyed(1, "a"), keyed(2, "b")}
	for _, r := range records {
		p.Deliver(r)
	}
	p.Side(records)
	p.Return(1, later)
	p.Return(2, later)
	if ready, _ := p.Ready(time.Unix(0, 0), 9); len(ready) != 0 {
		t.Errorf("ready: got %s, want nothing: one key is under way, of the other nothing says when", offsets(ready))
	}
	p.Finish(0)
	if ready, _ := p.Ready(time.Unix(0, 0), 9); offsets(ready) != "1" {
		t.Errorf("ready: got %s, want 1, whose key is free", offsets(ready))
	}
	if ready, _ := p.Ready(later, 9); offsets(ready) != "2" {
		t.Errorf("ready: got %s, want 2, whose time has come", offsets(ready))
	}
}

func TestTogetherIsOneKey(t *testing.T) {
	t.Parallel()
	p := progress.New(0, progress.DoneSet{}, true)
	p.Deliver(keyed(0, "a"))
	p.Park(0, time.Unix(9, 0), nil)
	if got := p.Deliver(keyed(1, "b")); got != progress.Behind {
		t.Errorf("record of another key: got %d, want it behind the parked one", got)
	}
	if ready, _ := p.Ready(time.Unix(9, 0), 1); offsets(ready) != "0" {
		t.Errorf("ready: got %s, want no more than asked for", offsets(ready))
	}
	if ready, _ := p.Ready(time.Unix(9, 0), 1); len(ready) != 0 {
		t.Errorf("ready while under way: got %s, want nothing", offsets(ready))
	}
}

func TestWaitingRecordHasMemoryOfItsOwn(t *testing.T) {
	t.Parallel()
	p := progress.New(0, progress.DoneSet{}, false)
	fetch := []byte("key value of a whole fetch")
	r := &record.Record{Key: fetch[:3], Value: fetch[4:9]}
	p.Deliver(r)
	p.Park(0, time.Unix(1, 0), nil)
	copy(fetch, "other bytes now")
	ready, _ := p.Ready(time.Unix(1, 0), 1)
	if got := string(ready[0].Key) + "=" + string(ready[0].Value); got != "key=value" {
		t.Errorf("parked record: got %s, want it untouched by the fetch's memory", got)
	}
}
