package store_test

import (
	"database/sql"
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/prantikov/millrace/store"
	"github.com/prantikov/millrace/store/storetest"
)

// openBy opens the store as a program of this name.
func openBy(t *testing.T, path, program string) (*store.Store, error) {
	t.Helper()
	s, err := store.Open(t.Context(), path, nil, store.By(program))
	if err == nil {
		t.Cleanup(func() { _ = s.Close() })
	}
	return s, err
}

// upgrade does to the store what a program with more migrations does.
func upgrade(t *testing.T, path, program string) {
	t.Helper()
	driver := "sqlite"
	if storetest.Postgres() {
		driver = "pgx"
	}
	db, err := sql.Open(driver, path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(t.Context(), "INSERT INTO schema_versions (version_id, is_applied) VALUES (9999, true)")
	_, noted := db.ExecContext(t.Context(), "INSERT INTO schema_programs (tables, version, program) VALUES ('schema_versions', 9999, $1)", program)
	if err := errors.Join(err, noted, db.Close()); err != nil {
		t.Fatal(err)
	}
}

// Ensure an older program refuses the store of a newer one, for writing and for reading, and says which one it needs.
func TestOlderProgramNamesTheOneThatItNeeds(t *testing.T) {
	t.Parallel()
	path := newPlace(t)
	s, err := openBy(t, path, "millrace v1.2.0")
	if err == nil {
		err = s.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	upgrade(t, path, "millrace v1.4.0")
	_, writes := openBy(t, path, "millrace v1.2.0")
	_, reads := store.OpenReader(t.Context(), path, store.By("millrace v1.2.0"))
	for what, err := range map[string]error{"writing": writes, "reading": reads} {
		if err == nil {
			t.Errorf("opened for %s: got no error, want one", what)
			continue
		}
		for _, word := range []string{"version 9999", "millrace v1.2.0 knows", "run millrace v1.4.0 or a later one", "docs/upgrading.md"} {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("opened for %s: got %q, want %q in it", what, err, word)
			}
		}
	}
}

// Ensure who brought the tables to a version stays its program, whoever opens the store after it.
func TestFirstProgramOfAVersionIsRemembered(t *testing.T) {
	t.Parallel()
	path := newPlace(t)
	for _, program := range []string{"", "millrace v1.2.0", "millrace v1.3.0", "millrace v1.1.0"} {
		s, err := openBy(t, path, program)
		if err == nil {
			err = s.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	s := openStore(t, path)
	var programs int
	var program string
	if err := s.DB().QueryRowContext(t.Context(), "SELECT count(*), max(program) FROM schema_programs").Scan(&programs, &program); err != nil {
		t.Fatal(err)
	}
	if programs != 1 || program != "millrace v1.2.0" {
		t.Errorf("got %d programs, %q, want millrace v1.2.0 alone: it was the first that said its name", programs, program)
	}
}

// Ensure the tables of a plugin have a program of their own.
func TestOlderPluginNamesTheProgramThatItNeeds(t *testing.T) {
	t.Parallel()
	first := fstest.MapFS{"00001_a.sql": {Data: []byte("-- +goose Up\nSELECT 1;\n")}}
	both := fstest.MapFS{"00001_a.sql": first["00001_a.sql"], "00002_b.sql": {Data: []byte("-- +goose Up\nSELECT 1;\n")}}
	path := newPlace(t)
	newer, err := openBy(t, path, "clinic v2 with millrace v1.2.0")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(newer.Migrate(t.Context(), "clinic-points", both), newer.Close()); err != nil {
		t.Fatal(err)
	}
	older, err := openBy(t, path, "clinic v1 with millrace v1.2.0")
	if err != nil {
		t.Fatal(err)
	}
	err = older.Migrate(t.Context(), "clinic-points", first)
	if err == nil || !strings.Contains(err.Error(), "run clinic v2 with millrace v1.2.0 or a later one") {
		t.Errorf("got %v, want the program that it needs", err)
	}
}
