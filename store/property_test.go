package store_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/store"
	"github.com/prantikov/millrace/store/storetest"
)

// TestEachEffectExactlyOnce delivers a log with holes as a subscriber may: in batches of any size, with records that are parked and hold
// back those of their key, again from below what is finished after each new claim. Commits are left out, refused or followed by a kill
// at any time. In the end every record's effects are there once, in the order of its key.
func TestEachEffectExactlyOnce(t *testing.T) {
	t.Parallel()
	for _, files := range []bool{false, true} {
		t.Run(map[bool]string{false: "in tables", true: "in files"}[files], func(t *testing.T) {
			t.Parallel()
			checkExactlyOnce(t, files)
		})
	}
}

func checkExactlyOnce(t *testing.T, files bool) {
	directory := t.TempDir()
	run := 0
	rapid.Check(t, func(r *rapid.T) {
		run++
		own := filepath.Join(directory, strconv.Itoa(run))
		m := newMachine(r, own, storetest.Place(t, own), files)
		defer m.kill()
		r.Repeat(map[string]func(*rapid.T){
			"deliver": func(t *rapid.T) {
				m.deliver(t, rapid.IntRange(1, 6).Draw(t, "records"), rapid.IntRange(0, 9).Draw(t, "fails"))
			},
			"lose the work": func(t *rapid.T) { m.lose(t) },
			"retry":         func(*rapid.T) { clear(m.parked) },
			"read on":       func(t *rapid.T) { m.readOn(rapid.IntRange(1, 10).Draw(t, "records")) },
			"new claim":     func(t *rapid.T) { m.claimAgain(t) },
			"kill": func(t *rapid.T) {
				m.kill()
				m.open(t)
				m.claimAgain(t)
			},
		})
		m.finish(r)
	})
}

// machine is a subscriber with one partition and its consumer, which writes a state and a count, or a line, per record.
type machine struct {
	directory, place string
	files            bool
	log              []*record.Record
	store            *store.Store
	unit             *store.UnitOfWork
	claims           int
	// next is the index of the first record that this claim has not read yet; waiting are those that it has, and that are not finished.
	next    int
	waiting []*record.Record
	// parked has the keys of records that wait for their next try.
	parked map[string]bool
	// reported is what a commit has finished.
	reported map[int64]bool
}

func newMachine(t *rapid.T, directory, place string, files bool) *machine {
	m := &machine{directory: directory, place: place, files: files, parked: map[string]bool{}, reported: map[int64]bool{}}
	offset := rapid.Int64Range(0, 5).Draw(t, "start")
	for _, gap := range rapid.SliceOfN(rapid.SampledFrom([]int64{1, 1, 1, 2, 4}), 1, 30).Draw(t, "gaps") {
		m.log = append(m.log, orders(0, offset)...)
		offset += gap
	}
	m.open(t)
	m.claimAgain(t)
	return m
}

func (m *machine) open(t *rapid.T) {
	opened, err := store.Open(context.Background(), m.place, nil)
	if err != nil {
		t.Fatal(err)
	}
	m.store = opened
	m.unit = opened.UnitOfWork("consumer", store.Options{})
	if m.files {
		m.unit = opened.FileUnitOfWork("consumer", m.directory, store.Options{})
	}
}

func (m *machine) kill() { _ = m.store.Close() }

// claimAgain reads again from somewhere at or below the lowest record that is not finished.
func (m *machine) claimAgain(t *rapid.T) {
	m.claims++
	lowest := slices.IndexFunc(m.log, func(r *record.Record) bool { return !m.reported[r.Offset] })
	if lowest < 0 {
		lowest = len(m.log) - 1
	}
	m.next = rapid.IntRange(0, lowest).Draw(t, "from")
	m.waiting = nil
	clear(m.parked)
}

func (m *machine) readOn(records int) {
	for ; records > 0 && m.next < len(m.log); records-- {
		m.waiting = append(m.waiting, m.log[m.next])
		m.next++
	}
}

// ready is the next batch: what waits and whose key is not parked, in the order of the log.
func (m *machine) ready(limit int) []*record.Record {
	var batch []*record.Record
	for _, r := range m.waiting {
		if !m.parked[string(r.Key)] && len(batch) < limit {
			batch = append(batch, r)
		}
	}
	return batch
}

func (m *machine) begin(t *rapid.T, batch []*record.Record) *store.Work {
	work, err := m.unit.Begin(context.Background(), fmt.Sprint("claim ", m.claims), batch)
	if err != nil {
		t.Fatal(err)
	}
	return work
}

// deliver handles a batch up to a record that fails, whose key is parked then.
func (m *machine) deliver(t *rapid.T, limit, fails int) {
	batch := m.ready(limit)
	if len(batch) == 0 {
		return
	}
	work := m.begin(t, batch)
	var finished []*record.Record
	for i, r := range batch {
		if work.Finished(r) {
			finished = append(finished, r)
			continue
		}
		m.handle(t, work, r)
		if i == fails {
			if err := work.Undo(); err != nil {
				t.Fatal(err)
			}
			m.parked[string(r.Key)] = true
			break
		}
		work.Finish(r, record.Done)
		finished = append(finished, r)
	}
	if err := work.Commit(context.Background()); err != nil {
		t.Fatal(err)
	}
	if rapid.IntRange(0, 3).Draw(t, "kill before the report") == 3 {
		m.kill()
		m.open(t)
		m.claimAgain(t)
		return
	}
	for _, r := range finished {
		m.reported[r.Offset] = true
		m.waiting = slices.DeleteFunc(m.waiting, func(w *record.Record) bool { return w == r })
	}
}

// lose handles a batch and never commits it.
func (m *machine) lose(t *rapid.T) {
	batch := m.ready(5)
	if len(batch) == 0 {
		return
	}
	work := m.begin(t, batch)
	for _, r := range batch {
		if !work.Finished(r) {
			m.handle(t, work, r)
			work.Finish(r, record.Done)
		}
	}
	if err := work.Rollback(); err != nil {
		t.Fatal(err)
	}
}

// handle writes the record's offset into the state of its order and counts it, or into a file.
func (m *machine) handle(t *rapid.T, work *store.Work, r *record.Record) {
	work.Mark()
	ctx := work.Context(context.Background())
	if m.files {
		if err := store.Lines(ctx).Append("lines.jsonl", strconv.AppendInt(nil, r.Offset, 10)); err != nil {
			t.Fatal(err)
		}
		return
	}
	states := store.States(ctx)
	state, _, err := states.Get("order", string(r.Key))
	if err != nil {
		t.Fatal(err)
	}
	states.Put(store.State{
		Type: "order", ID: string(r.Key), Body: fmt.Appendf(slices.Clone(state.Body), "%d ", r.Offset),
		Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Timestamp: r.Timestamp,
	})
	if err := store.Counters(ctx).Add("2024-12-25", r.Topic, "shipped", "", 1); err != nil {
		t.Fatal(err)
	}
}

// finish lets everything through and looks at what is there.
func (m *machine) finish(t *rapid.T) {
	clear(m.parked)
	m.claimAgain(t)
	m.readOn(len(m.log))
	for len(m.waiting) > 0 {
		m.deliver(t, len(m.log), -1)
		m.readOn(len(m.log))
	}
	if m.files {
		m.checkLines(t)
	} else {
		m.checkTables(t)
	}
}

func (m *machine) checkTables(t *rapid.T) {
	want := map[string]string{}
	for _, r := range m.log {
		want[string(r.Key)] += fmt.Sprint(r.Offset, " ")
	}
	for id, offsets := range want {
		state, _, err := m.store.Entity(context.Background(), "order", id)
		if err != nil || string(state.Body) != offsets {
			t.Errorf("records of %s: got %q %v, want %q", id, state.Body, err, offsets)
		}
		changes, err := m.store.History(context.Background(), "order", id)
		told := ""
		for _, change := range changes {
			told += fmt.Sprint(change.Offset, " ")
		}
		if err != nil || told != offsets {
			t.Errorf("history of %s: got %q %v, want %q", id, told, err, offsets)
		}
	}
	counts, err := m.store.Counts(context.Background(), store.CountFilter{})
	if err != nil || len(counts) != 1 || counts[0].N != int64(len(m.log)) {
		t.Errorf("counts: got %v %v, want %d", counts, err, len(m.log))
	}
}

func (m *machine) checkLines(t *rapid.T) {
	content, err := os.ReadFile(filepath.Join(m.directory, "lines.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Fields(string(content))
	byKey := map[string]int64{}
	for _, line := range got {
		offset, err := strconv.ParseInt(line, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		if last, ok := byKey[orderOf(0, offset)]; ok && last >= offset {
			t.Errorf("lines %v: %d comes after %d of its key", got, offset, last)
		}
		byKey[orderOf(0, offset)] = offset
	}
	if len(got) != len(m.log) {
		t.Errorf("lines: got %v, want one of each of %d records", got, len(m.log))
	}
}
