package store_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/prantikov/millrace/store"
)

var found = time.Date(2026, 5, 4, 3, 2, 1, 987_000_000, time.UTC)

func gapOf(consumer string, partition int32, from, to int64) store.Gap {
	return store.Gap{Consumer: consumer, Topic: topic, Partition: partition, From: from, To: to, Reason: "retention", At: found}
}

func recordGap(t *testing.T, s *store.Store, gap store.Gap) {
	t.Helper()
	if err := s.RecordGap(t.Context(), gap); err != nil {
		t.Fatal(err)
	}
}

func wantGaps(t *testing.T, s *store.Store, filter store.GapFilter, want ...store.Gap) {
	t.Helper()
	got, err := s.Gaps(t.Context(), filter)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("gaps of %+v: got %v, want %v", filter, got, want)
	}
}

func TestGapsAreKeptInTheOrderInWhichTheyWereFound(t *testing.T) {
	t.Parallel()
	path := newPlace(t)
	s := openStore(t, path)
	wantGaps(t, s, store.GapFilter{})
	first, second, backwards := gapOf("orders", 1, 10, 20), gapOf("analytics", 0, 5, 6), gapOf("orders", 0, 50, 0)
	second.At, backwards.At = found.Add(time.Millisecond), found.Add(time.Hour)
	for _, gap := range []store.Gap{backwards, first, second} {
		recordGap(t, s, gap)
	}
	wantGaps(t, s, store.GapFilter{}, first, second, backwards)
	wantGaps(t, s, store.GapFilter{Consumer: "orders"}, first, backwards)
	wantGaps(t, s, store.GapFilter{Consumer: "orders", Topic: "other"})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	reader, err := store.OpenReader(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	wantGaps(t, reader, store.GapFilter{}, first, second, backwards)
	if err := reader.RecordGap(t.Context(), first); !store.Unavailable(err) {
		t.Errorf("recording in a store that is open for reading: got %v, want an error that says it is not available", err)
	}
}

// Ensure a process that died between the row and the commit finds the gap again and leaves one row.
func TestGapThatIsFoundAgainIsOneRow(t *testing.T) {
	t.Parallel()
	s := openStore(t, newPlace(t))
	recordGap(t, s, gapOf("orders", 1, 10, 20))
	again := gapOf("orders", 1, 10, 25)
	again.At = found.Add(time.Minute)
	recordGap(t, s, again)
	wantGaps(t, s, store.GapFilter{}, again)
}

func TestGapIsNotRecordedWhileTheStoreIsAway(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	s := openStore(t, path)
	unlock := lockFile(t, path)
	if err := s.RecordGap(impatient(t), gapOf("orders", 1, 10, 20)); !store.Unavailable(err) {
		t.Errorf("got %v, want an error that says the store is not available", err)
	}
	unlock()
	wantGaps(t, s, store.GapFilter{})
}

func TestStoreFromBeforeGapsHasNone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "store.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	first, err := os.ReadFile(filepath.Join("migrations", "sqlite", "00001_first.sql"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), beforeDown(string(first))); err != nil {
		t.Fatal(err)
	}
	reader, err := store.OpenReader(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	wantGaps(t, reader, store.GapFilter{})
}

// beforeDown is the part of a migration that makes the tables.
func beforeDown(migration string) string {
	up, _, _ := strings.Cut(migration, "-- +goose Down")
	return up
}
