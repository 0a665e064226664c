package store_test

import (
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/prantikov/millrace/store"
	"github.com/prantikov/millrace/store/storetest"
)

// before is the migrations up to, and without, one, for this database.
type before struct {
	fs.FS
	name string
}

func (b before) Open(name string) (fs.File, error) { return b.FS.Open(name) }

// ReadDir leaves the later ones out.
func (b before) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(b.FS, name)
	var earlier []fs.DirEntry
	for _, entry := range entries {
		if entry.Name() < b.name {
			earlier = append(earlier, entry)
		}
	}
	return earlier, err
}

// openBefore makes a store as it was before a migration.
func openBefore(t *testing.T, place, migration string) *sql.DB {
	t.Helper()
	driver, folder, dialect := "sqlite", "sqlite", goose.DialectSQLite3
	if storetest.Postgres() {
		driver, folder, dialect = "pgx", "postgres", goose.DialectPostgres
	} else if err := os.MkdirAll(filepath.Dir(place), 0o700); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open(driver, place)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	files := before{os.DirFS(filepath.Join("migrations", folder)), migration}
	if migration == "00000" {
		return db
	}
	provider, err := goose.NewProvider(dialect, db, files, goose.WithTableName("schema_versions"), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	return db
}

// Ensure a store from before the journeys gets them from its histories, and keeps its counts.
func TestUpgradeMakesJourneysOfTheHistories(t *testing.T) {
	t.Parallel()
	place := newPlace(t)
	db := openBefore(t, place, "00008")
	execute := func(query string, arguments ...any) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), query, arguments...); err != nil {
			t.Fatal(err)
		}
	}
	change := func(kind, id string, revision int, action, status string, at time.Time) {
		t.Helper()
		execute(`INSERT INTO entity_history VALUES ($1, $2, $3, $4, $5, $6, '{}', 'topic', 0, $3, $7)`, id, kind, revision, status, action, action == "deleted", at.UnixMilli())
	}
	change("AppointmentEvent", "a", 1, "created", "scheduled", minute(1))
	change("AppointmentEvent", "a", 2, "updated", "confirmed", minute(2))
	change("AppointmentEvent", "a", 3, "updated", "confirmed", minute(3)) // the status of the one before: it named none
	change("AppointmentEvent", "a", 4, "updated", "completed", minute(4))
	change("AppointmentEvent", "a", 5, "deleted", "completed", minute(5))
	change("PrescriptionEvent", "p", 7, "cancelled", "inactive", minute(2)) // its history begins in its middle
	change("PrescriptionEvent", "p", 8, "updated", "active", minute(3))
	change("OrderEvent", "o", 1, "shipped", "shipped", minute(3))
	change("OrderEvent", "o", 2, "delivered", "delivered", minute(4))
	change("OrderEvent", "gone", 1, "deleted", "", minute(6))
	change("HealthRecordEvent", "h", 1, "created", "", minute(1))
	// One from before there were histories.
	execute(`INSERT INTO entities VALUES ('old', 'AppointmentEvent', 'scheduled', 'created', $1, '{}', 'topic', 0, 0, $2, 'topic', 0, 0, 1)`, false, minute(0).UnixMilli())
	execute(`INSERT INTO event_counts VALUES ('2024-12-25', $1, 'created', 'pending', 7)`, topic)

	s := openStore(t, place)
	later := func(text string, at time.Time) store.Word { return store.Word{Text: text, Weight: at.UnixMilli()} }
	final := func(text string, at time.Time) store.Word {
		return store.Word{Text: text, Weight: 1<<62 - at.UnixMilli()}
	}
	want := map[string][]store.Journey{
		"AppointmentEvent": {
			{ID: "a", Status: final("completed", minute(4)), Seen: minute(1), Created: minute(1), Confirmed: minute(2), Completed: minute(4), Deleted: minute(5)},
			{ID: "old", Status: later("scheduled", minute(0)), Seen: minute(0), Created: minute(0)},
		},
		"PrescriptionEvent": {{ID: "p", Status: later("active", minute(3)), Seen: minute(2), Cancelled: minute(2)}},
		"OrderEvent": {
			{ID: "gone", Seen: minute(6), Deleted: minute(6)},
			{ID: "o", Status: final("delivered", minute(4)), Seen: minute(3), Shipped: minute(3), Completed: minute(4)},
		},
		"HealthRecordEvent": nil,
	}
	for kind, expected := range want {
		for i := range expected {
			expected[i].Type = kind
		}
		if got := journeys(t, s, store.JourneyFilter{Type: kind}); !reflect.DeepEqual(got, expected) {
			t.Errorf("%s: got\n%+v\nwant\n%+v", kind, got, expected)
		}
	}
	if got := events(t, s); got != 7 {
		t.Errorf("events that were counted: got %d, want 7", got)
	}
}

// Ensure a store that no newer program has opened yet can be read.
func TestStoreFromBeforeJourneysHasNone(t *testing.T) {
	t.Parallel()
	place := newPlace(t)
	openBefore(t, place, "00008")
	reader, err := store.OpenReader(t.Context(), place)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if got := journeys(t, reader, store.JourneyFilter{Type: "OrderEvent"}); len(got) != 0 {
		t.Errorf("got %d journeys, want none", len(got))
	}
	if counts, err := reader.CountsOf(t.Context(), "doctor", store.CountFilter{}); err != nil || len(counts) != 0 {
		t.Errorf("got counts %v %v, want none", counts, err)
	}
}

// Ensure a store that somebody is making at this moment is none yet.
func TestStoreWithoutTablesIsNoneYet(t *testing.T) {
	t.Parallel()
	place := newPlace(t)
	db := openBefore(t, place, "00000")
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE other (other INTEGER)"); err != nil {
		t.Fatal(err)
	}
	if _, err := store.OpenReader(t.Context(), place); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want one that says there is none yet", err)
	}
}
