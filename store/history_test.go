package store_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/store"
)

// Ensure the history has every change of an entity as its record left it, also those that one unit of work made together.
func TestHistoryHasEveryChange(t *testing.T) {
	t.Parallel()
	s := openStore(t, newPlace(t))
	unit := s.UnitOfWork("orders", store.Options{})
	run(t, unit, "claim", orders(3, 0, 5, 10, 11)) // the first three are of one order
	run(t, unit, "claim", orders(3, 10, 11, 15))
	got, err := s.History(t.Context(), "order", orderOf(3, 0))
	if err != nil {
		t.Fatal(err)
	}
	var want []store.Change
	for i, r := range orders(3, 0, 5, 10, 15) {
		want = append(want, store.Change{Revision: int64(i + 1), State: store.State{
			Type: "order", ID: string(r.Key), Status: "shipped", Action: "shipped", Body: []byte{byte('1' + i)},
			Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Timestamp: r.Timestamp,
		}})
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if other, err := s.History(t.Context(), "order", "nobody"); err != nil || len(other) != 0 {
		t.Errorf("history of an entity that is not there: got %v %v, want none", other, err)
	}
}

// Ensure what a failing record put is not in the history.
func TestUndoneChangeIsNotInTheHistory(t *testing.T) {
	t.Parallel()
	s := openStore(t, newPlace(t))
	records := orders(0, 0, 5, 10)
	work := begin(t, s.UnitOfWork("orders", store.Options{}), "claim", records)
	for _, r := range records {
		work.Mark()
		if err := apply(work.Context(t.Context()), r); err != nil {
			t.Fatal(err)
		}
		if r.Offset == 5 {
			if err := work.Undo(); err != nil {
				t.Fatal(err)
			}
		}
		work.Finish(r, record.Done)
	}
	commit(t, work)
	got, err := s.History(t.Context(), "order", orderOf(0, 0))
	if err != nil || len(got) != 2 || got[0].Offset != 0 || got[1].Offset != 10 || string(got[1].Body) != "2" {
		t.Errorf("got %+v %v, want the changes of offsets 0 and 10", got, err)
	}
}

// Ensure an id that PostgreSQL cannot have as it is, is another one's in neither database.
func TestOddTextsAreKept(t *testing.T) {
	t.Parallel()
	s := openStore(t, newPlace(t))
	unit := s.UnitOfWork("orders", store.Options{})
	ids := []string{"a", "a\x00", "a\x1b", "a\x1b0", "\x00a", "ä\u2028", "a'; --"}
	var offset int64
	for range 2 {
		for _, id := range ids {
			records := orders(0, offset)
			records[0].Key = []byte(id)
			offset++
			run(t, unit, "claim", records)
		}
	}
	for _, id := range ids {
		if got := seen(t, s, id); got != 2 {
			t.Errorf("records of %q: got %d, want 2", id, got)
		}
		changes, err := s.History(t.Context(), "order", id)
		if err != nil || len(changes) != 2 || changes[1].ID != id {
			t.Errorf("history of %q: got %+v %v, want two changes", id, changes, err)
		}
	}
}

// Ensure times are kept to the millisecond, also those of long ago.
func TestTimesAreKept(t *testing.T) {
	t.Parallel()
	s := openStore(t, newPlace(t))
	at := time.UnixMilli(-62_135_596_800_000).UTC()
	records := orders(0, 0)
	work := begin(t, s.UnitOfWork("orders", store.Options{}), "claim", records)
	store.States(work.Context(t.Context())).Put(store.State{Type: "order", ID: "o", Timestamp: at, Deleted: true})
	work.Finish(records[0], record.Done)
	commit(t, work)
	state, ok, err := s.Entity(t.Context(), "order", "o")
	if err != nil || !ok || !state.Timestamp.Equal(at) || !state.Deleted || len(state.Body) != 0 {
		t.Errorf("got %+v %t %v, want it as it was put", state, ok, err)
	}
}
