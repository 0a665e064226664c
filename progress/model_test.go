package progress_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/prantikov/millrace/progress"
	"github.com/prantikov/millrace/record"
)

// model is the naive form of one consumer with one partition, over lives that end by kill or by giving the partition back.
type model struct {
	together bool
	log      []*record.Record
	p        *progress.Partition
	now      time.Time

	// What the present life knows.
	start     int64
	read      int // index in log of the next record
	delivered []int64
	finished  map[int64]bool
	batches   []*batch
	// restored is what the last commit had of the lives before.
	restored map[int64]bool

	// The last commit.
	frontier  int64
	text      []byte
	committed map[int64]bool

	// effects has, by key, the offsets in the order in which they were finished, through all lives.
	effects map[string][]int64
	// clean is false once a life ended by a kill: then what was finished since the last commit may be finished again.
	clean bool
}

// batch is records that were handed over together; open has those that are not back.
type batch struct {
	records []*record.Record
	open    []*record.Record
}

func (m *model) key(r *record.Record) string {
	if m.together {
		return ""
	}
	return string(r.Key)
}

func (m *model) frontierOf() int64 {
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

func (m *model) check(t *rapid.T) {
	frontier := m.frontierOf()
	if got := m.p.Frontier(); got != frontier {
		t.Fatalf("frontier: got %d, want %d", got, frontier)
	}
	records, weight, flying := 0, int64(0), 0
	for _, r := range m.log {
		if slices.Contains(m.delivered, r.Offset) && !m.finished[r.Offset] {
			records++
			weight += int64(r.Size())
		}
	}
	if got, size := m.p.Pending(); got != records || size != weight {
		t.Fatalf("pending: got %d records of %d bytes, want %d of %d", got, size, records, weight)
	}
	for _, b := range m.batches {
		flying += len(b.open)
	}
	if got := m.p.InFlight(); got != flying {
		t.Fatalf("in flight: got %d, want %d", got, flying)
	}
	if oldest := m.p.Oldest(); (oldest == nil) != (records == 0) || (oldest != nil && oldest.Offset != frontier) {
		t.Fatalf("oldest: got %v, want the one at %d of %d", oldest, frontier, records)
	}
	done := m.p.Done()
	for _, r := range m.log {
		want := r.Offset >= frontier && (m.finished[r.Offset] || (m.restored[r.Offset] && r.Offset >= m.p.Next()))
		if got := done.Contains(r.Offset); got != want {
			t.Fatalf("done set %s of frontier %d has %d: got %t, want %t", done, frontier, r.Offset, got, want)
		}
	}
	if _, runs := m.p.Window(); runs != m.runs() {
		t.Fatalf("runs: got %d, want %d", runs, m.runs())
	}
}

// runs counts the runs of finished records behind the frontier.
func (m *model) runs() int {
	count, before := 0, false
	for _, offset := range m.delivered {
		finished := m.finished[offset]
		if offset > m.frontierOf() && finished && !before {
			count++
		}
		before = finished
	}
	return count
}

// take hands over what waits and, where nothing unknown is in flight, what is next in the log.
func (m *model) take(t *rapid.T, most int) {
	ready, _ := m.p.Ready(m.now, most)
	b := &batch{records: ready}
	for room := most - len(ready); room > 0 && m.read < len(m.log); room-- {
		if m.p.Fresh() > 0 && len(b.records) == len(ready) {
			break
		}
		r := m.log[m.read]
		m.read++
		m.delivered = append(m.delivered, r.Offset)
		got := m.p.Deliver(r)
		if m.restored[r.Offset] != (got == progress.Known) {
			t.Fatalf("deliver %d: got %d, want it known: %t", r.Offset, got, m.restored[r.Offset])
		}
		switch got {
		case progress.Known:
			m.finished[r.Offset] = true
		case progress.Fresh:
			b.records = append(b.records, r)
		case progress.Behind:
		}
	}
	if len(b.records) == 0 {
		return
	}
	slices.SortFunc(b.records, func(x, y *record.Record) int { return int(x.Offset - y.Offset) })
	m.checkBatch(t, b)
	b.open = slices.Clone(b.records)
	m.batches = append(m.batches, b)
}

// checkBatch wants no key in two batches, and each key's records from its first unfinished one on.
func (m *model) checkBatch(t *rapid.T, b *batch) {
	for _, r := range b.records {
		for _, other := range m.batches {
			if slices.ContainsFunc(other.open, func(o *record.Record) bool { return m.key(o) == m.key(r) }) {
				t.Fatalf("key %q of %d is in two batches", m.key(r), r.Offset)
			}
		}
		for _, earlier := range m.log {
			if earlier.Offset >= r.Offset || m.key(earlier) != m.key(r) || m.finished[earlier.Offset] || earlier.Offset < m.start {
				continue
			}
			if !slices.ContainsFunc(b.records, func(o *record.Record) bool { return o.Offset == earlier.Offset }) && !m.restored[earlier.Offset] {
				t.Fatalf("%d of key %q is handed over before %d", r.Offset, m.key(r), earlier.Offset)
			}
		}
	}
}

// next draws a batch and one of its keys, and returns the key's open records; nothing when nothing is in flight.
func (m *model) next(t *rapid.T) (*batch, []*record.Record) {
	var open []*batch
	for _, b := range m.batches {
		if len(b.open) > 0 {
			open = append(open, b)
		}
	}
	if len(open) == 0 {
		return nil, nil
	}
	b := rapid.SampledFrom(open).Draw(t, "batch")
	key := m.key(rapid.SampledFrom(b.open).Draw(t, "record"))
	var ofKey []*record.Record
	for _, r := range b.open {
		if m.key(r) == key {
			ofKey = append(ofKey, r)
		}
	}
	return b, ofKey
}

func (b *batch) back(r *record.Record) {
	b.open = slices.DeleteFunc(b.open, func(o *record.Record) bool { return o.Offset == r.Offset })
}

func (m *model) finish(t *rapid.T, b *batch, r *record.Record) {
	m.finished[r.Offset] = true
	b.back(r)
	key := m.key(r)
	m.effects[key] = append(m.effects[key], r.Offset)
	if !m.p.Finish(r.Offset) || m.p.Finish(r.Offset) {
		t.Fatalf("finish %d: want news once", r.Offset)
	}
}

func (m *model) commit(t *rapid.T) {
	text, err := m.p.Done().MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	m.frontier, m.text = m.p.Frontier(), text
	m.committed = maps.Clone(m.finished)
	maps.Copy(m.committed, m.restored)
}

// restart is the next life, from what was committed.
func (m *model) restart(t *rapid.T) {
	var done progress.DoneSet
	if err := done.UnmarshalText(m.text); err != nil {
		t.Fatal(err)
	}
	m.p = progress.New(m.frontier, done, m.together)
	m.start, m.delivered, m.batches = m.frontier, nil, nil
	m.finished, m.restored = map[int64]bool{}, maps.Clone(m.committed)
	for m.read = 0; m.read < len(m.log) && m.log[m.read].Offset < m.frontier; m.read++ {
		m.finished[m.log[m.read].Offset] = true
	}
}

// end finishes everything and wants every record of the log to have had its effect, in the order of its key.
func (m *model) end(t *rapid.T) {
	for rounds := 0; ; rounds++ {
		if waiting, _ := m.p.Pending(); waiting == 0 && m.read == len(m.log) {
			break
		}
		if rounds > 10*len(m.log)+10 {
			t.Fatalf("stuck with %d of %d read", m.read, len(m.log))
		}
		m.now = m.now.Add(time.Hour)
		m.take(t, 7)
		for _, b := range m.batches {
			for len(b.open) > 0 {
				m.finish(t, b, b.open[0])
			}
		}
		m.batches = nil
	}
	m.check(t)
	for _, r := range m.log {
		if !slices.Contains(m.effects[m.key(r)], r.Offset) {
			t.Fatalf("offset %d was lost", r.Offset)
		}
	}
	for key, effects := range m.effects {
		seen := map[int64]bool{}
		highest := int64(-1)
		for _, offset := range effects {
			if m.clean && seen[offset] {
				t.Fatalf("key %q: %d was finished twice without a kill: %v", key, offset, effects)
			}
			if !seen[offset] && offset < highest {
				t.Fatalf("key %q: %d came after %d: %v", key, offset, highest, effects)
			}
			seen[offset] = true
			highest = max(highest, offset)
		}
	}
}

func drawLog(t *rapid.T, start int64) []*record.Record {
	var log []*record.Record
	offset := start
	for range rapid.IntRange(1, 60).Draw(t, "records") {
		r := &record.Record{Position: record.Position{Offset: offset}, Value: bytes.Repeat([]byte("v"), int(offset%7))}
		if key := rapid.IntRange(0, 5).Draw(t, "key"); key > 0 {
			r.Key = fmt.Appendf(nil, "key-%d", key)
		}
		log = append(log, r)
		offset += rapid.SampledFrom([]int64{1, 1, 1, 1, 2, 3, 40}).Draw(t, "gap")
	}
	return log
}

// TestPartitionAgainstModel takes a log with holes, finishes, parks, sides, commits, gives the partition back and is killed in any order.
// After each step the partition says what the model says; no key is in two batches, each key's records are handed over in order, none is
// lost, and none is finished twice unless a kill explains it.
func TestPartitionAgainstModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		start := rapid.Int64Range(0, 1000).Draw(t, "start")
		m := &model{
			together: rapid.Bool().Draw(t, "together"), log: drawLog(t, start), now: time.Unix(0, 0), start: start, frontier: start,
			finished: map[int64]bool{}, restored: map[int64]bool{}, committed: map[int64]bool{}, effects: map[string][]int64{}, clean: true,
		}
		m.p = progress.New(start, progress.DoneSet{}, m.together)
		t.Repeat(map[string]func(*rapid.T){
			"":     m.check,
			"take": func(t *rapid.T) { m.take(t, rapid.IntRange(1, 9).Draw(t, "most")) },
			"resend": func(t *rapid.T) {
				if len(m.delivered) == 0 {
					return
				}
				offset := rapid.SampledFrom(m.delivered).Draw(t, "offset")
				if got := m.p.Deliver(&record.Record{Position: record.Position{Offset: offset}}); got != progress.Known {
					t.Fatalf("deliver %d again: got %d, want it known", offset, got)
				}
			},
			"finish": func(t *rapid.T) {
				if b, open := m.next(t); b != nil {
					m.finish(t, b, open[0])
				}
			},
			"park": func(t *rapid.T) {
				b, open := m.next(t)
				pause := time.Duration(rapid.IntRange(0, 50).Draw(t, "pause")) * time.Millisecond
				for i, r := range open {
					back := func() bool { return m.p.Park(r.Offset, m.now.Add(pause), nil) }
					if i > 0 {
						back = func() bool { return m.p.Return(r.Offset, m.now.Add(pause)) }
					}
					if !back() || back() {
						t.Fatalf("%d comes back: want it to be news once", r.Offset)
					}
					b.back(r)
				}
			},
			"side": func(t *rapid.T) {
				if b, _ := m.next(t); b != nil {
					m.p.Side(b.records)
				}
			},
			"tick":   func(*rapid.T) { m.now = m.now.Add(20 * time.Millisecond) },
			"commit": m.commit,
			"give back": func(t *rapid.T) {
				m.commit(t)
				m.restart(t)
			},
			"kill": func(t *rapid.T) {
				m.clean = false
				m.restart(t)
			},
		})
		m.end(t)
	})
}
