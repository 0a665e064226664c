package progress_test

import (
	"maps"
	"testing"

	"pgregory.net/rapid"

	"github.com/prantikov/millrace/progress"
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
			p := progress.New(test.start, progress.DoneSet{})
			for _, s := range test.steps {
				if s.deliver >= 0 {
					p.Deliver(s.deliver, 10)
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

// model is the naive form: what was delivered in this life in order, and what is finished.
type model struct {
	log       []int64
	read      int // index in log of the next record
	start     int64
	delivered []int64
	finished  map[int64]bool
	// restored is what the last commit had of the lives before.
	restored map[int64]bool
}

func (m *model) frontier() int64 {
	for _, offset := range m.delivered {
		if !m.finished[offset] {
			return offset
		}
	}
	if len(m.delivered) > 0 {
		return m.delivered[len(m.delivered)-1] + 1
	}
	return m.start
}

func (m *model) unfinished() []int64 {
	var offsets []int64
	for _, offset := range m.delivered {
		if !m.finished[offset] {
			offsets = append(offsets, offset)
		}
	}
	return offsets
}

func (m *model) check(t *rapid.T, p *progress.Partition) {
	frontier := m.frontier()
	if got := p.Frontier(); got != frontier {
		t.Fatalf("frontier: got %d, want %d", got, frontier)
	}
	unfinished := m.unfinished()
	records, bytes := p.Pending()
	if records != len(unfinished) || bytes != weight(unfinished) {
		t.Fatalf("pending: got %d records of %d bytes, want %d of %d", records, bytes, len(unfinished), weight(unfinished))
	}
	oldest, ok := p.Oldest()
	if ok != (len(unfinished) > 0) || (ok && oldest != unfinished[0]) {
		t.Fatalf("oldest: got %d %t, want the first of %v", oldest, ok, unfinished)
	}
	done := p.Done()
	for _, offset := range m.log {
		want := offset >= frontier && (m.finished[offset] || (m.restored[offset] && offset >= p.Next()))
		if got := done.Contains(offset); got != want {
			t.Fatalf("done set %s of frontier %d has %d: got %t, want %t", done, frontier, offset, got, want)
		}
	}
}

func size(offset int64) int { return int(offset%7) + 1 }

func weight(offsets []int64) int64 {
	total := int64(0)
	for _, offset := range offsets {
		total += int64(size(offset))
	}
	return total
}

// TestPartitionAgainstModel delivers a log with holes, finishes in any order, commits and is killed at any time. After each step the
// partition says what the model says; in the end every record of the log is finished, and none was handled again after a commit had it.
func TestPartitionAgainstModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		start := rapid.Int64Range(0, 1000).Draw(t, "start")
		m := &model{start: start, finished: map[int64]bool{}, restored: map[int64]bool{}}
		for offset, gaps := start, rapid.SliceOfN(rapid.SampledFrom([]int64{1, 1, 1, 1, 2, 3, 40}), 1, 60).Draw(t, "gaps"); len(gaps) > 0; gaps = gaps[1:] {
			m.log = append(m.log, offset)
			offset += gaps[0]
		}
		p := progress.New(start, progress.DoneSet{})
		committed := map[int64]bool{} // what is finished as of the last commit
		frontier, text := start, []byte(nil)

		deliverNext := func(t *rapid.T) {
			if m.read == len(m.log) {
				return
			}
			offset := m.log[m.read]
			m.read++
			m.delivered = append(m.delivered, offset)
			wanted := !m.restored[offset]
			if !wanted {
				m.finished[offset] = true
			}
			if got := p.Deliver(offset, size(offset)); got != wanted {
				t.Fatalf("deliver %d: got %t, want %t", offset, got, wanted)
			}
		}
		commit := func(t *rapid.T) {
			set, err := p.Done().MarshalText()
			if err != nil {
				t.Fatal(err)
			}
			frontier, text = p.Frontier(), set
			committed = maps.Clone(m.finished)
			maps.Copy(committed, m.restored)
		}
		t.Repeat(map[string]func(*rapid.T){
			"":        func(t *rapid.T) { m.check(t, p) },
			"deliver": deliverNext,
			"resend": func(t *rapid.T) {
				if len(m.delivered) == 0 {
					t.Skip("nothing delivered")
				}
				if offset := rapid.SampledFrom(m.delivered).Draw(t, "offset"); p.Deliver(offset, 1) {
					t.Fatalf("deliver %d again: got true, want false", offset)
				}
			},
			"finish": func(t *rapid.T) {
				unfinished := m.unfinished()
				if len(unfinished) == 0 {
					t.Skip("nothing pending")
				}
				offset := rapid.SampledFrom(unfinished).Draw(t, "offset")
				m.finished[offset] = true
				if !p.Finish(offset) || p.Finish(offset) {
					t.Fatalf("finish %d: want news once", offset)
				}
			},
			"commit": commit,
			"kill": func(t *rapid.T) {
				var done progress.DoneSet
				if err := done.UnmarshalText(text); err != nil {
					t.Fatal(err)
				}
				p = progress.New(frontier, done)
				m.start, m.delivered, m.finished, m.restored = frontier, nil, map[int64]bool{}, maps.Clone(committed)
				for m.read = 0; m.read < len(m.log) && m.log[m.read] < frontier; m.read++ {
					m.finished[m.log[m.read]] = true
				}
			},
		})
		for m.read < len(m.log) {
			deliverNext(t)
		}
		for _, offset := range m.unfinished() {
			m.finished[offset] = true
			p.Finish(offset)
		}
		for _, offset := range m.log {
			if !m.finished[offset] {
				t.Fatalf("offset %d was lost", offset)
			}
		}
		m.check(t, p)
	})
}
