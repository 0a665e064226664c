package store_test

import (
	"testing"

	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/store"
)

// foldAll hands records to a fold in one unit of work, in which those of these offsets fail.
func foldAll(t *testing.T, fold *store.Fold, records []*record.Record, failing ...int64) *store.FoldWork {
	t.Helper()
	work, err := fold.Begin(records)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		work.Mark()
		if err := apply(work.Context(t.Context()), r); err != nil {
			t.Fatal(err)
		}
		for _, offset := range failing {
			if r.Offset != offset {
				continue
			}
			if err := work.Undo(); err != nil {
				t.Fatal(err)
			}
		}
	}
	return work
}

// Ensure a fold tells the same changes as the tables have in their history, and comes to the same states.
func TestFoldIsWhatTheTablesAre(t *testing.T) {
	t.Parallel()
	s := openStore(t, newPlace(t))
	var told []store.Change
	fold := store.NewFold(func(c store.Change) { told = append(told, c) })
	for _, offsets := range [][]int64{{0, 5, 10, 11}, {12, 15, 21}} {
		run(t, s.UnitOfWork("orders", store.Options{}), "claim", orders(3, offsets...))
		if err := foldAll(t, fold, orders(3, offsets...)).Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	entities, changes := 0, 0
	for offset := range int64(5) {
		id := orderOf(3, offset)
		history, err := s.History(t.Context(), "order", id)
		if err != nil {
			t.Fatal(err)
		}
		var own []store.Change
		for _, change := range told {
			if change.ID == id {
				own = append(own, change)
			}
		}
		sameChanges(t, own, history)
		stored, ok, err := s.Latest(t.Context(), "order", id)
		folded, known := fold.Latest("order", id)
		if err != nil || ok != known {
			t.Fatalf("%s: got %t in the fold and %t %v in the tables", id, known, ok, err)
		}
		if ok {
			entities++
			sameChanges(t, []store.Change{folded}, []store.Change{stored})
		}
		changes += len(own)
	}
	if fold.Len() != entities || len(told) != changes {
		t.Errorf("got %d entities and %d changes, want %d and %d", fold.Len(), len(told), entities, changes)
	}
}

func sameChanges(t *testing.T, got, want []store.Change) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d changes, want %d", len(got), len(want))
	}
	for i := range got {
		if string(got[i].Body) != string(want[i].Body) || got[i].Offset != want[i].Offset || got[i].Partition != want[i].Partition || got[i].Revision != want[i].Revision || got[i].FirstSeen != want[i].FirstSeen {
			t.Errorf("got %+v, want %+v", got[i], want[i])
		}
	}
}

// Ensure a fold takes nothing of a record that failed, of a unit that was rolled back, and of one that another one has overtaken.
func TestFoldTakesWhatIsCommitted(t *testing.T) {
	t.Parallel()
	fold := store.NewFold(nil)
	records := orders(0, 0, 5)
	if err := foldAll(t, fold, records, 5).Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := foldAll(t, fold, orders(0, 10)).Rollback(); err != nil {
		t.Fatal(err)
	}
	slow, quick := foldAll(t, fold, orders(0, 15)), foldAll(t, fold, orders(1, 15))
	if err := quick.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := quick.Commit(t.Context()); err == nil {
		t.Error("got no error of a unit that has ended, want one")
	}
	overtaken := foldAll(t, fold, orders(0, 20))
	if err := slow.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := overtaken.Commit(t.Context()); !store.Unavailable(err) {
		t.Errorf("got %v, want it to be begun anew", err)
	}
	if last, ok := fold.Latest("order", orderOf(0, 0)); !ok || last.Offset != 15 || last.Revision != 2 {
		t.Errorf("got %+v, want the second change, of offset 15", last)
	}
}

// Ensure a fold has states alone.
func TestFoldHasNoTransactionAndNoFiles(t *testing.T) {
	t.Parallel()
	work, err := store.NewFold(nil).Begin(orders(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	ctx := work.Context(t.Context())
	if _, err := store.Tx(ctx); err == nil {
		t.Error("got a transaction, want none")
	}
	if err := store.Lines(ctx).Append("a.jsonl", []byte("line")); err == nil {
		t.Error("got a file, want none")
	}
}
