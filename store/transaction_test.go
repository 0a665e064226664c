package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/store"
)

// loyalty are the migrations of a plugin.
var loyalty = fstest.MapFS{"00001_points.sql": {Data: []byte(`-- +goose Up
CREATE TABLE loyalty_points (event TEXT PRIMARY KEY, points INTEGER NOT NULL CHECK (points >= 0));
`)}}

func openWithPoints(t testing.TB) *store.Store {
	t.Helper()
	s := openStore(t, newPlace(t))
	migrate(t, s)
	return s
}

func migrate(t testing.TB, s *store.Store) {
	t.Helper()
	if err := s.Migrate(t.Context(), "loyalty", loyalty); err != nil {
		t.Fatal(err)
	}
}

func award(ctx context.Context, event string, points int) error {
	tx, err := store.Tx(ctx)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO loyalty_points (event, points) VALUES ($1, $2)", event, points)
	return err
}

func points(t testing.TB, s *store.Store) (rows, total int) {
	t.Helper()
	if err := s.DB().QueryRowContext(t.Context(), "SELECT count(*), coalesce(sum(points), 0) FROM loyalty_points").Scan(&rows, &total); err != nil {
		t.Fatal(err)
	}
	return rows, total
}

func TestTransactionIsCommittedWithTheProgress(t *testing.T) {
	t.Parallel()
	s := openWithPoints(t)
	unit := s.UnitOfWork("loyalty", store.Options{})
	records := orders(0, 0, 1, 2, 3)
	work := begin(t, unit, "claim", records)
	ctx := work.Context(t.Context())
	if work.Exclusive() {
		t.Error("before the first statement: got exclusive, want not")
	}
	for _, r := range records {
		work.Mark()
		if r.Offset != 2 { // one record without SQL between those that have some
			if err := award(ctx, r.String(), 10); err != nil {
				t.Fatal(err)
			}
		}
		if r.Offset == 1 {
			if err := work.Undo(); err != nil {
				t.Fatal(err)
			}
		}
		work.Finish(r, record.Done)
	}
	if !work.Exclusive() {
		t.Error("after a statement: got not exclusive, want it")
	}
	if rows, _ := points(t, s); rows != 0 {
		t.Errorf("rows before the commit: got %d, want 0", rows)
	}
	commit(t, work)
	if rows, total := points(t, s); rows != 2 || total != 20 {
		t.Errorf("points: got %d in %d rows, want 20 in 2", total, rows)
	}
	if got := progressOf(t, s, "loyalty").Frontier; got != 4 {
		t.Errorf("frontier: got %d, want 4", got)
	}
}

func TestTransactionReadsWhatItWrote(t *testing.T) {
	t.Parallel()
	s := openWithPoints(t)
	work := begin(t, s.UnitOfWork("loyalty", store.Options{}), "claim", orders(0, 0))
	ctx := work.Context(t.Context())
	work.Mark()
	if err := award(ctx, "a", 5); err != nil {
		t.Fatal(err)
	}
	tx, err := store.Tx(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var got int
	if err := tx.QueryRowContext(ctx, "SELECT points FROM loyalty_points WHERE event = $1", "a").Scan(&got); err != nil || got != 5 {
		t.Errorf("row: got %d %v, want 5", got, err)
	}
	rows, err := tx.QueryContext(ctx, "SELECT event FROM loyalty_points")
	if err != nil {
		t.Fatal(err)
	}
	if !rows.Next() || rows.Err() != nil {
		t.Errorf("rows: got none (%v), want one", rows.Err())
	}
	commit(t, work) // rows that are left open do not hold it up
	if _, err := tx.ExecContext(ctx, "DELETE FROM loyalty_points"); !errors.Is(err, store.ErrEnded) {
		t.Errorf("after the commit: got %v, want %v", err, store.ErrEnded)
	}
	if err := tx.QueryRowContext(ctx, "SELECT 1").Scan(&got); err == nil {
		t.Error("query after the commit: got no error, want one")
	}
	run(t, s.UnitOfWork("orders", store.Options{}), "claim", orders(0, 0)) // the write connection is free again
}

func TestStatementThatFailsIsTheFunctionsOwn(t *testing.T) {
	t.Parallel()
	s := openWithPoints(t)
	work := begin(t, s.UnitOfWork("loyalty", store.Options{}), "claim", orders(0, 0))
	ctx := work.Context(t.Context())
	work.Mark()
	if err := award(ctx, "kept", 1); err != nil {
		t.Fatal(err)
	}
	work.Mark()
	if err := award(ctx, "refused", -1); err == nil || store.Unavailable(err) {
		t.Errorf("broken constraint: got %v, want an error that is not unavailable", err)
	}
	if err := work.Undo(); err != nil {
		t.Fatal(err)
	}
	commit(t, work)
	if rows, _ := points(t, s); rows != 1 {
		t.Errorf("rows: got %d, want 1", rows)
	}
}

func TestTransactionOfAFencedOwnerIsRolledBack(t *testing.T) {
	t.Parallel()
	s := openWithPoints(t)
	zombie := begin(t, s.UnitOfWork("loyalty", store.Options{}), "claim", orders(0, 0))
	begin(t, s.UnitOfWork("loyalty", store.Options{}), "another", orders(0, 0))
	zombie.Mark()
	if err := award(zombie.Context(t.Context()), "a", 1); err != nil {
		t.Fatal(err)
	}
	zombie.Finish(orders(0, 0)[0], record.Done)
	if err := zombie.Commit(t.Context()); !errors.Is(err, store.ErrFenced) {
		t.Errorf("commit: got %v, want %v", err, store.ErrFenced)
	}
	if rows, _ := points(t, s); rows != 0 {
		t.Errorf("rows: got %d, want 0", rows)
	}
}

func TestTransactionRefusesTheUnitsOwnStatements(t *testing.T) {
	t.Parallel()
	s := openWithPoints(t)
	work := begin(t, s.UnitOfWork("loyalty", store.Options{}), "claim", orders(0, 0))
	tx, err := store.Tx(work.Context(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	for _, query := range []string{"COMMIT", " rollback to effects", "\n;BEGIN", "Savepoint x", "pragma synchronous = off", "END;"} {
		if _, err := tx.ExecContext(t.Context(), query); err == nil || store.Unavailable(err) {
			t.Errorf("%q: got %v, want it refused", query, err)
		}
	}
}

func TestPluginReadsButDoesNotWriteOutside(t *testing.T) {
	t.Parallel()
	s := openWithPoints(t)
	if _, err := s.DB().ExecContext(t.Context(), "INSERT INTO loyalty_points VALUES ('a', 1)"); err == nil {
		t.Error("writing through DB: got no error, want one")
	}
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, plugin string
		files        fstest.MapFS
		wantErr      bool
	}{
		{"the same migrations again do nothing", "loyalty", loyalty, false},
		{"another plugin has versions of its own", "loyalty-two", fstest.MapFS{
			"00001_a.sql": {Data: []byte("-- +goose Up\nCREATE TABLE loyalty_two (a TEXT);\n")},
		}, false},
		{"a later migration is added", "loyalty", fstest.MapFS{
			"00001_points.sql": loyalty["00001_points.sql"],
			"00002_more.sql":   {Data: []byte("-- +goose Up\nALTER TABLE loyalty_points ADD COLUMN note TEXT;\n")},
		}, false},
		{"migrations older than the tables are refused", "newer", fstest.MapFS{
			"00001_a.sql": {Data: []byte("-- +goose Up\nSELECT 1;\n")},
		}, true},
		{"wrong SQL is an error", "wrong", fstest.MapFS{"00001_a.sql": {Data: []byte("-- +goose Up\nCREATE TABEL;\n")}}, true},
		{"a name that is no name is refused", "Robert'); --", loyalty, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := openWithPoints(t)
			if err := s.Migrate(t.Context(), "newer", fstest.MapFS{
				"00001_a.sql": {Data: []byte("-- +goose Up\nSELECT 1;\n")}, "00002_b.sql": {Data: []byte("-- +goose Up\nSELECT 1;\n")},
			}); err != nil {
				t.Fatal(err)
			}
			err := s.Migrate(t.Context(), test.plugin, test.files)
			if (err != nil) != test.wantErr || store.Unavailable(err) {
				t.Errorf("got %v, want an error: %t", err, test.wantErr)
			}
			run(t, s.UnitOfWork("orders", store.Options{}), "claim", orders(0, 0))
		})
	}
}

// Ensure a function that goes on after a statement that failed keeps what its others did: on both databases the same.
func TestStatementThatFailsTakesNothingWithIt(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		fail func(ctx context.Context, tx store.Transaction) error
	}{
		{"executed", func(ctx context.Context, tx store.Transaction) error {
			_, err := tx.ExecContext(ctx, "INSERT INTO loyalty_points (event, points) VALUES ('refused', -1)")
			return err
		}},
		{"queried", func(ctx context.Context, tx store.Transaction) error {
			rows, err := tx.QueryContext(ctx, "INSERT INTO loyalty_points (event, points) VALUES ('refused', -1) RETURNING points")
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				continue
			}
			return rows.Err()
		}},
		{"queried for a row", func(ctx context.Context, tx store.Transaction) error {
			var points int
			return tx.QueryRowContext(ctx, "INSERT INTO loyalty_points (event, points) VALUES ('refused', -1) RETURNING points").Scan(&points)
		}},
		{"misspelt", func(ctx context.Context, tx store.Transaction) error {
			_, err := tx.ExecContext(ctx, "INSERT INTO loyalty_points (evnt) VALUES ('refused')")
			return err
		}},
	}
	for _, test := range tests {
		for _, last := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, at the end: %t", test.name, last), func(t *testing.T) {
				t.Parallel()
				s := openWithPoints(t)
				work := begin(t, s.UnitOfWork("loyalty", store.Options{}), "claim", orders(0, 0))
				ctx := work.Context(t.Context())
				work.Mark()
				if err := award(ctx, "before", 1); err != nil {
					t.Fatal(err)
				}
				tx, err := store.Tx(ctx)
				if err != nil {
					t.Fatal(err)
				}
				if err := test.fail(ctx, tx); err == nil || store.Unavailable(err) {
					t.Errorf("got %v, want an error that is not unavailable", err)
				}
				want := 1
				if !last {
					want = 2
					if err := award(ctx, "after", 1); err != nil {
						t.Fatal(err)
					}
				}
				work.Finish(orders(0, 0)[0], record.Done)
				commit(t, work)
				if rows, _ := points(t, s); rows != want {
					t.Errorf("rows: got %d, want %d", rows, want)
				}
			})
		}
	}
}

func TestStatementBesideOpenRowsIsRefused(t *testing.T) {
	t.Parallel()
	s := openWithPoints(t)
	work := begin(t, s.UnitOfWork("loyalty", store.Options{}), "claim", orders(0, 0))
	ctx := work.Context(t.Context())
	for _, event := range []string{"a", "b"} {
		if err := award(ctx, event, 1); err != nil {
			t.Fatal(err)
		}
	}
	tx, err := store.Tx(ctx)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := tx.QueryContext(ctx, "SELECT event FROM loyalty_points")
	if err != nil {
		t.Fatal(err)
	}
	if !rows.Next() {
		t.Fatalf("rows: got none (%v), want two", rows.Err())
	}
	if err := award(ctx, "c", 1); err == nil || store.Unavailable(err) || !strings.Contains(err.Error(), "close them first") {
		t.Errorf("got %v, want it refused", err)
	}
	if err := rows.Close(); err != nil {
		t.Fatal(err)
	}
	if err := award(ctx, "c", 1); err != nil {
		t.Errorf("after the rows were closed: got %v, want no error", err)
	}
}

// Ensure a plugin can have migrations for each database.
func TestMigrationsOfEachDatabase(t *testing.T) {
	t.Parallel()
	s := openStore(t, newPlace(t))
	create := func(kind string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte("-- +goose Up\nCREATE TABLE loyalty_numbers (number " + kind + ", event TEXT);\n")}
	}
	err := s.Migrate(t.Context(), "loyalty", fstest.MapFS{
		"sqlite/00001_numbers.sql":   create("INTEGER PRIMARY KEY AUTOINCREMENT"),
		"postgres/00001_numbers.sql": create("BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"),
	})
	if err != nil {
		t.Fatal(err)
	}
	work := begin(t, s.UnitOfWork("loyalty", store.Options{}), "claim", orders(0, 0))
	tx, err := store.Tx(work.Context(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	var number int
	if err := tx.QueryRowContext(t.Context(), "INSERT INTO loyalty_numbers (event) VALUES ($1) RETURNING number", "a").Scan(&number); err != nil || number != 1 {
		t.Errorf("number: got %d %v, want 1", number, err)
	}
}
