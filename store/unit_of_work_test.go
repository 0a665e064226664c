package store_test

import (
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/store"
)

func TestCommitKeepsStatesCountsAndProgress(t *testing.T) {
	t.Parallel()
	path := newPlace(t)
	s := openStore(t, path)
	records := orders(3, 7, 8, 12)
	run(t, s.UnitOfWork("orders", store.Options{}), "claim 1", records)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	s = openStore(t, path)
	state, ok, err := s.Entity(t.Context(), "order", orderOf(3, 7))
	if err != nil || !ok {
		t.Fatalf("entity: got %t %v, want it", ok, err)
	}
	want := store.State{
		Type: "order", ID: orderOf(3, 7), Status: "shipped", Action: "shipped", Body: []byte("2"),
		Topic: topic, Partition: 3, Offset: 12, Timestamp: records[2].Timestamp, FirstSeen: records[0].Position,
	}
	if !reflect.DeepEqual(state, want) {
		t.Errorf("state: got %+v, want %+v", state, want)
	}
	if got := events(t, s); got != 3 {
		t.Errorf("events counted: got %d, want 3", got)
	}
	row := progressOf(t, s, "orders")
	if row.Frontier != 13 || !row.Done.Empty() || row.Epoch != 1 || row.Partition != 3 {
		t.Errorf("progress: got %+v, want frontier 13, nothing above it, epoch 1, partition 3", row)
	}
	counts, err := s.EntityCounts(t.Context())
	if err != nil || len(counts) != 1 || counts["order"] != 2 {
		t.Errorf("entities: got %v %v, want 2 orders", counts, err)
	}
}

func TestRollbackAndUnfinishedLeaveNothing(t *testing.T) {
	t.Parallel()
	s := openStore(t, newPlace(t))
	unit := s.UnitOfWork("orders", store.Options{})
	records := orders(0, 0, 1)
	work := begin(t, unit, "claim", records)
	handle(t, work, records)
	if err := work.Rollback(); err != nil {
		t.Fatal(err)
	}
	if got := events(t, s); got != 0 {
		t.Errorf("events counted: got %d, want 0", got)
	}
	if err := work.Commit(t.Context()); !errors.Is(err, store.ErrEnded) {
		t.Errorf("commit after rollback: got %v, want %v", err, store.ErrEnded)
	}
	work = begin(t, unit, "claim", records)
	work.Finish(records[0], record.Parked)
	work.Finish(records[1], record.Unfinished)
	commit(t, work)
	if got := run(t, unit, "claim", records); !slices.Equal(got, []int64{0, 1}) {
		t.Errorf("handled again: got %v, want [0 1]", got)
	}
}

func TestUndoDropsOneRecord(t *testing.T) {
	t.Parallel()
	s := openStore(t, newPlace(t))
	unit := s.UnitOfWork("orders", store.Options{})
	run(t, unit, "claim", orders(0, 0))
	records := orders(0, 5, 10, 15, 16) // the first three are of the order of offset 0
	work := begin(t, unit, "claim", records)
	for _, r := range records {
		work.Mark()
		if err := apply(work.Context(t.Context()), r); err != nil {
			t.Fatal(err)
		}
		if r.Offset == 10 || r.Offset == 16 {
			if err := work.Undo(); err != nil {
				t.Fatal(err)
			}
			work.Finish(r, record.DeadLettered)
			continue
		}
		work.Finish(r, record.Done)
	}
	commit(t, work)
	if got := seen(t, s, orderOf(0, 0)); got != 3 {
		t.Errorf("records of the order: got %d, want 3", got)
	}
	if got := seen(t, s, orderOf(0, 16)); got != 0 {
		t.Errorf("records of the undone order: got %d, want 0", got)
	}
	if got := events(t, s); got != 3 {
		t.Errorf("events counted: got %d, want 3", got)
	}
	if got := run(t, unit, "claim", records); got != nil {
		t.Errorf("handled again: got %v, want nothing", got)
	}
}

func TestFrontierOfTheRow(t *testing.T) {
	t.Parallel()
	type step struct {
		begin    []int64
		finish   []int64
		newClaim bool
	}
	tests := []struct {
		name     string
		steps    []step
		frontier int64
		done     string
	}{
		{"a batch of the log moves it", []step{{begin: []int64{4, 5}, finish: []int64{4, 5}}}, 6, ""},
		{"an unfinished record holds it", []step{{begin: []int64{4, 5, 6}, finish: []int64{5}}}, 4, "5"},
		{"a hole inside a batch is closed", []step{{begin: []int64{4, 9}, finish: []int64{4, 9}}}, 10, ""},
		{"the next batch closes a hole", []step{{begin: []int64{4}, finish: []int64{4}}, {begin: []int64{9, 10}, finish: []int64{10}}}, 9, "10"},
		{
			"a hole may hide a record while one before it waits",
			[]step{{begin: []int64{4}}, {begin: []int64{6, 8}, finish: []int64{6, 8}}}, 4, "6,8",
		},
		{
			"such a hole is closed once nothing waits",
			[]step{{begin: []int64{4}}, {begin: []int64{6, 8}, finish: []int64{6, 8}}, {begin: []int64{4}, finish: []int64{4}}, {begin: []int64{9}}},
			9, "",
		},
		{
			"a record that was hidden is not lost",
			[]step{{begin: []int64{4}}, {begin: []int64{6}, finish: []int64{6}}, {begin: []int64{4, 5}, finish: []int64{4}}}, 5, "6",
		},
		{
			"the rest of a batch comes again", []step{
				{begin: []int64{0, 1, 2, 3}, finish: []int64{0, 1}}, {begin: []int64{2, 3, 4}, finish: []int64{2, 3, 4}},
			}, 5, "",
		},
		{
			"a new claim begins where the log is read again",
			[]step{{begin: []int64{0, 1, 2}, finish: []int64{0, 2}}, {newClaim: true, begin: []int64{1, 2}, finish: []int64{1}}}, 3, "",
		},
		{"records without offsets are not entered", []step{{begin: []int64{-1}, finish: []int64{-1}}}, 0, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := openStore(t, newPlace(t))
			unit := s.UnitOfWork("orders", store.Options{})
			claim := "claim"
			for _, step := range test.steps {
				if step.newClaim {
					claim += "'"
				}
				records := orders(0, step.begin...)
				work := begin(t, unit, claim, records)
				for _, r := range records {
					if slices.Contains(step.finish, r.Offset) {
						work.Finish(r, record.Done)
					}
				}
				if err := store.Counters(work.Context(t.Context())).Add("2024-12-25", topic, "a", "b", 1); err != nil {
					t.Fatal(err) // each commit has something to write
				}
				commit(t, work)
			}
			row := progressOf(t, s, "orders")
			if row.Frontier != test.frontier || row.Done.String() != test.done {
				t.Errorf("row: got %d above it %q, want %d above it %q", row.Frontier, row.Done, test.frontier, test.done)
			}
		})
	}
}

func TestDoneSetOfAnySizeIsKept(t *testing.T) {
	t.Parallel()
	s := openStore(t, newPlace(t))
	var offsets []int64
	for offset := int64(1 << 50); len(offsets) < 5000; offset += 1000 {
		offsets = append(offsets, offset)
	}
	records := orders(0, offsets...)
	work := begin(t, s.UnitOfWork("orders", store.Options{}), "claim", records)
	for i, r := range records {
		if i%2 == 1 {
			work.Finish(r, record.Done)
		}
	}
	commit(t, work)
	again := begin(t, s.UnitOfWork("orders", store.Options{}), "claim 2", records)
	for i, r := range records {
		if got, want := again.Finished(r), i%2 == 1; got != want {
			t.Fatalf("record %d finished: got %t, want %t", i, got, want)
		}
	}
}

func TestOwnerIsFenced(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		// take is how another owner takes the partition.
		take func(t *testing.T, s *store.Store, unit *store.UnitOfWork)
	}{
		{"by a later claim of the same process", func(t *testing.T, _ *store.Store, unit *store.UnitOfWork) {
			begin(t, unit, "claim 2", orders(0, 0))
		}},
		{"by another member", func(t *testing.T, s *store.Store, _ *store.UnitOfWork) {
			begin(t, s.UnitOfWork("orders", store.Options{}), "claim 2", orders(0, 0))
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := openStore(t, newPlace(t))
			unit := s.UnitOfWork("orders", store.Options{})
			zombie := begin(t, unit, "claim 1", orders(0, 0))
			handle(t, zombie, orders(0, 0))
			test.take(t, s, unit)
			err := zombie.Commit(t.Context())
			if !errors.Is(err, store.ErrFenced) || store.Unavailable(err) {
				t.Errorf("commit: got %v, want %v, which is not unavailable", err, store.ErrFenced)
			}
			if _, err := unit.Begin(t.Context(), "claim 1", orders(0, 0)); !errors.Is(err, store.ErrFenced) {
				t.Errorf("begin under the old claim: got %v, want %v", err, store.ErrFenced)
			}
			if got := events(t, s); got != 0 {
				t.Errorf("events counted: got %d, want 0", got)
			}
			if got := progressOf(t, s, "orders").Epoch; got != 2 {
				t.Errorf("epoch: got %d, want 2", got)
			}
		})
	}
}

func TestFencedCommitRaisesAlarm(t *testing.T) {
	t.Parallel()
	for _, told := range []bool{true, false} {
		t.Run(fmt.Sprintf("somebody is told %t", told), func(t *testing.T) {
			t.Parallel()
			log := &strings.Builder{}
			s, err := store.Open(t.Context(), newPlace(t), slog.New(slog.NewTextHandler(log, nil)))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			var alarms, wantAlarms []bool
			options, wantLines := store.Options{}, 2
			if told {
				wantAlarms, wantLines = []bool{true, false}, 0
				options.Alarm = func(a store.Alarm) {
					if a.Kind != store.AlarmFenced || a.Consumer != "orders" || a.Topic != topic || a.Partition != 4 {
						t.Errorf("alarm: got %+v", a)
					}
					alarms = append(alarms, a.On)
				}
			}
			unit := s.UnitOfWork("orders", options)
			zombie := begin(t, unit, "claim 1", orders(4, 0))
			handle(t, zombie, orders(4, 0))
			begin(t, s.UnitOfWork("orders", store.Options{}), "other", orders(4, 0))
			if err := zombie.Commit(t.Context()); !errors.Is(err, store.ErrFenced) {
				t.Fatalf("commit: got %v, want %v", err, store.ErrFenced)
			}
			begin(t, unit, "claim 2", orders(4, 0))
			if !slices.Equal(alarms, wantAlarms) {
				t.Errorf("alarms: got %v, want %v", alarms, wantAlarms)
			}
			if got := strings.Count(log.String(), "level=ERROR"); got != wantLines {
				t.Errorf("error lines: got %d, want %d:\n%s", got, wantLines, log)
			}
		})
	}
}

func TestOvertakenUnitIsBegunAnew(t *testing.T) {
	t.Parallel()
	s := openStore(t, newPlace(t))
	unit := s.UnitOfWork("orders", store.Options{})
	records := orders(0, 0)
	first := begin(t, unit, "claim", records)
	handle(t, first, records)
	run(t, unit, "claim", records)
	if err := first.Commit(t.Context()); !store.Unavailable(err) {
		t.Errorf("commit: got %v, want it unavailable", err)
	}
	if got := run(t, unit, "claim", records); got != nil {
		t.Errorf("handled again: got %v, want nothing", got)
	}
	if got := events(t, s); got != 1 {
		t.Errorf("events counted: got %d, want 1", got)
	}
}

func TestStateThatAnotherPartitionChangedIsReadAnew(t *testing.T) {
	t.Parallel()
	s := openStore(t, newPlace(t))
	unit := s.UnitOfWork("orders", store.Options{})
	here, there := orders(0, 0), orders(1, 0)
	there[0].Key = here[0].Key
	slow := begin(t, unit, "claim", here)
	handle(t, slow, here)
	run(t, unit, "claim", there)
	if err := slow.Commit(t.Context()); !store.Unavailable(err) {
		t.Errorf("commit over a state that has changed: got %v, want it unavailable", err)
	}
	run(t, unit, "claim", here)
	if got := seen(t, s, string(here[0].Key)); got != 2 {
		t.Errorf("records of the order: got %d, want 2", got)
	}
}

func TestPutWithoutLook(t *testing.T) {
	t.Parallel()
	s := openStore(t, newPlace(t))
	unit := s.UnitOfWork("orders", store.Options{})
	for offset, body := range []string{"1", "2"} {
		records := orders(0, int64(offset))
		work := begin(t, unit, "claim", records)
		store.States(work.Context(t.Context())).Put(store.State{
			Type: "order", ID: "o", Body: []byte(body), Deleted: body == "2", Topic: topic, Offset: int64(offset),
		})
		work.Finish(records[0], record.Done)
		commit(t, work)
	}
	state, ok, err := s.Entity(t.Context(), "order", "o")
	if err != nil || !ok || string(state.Body) != "2" || !state.Deleted || state.FirstSeen != (record.Position{Topic: topic}) {
		t.Errorf("entity: got %+v %t %v, want the second, first seen at offset 0", state, ok, err)
	}
}

func TestBeginRefusesWrongRecords(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		records []*record.Record
	}{
		{"no record is refused", nil},
		{"two partitions are refused", append(orders(0, 1), orders(1, 2)...)},
		{"another order than the log's is refused", orders(0, 2, 1)},
		{"a record twice is refused", orders(0, 2, 2)},
	}
	unit := openStore(t, newPlace(t)).UnitOfWork("orders", store.Options{})
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := unit.Begin(t.Context(), "claim", test.records); err == nil || store.Unavailable(err) {
				t.Errorf("got %v, want an error that is not unavailable", err)
			}
		})
	}
}

func TestWithoutUnitOfWork(t *testing.T) {
	t.Parallel()
	if _, _, err := store.States(t.Context()).Get("order", "o"); !errors.Is(err, store.ErrNoUnitOfWork) {
		t.Errorf("get: got %v, want %v", err, store.ErrNoUnitOfWork)
	}
	if err := store.Lines(t.Context()).Append("f", nil); !errors.Is(err, store.ErrNoUnitOfWork) {
		t.Errorf("append: got %v, want %v", err, store.ErrNoUnitOfWork)
	}
	if _, err := store.Tx(t.Context()); !errors.Is(err, store.ErrNoUnitOfWork) {
		t.Errorf("transaction: got %v, want %v", err, store.ErrNoUnitOfWork)
	}
	if err := store.Counters(t.Context()).Add("", "", "", "", 1); !errors.Is(err, store.ErrNoUnitOfWork) {
		t.Errorf("add: got %v, want %v", err, store.ErrNoUnitOfWork)
	}
	defer func() {
		if recover() == nil {
			t.Error("put: got no panic, want one")
		}
	}()
	store.States(t.Context()).Put(store.State{})
}
