package store_test

import (
	"reflect"
	"slices"
	"testing"

	"github.com/prantikov/millrace/progress"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/store"
)

// holdBack handles all records but those with the given offsets, which stay unfinished.
func holdBack(t *testing.T, unit *store.UnitOfWork, claim string, records []*record.Record, held ...int64) {
	t.Helper()
	work := begin(t, unit, claim, records)
	handle(t, work, slices.DeleteFunc(slices.Clone(records), func(r *record.Record) bool { return slices.Contains(held, r.Offset) }))
	commit(t, work)
}

func TestApartIsWhereTheRowAndTheGroupAreNotAtTheSameOffset(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		// held of the records 0 to 9 are not finished.
		held []int64
		// gaps were recorded before.
		gaps []store.Gap
		// group is the group's position.
		group int64
		want  []store.Apart
	}{
		{name: "the same offset is not apart", group: 10},
		{name: "a row ahead misses nothing", group: 4, want: []store.Apart{{Row: 10, Group: 4}}},
		{name: "a row behind misses what the group passed", group: 25, want: []store.Apart{{Row: 10, Group: 25, Missing: []progress.Run{{From: 10, To: 25}}}}},
		{
			name: "what is finished above the row's frontier is not missed", held: []int64{3, 6}, group: 12,
			want: []store.Apart{{Row: 3, Group: 12, Missing: []progress.Run{{From: 3, To: 4}, {From: 6, To: 7}, {From: 10, To: 12}}}},
		},
		{
			name: "what is a gap already is not missed again", gaps: []store.Gap{gapOf("orders", 0, 10, 15), gapOf("orders", 1, 0, 50), gapOf("analytics", 0, 0, 50)},
			group: 20, want: []store.Apart{{Row: 10, Group: 20, Missing: []progress.Run{{From: 15, To: 20}}}},
		},
		{name: "a group that passed only what is finished misses one record", held: []int64{3}, group: 10, want: []store.Apart{{Row: 3, Group: 10, Missing: []progress.Run{{From: 3, To: 4}}}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := openStore(t, newPlace(t))
			holdBack(t, s.UnitOfWork("orders", store.Options{}), "first", orders(0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9), test.held...)
			for _, gap := range test.gaps {
				recordGap(t, s, gap)
			}
			// Partition 1 has no row, and what is known of other consumers and topics is theirs.
			holdBack(t, s.UnitOfWork("analytics", store.Options{}), "first", orders(0, 0, 1))
			got, err := s.Apart(t.Context(), "orders", topic, map[int32]int64{0: test.group, 1: 100})
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

// Ensure a consumer whose group was moved on by somebody else handles nothing below its position, repeats nothing that it had finished above,
// and that the gap is there when the row has passed it.
func TestGoOnMovesTheRowAndRecordsWhatItPasses(t *testing.T) {
	t.Parallel()
	s := openStore(t, newPlace(t))
	unit := s.UnitOfWork("orders", store.Options{})
	holdBack(t, unit, "ours", orders(0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9), 3, 6)
	gap := gapOf("orders", 0, 3, 4)
	for range 2 {
		if err := s.GoOn(t.Context(), "orders", topic, map[int32]int64{0: 5, 1: 40}, []store.Gap{gap}); err != nil {
			t.Fatal(err)
		}
	}
	wantGaps(t, s, store.GapFilter{}, gap)
	apart, err := s.Apart(t.Context(), "orders", topic, map[int32]int64{0: 5, 1: 40})
	if err != nil || len(apart) != 1 || apart[0].Row != 6 || len(apart[0].Missing) != 0 {
		t.Errorf("got %+v and %v, want the row at 6, the first record that nobody has finished", apart, err)
	}
	if got, want := run(t, unit, "ours again", orders(0, 5, 6, 7, 8, 9, 10)), []int64{6, 10}; !slices.Equal(got, want) {
		t.Errorf("handled %v, want %v: the others were finished before", got, want)
	}
}

func TestGoOnNeverMovesARowBack(t *testing.T) {
	t.Parallel()
	s := openStore(t, newPlace(t))
	unit := s.UnitOfWork("orders", store.Options{})
	run(t, unit, "ours", orders(0, 0, 1, 2, 3))
	if err := s.GoOn(t.Context(), "orders", topic, map[int32]int64{0: 1}, nil); err != nil {
		t.Fatal(err)
	}
	if got, want := run(t, unit, "ours again", orders(0, 1, 2, 3, 4)), []int64{4}; !slices.Equal(got, want) {
		t.Errorf("handled %v, want %v", got, want)
	}
}

// Ensure a unit of work that was begun before the group went on cannot bring its row back.
func TestGoOnRefusesAUnitOfWorkThatWasBegunBefore(t *testing.T) {
	t.Parallel()
	s := openStore(t, newPlace(t))
	unit := s.UnitOfWork("orders", store.Options{})
	run(t, unit, "ours", orders(0, 0, 1))
	late := orders(0, 2, 3)
	work := begin(t, unit, "ours", late)
	handle(t, work, late)
	if err := s.GoOn(t.Context(), "orders", topic, map[int32]int64{0: 20}, nil); err != nil {
		t.Fatal(err)
	}
	if err := work.Commit(t.Context()); !store.Unavailable(err) {
		t.Errorf("got %v of the late commit, want it refused", err)
	}
	apart, err := s.Apart(t.Context(), "orders", topic, map[int32]int64{0: 20})
	if err != nil || len(apart) != 0 {
		t.Errorf("got %+v and %v, want the row at 20", apart, err)
	}
}

func TestAStoreThatIsAwayIsUnavailable(t *testing.T) {
	t.Parallel()
	s := openStore(t, newPlace(t))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Apart(t.Context(), "orders", topic, map[int32]int64{0: 1}); !store.Unavailable(err) {
		t.Errorf("comparing: got %v, want an error that Unavailable knows", err)
	}
	if err := s.GoOn(t.Context(), "orders", topic, map[int32]int64{0: 1}, nil); !store.Unavailable(err) {
		t.Errorf("going on: got %v, want an error that Unavailable knows", err)
	}
}

// Ensure the progress of a consumer without a unit of work can go, and no other's with it.
func TestForgottenProgressIsGone(t *testing.T) {
	t.Parallel()
	s := openStore(t, newPlace(t))
	for _, consumer := range []string{"notification", "orders"} {
		holdBack(t, s.UnitOfWork(consumer, store.Options{}), "first", orders(0, 0, 1))
	}
	for range 2 {
		if err := s.ForgetProgress(t.Context(), "notification", topic); err != nil {
			t.Fatal(err)
		}
	}
	for consumer, want := range map[string]int{"notification": 0, "orders": 1} {
		if rows, err := s.Progress(t.Context(), consumer); err != nil || len(rows) != want {
			t.Errorf("%s: got %v, %v, want %d rows", consumer, rows, err, want)
		}
	}
}
