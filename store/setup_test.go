package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/store"
	"github.com/prantikov/millrace/store/storetest"
)

const topic = "order-events"

// newPlace is a place for a store of either database, newFile for one in a file.
func newPlace(t testing.TB) string {
	t.Helper()
	return storetest.Place(t, filepath.Join(t.TempDir(), "data"))
}

func newFile(t testing.TB) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "data", "store.db")
}

func openStore(t testing.TB, place string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), place, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// orders makes records of one partition, each keyed by its order.
func orders(partition int32, offsets ...int64) []*record.Record {
	records := make([]*record.Record, len(offsets))
	for i, offset := range offsets {
		records[i] = &record.Record{
			Position:  record.Position{Topic: topic, Partition: partition, Offset: offset},
			Timestamp: time.UnixMilli(1_700_000_000_000 + offset).UTC(),
			Key:       []byte(orderOf(partition, offset)),
		}
	}
	return records
}

// orderOf is one of a few orders, so that records share one.
func orderOf(partition int32, offset int64) string {
	return fmt.Sprintf("order-%d-%d", partition, offset%5)
}

// apply is a consumer's function: it keeps the order's state, in whose body it counts its records, and counts the event.
func apply(ctx context.Context, r *record.Record) error {
	states := store.States(ctx)
	state, ok, err := states.Get("order", string(r.Key))
	if err != nil {
		return err
	}
	seen := 0
	if ok {
		if seen, err = strconv.Atoi(string(state.Body)); err != nil {
			return err
		}
	}
	states.Put(store.State{
		Type: "order", ID: string(r.Key), Status: "shipped", Action: "shipped", Body: []byte(strconv.Itoa(seen + 1)),
		Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Timestamp: r.Timestamp,
	})
	return store.Counters(ctx).Add("2024-12-25", r.Topic, "shipped", "shipped", 1)
}

func begin(t testing.TB, unit *store.UnitOfWork, claim string, records []*record.Record) *store.Work {
	t.Helper()
	work, err := unit.Begin(t.Context(), claim, records)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = work.Rollback() })
	return work
}

// handle runs apply on the records that are not finished, and returns the offsets of those.
func handle(t testing.TB, work *store.Work, records []*record.Record) []int64 {
	t.Helper()
	var handled []int64
	for _, r := range records {
		if work.Finished(r) {
			continue
		}
		work.Mark()
		if err := apply(work.Context(t.Context()), r); err != nil {
			t.Fatal(err)
		}
		work.Finish(r, record.Done)
		handled = append(handled, r.Offset)
	}
	return handled
}

// run handles the records in a unit of work of their own.
func run(t testing.TB, unit *store.UnitOfWork, claim string, records []*record.Record) []int64 {
	t.Helper()
	work := begin(t, unit, claim, records)
	handled := handle(t, work, records)
	commit(t, work)
	return handled
}

func commit(t testing.TB, work *store.Work) {
	t.Helper()
	if err := work.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// events is how often the events of the topic were counted.
func events(t testing.TB, s *store.Store) int64 {
	t.Helper()
	counts, err := s.Counts(t.Context(), store.CountFilter{Topic: topic})
	if err != nil {
		t.Fatal(err)
	}
	total := int64(0)
	for _, count := range counts {
		total += count.N
	}
	return total
}

// seen is how many records of an order its state has counted.
func seen(t testing.TB, s *store.Store, id string) int {
	t.Helper()
	state, ok, err := s.Entity(t.Context(), "order", id)
	if err != nil {
		t.Fatal(err)
	}
	if !ok {
		return 0
	}
	count, err := strconv.Atoi(string(state.Body))
	if err != nil {
		t.Fatal(err)
	}
	return count
}

// progressOf is the one progress row of a consumer.
func progressOf(t testing.TB, s *store.Store, consumer string) store.Progress {
	t.Helper()
	rows, err := s.Progress(t.Context(), consumer)
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 1 {
		t.Fatalf("progress rows: got %d, want 1", len(rows))
	}
	return rows[0]
}

// lockFile holds the file's lock from another connection until the returned function is called.
func lockFile(t testing.TB, path string) (unlock func()) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	return func() {
		if _, err := db.ExecContext(t.Context(), "ROLLBACK"); err != nil {
			t.Error(err)
		}
	}
}

// impatient ends soon, so that a test of a locked file does not wait for as long as a consumer would.
func impatient(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}
