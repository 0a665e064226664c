package store_test

import (
	"testing"

	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/store"
)

func TestTransactionThatTheDatabaseEndsIsLostWhole(t *testing.T) {
	t.Parallel()
	s := openStore(t, newFile(t))
	migrate(t, s)
	unit := s.UnitOfWork("loyalty", store.Options{})
	records := orders(0, 0, 1)
	work := begin(t, unit, "claim", records)
	ctx := work.Context(t.Context())
	work.Mark()
	if err := award(ctx, "first", 1); err != nil {
		t.Fatal(err)
	}
	work.Finish(records[0], record.Done)
	work.Mark()
	tx, err := store.Tx(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(ctx, "INSERT OR ROLLBACK INTO loyalty_points VALUES ('first', 1)"); !store.Unavailable(err) {
		t.Errorf("statement that ends the transaction: got %v, want it unavailable", err)
	}
	if err := award(ctx, "outside", 1); !store.Unavailable(err) {
		t.Errorf("statement after it: got %v, want it unavailable", err)
	}
	if err := work.Undo(); !store.Unavailable(err) {
		t.Errorf("undo: got %v, want it unavailable", err)
	}
	if err := work.Commit(t.Context()); !store.Unavailable(err) {
		t.Errorf("commit: got %v, want it unavailable", err)
	}
	if rows, _ := points(t, s); rows != 0 {
		t.Errorf("rows: got %d, want 0", rows)
	}
	if again := begin(t, unit, "claim", records); again.Finished(records[0]) {
		t.Error("first record: got finished, want it handled again")
	}
}
