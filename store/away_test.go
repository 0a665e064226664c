package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/store"
)

func TestOpenSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		// spoil makes a good store's file bad.
		spoil func(t *testing.T, path string)
		want  string
	}{
		{"a file of something else", func(t *testing.T, path string) {
			write(t, path, []byte(strings.Repeat("this is no database ", 500)))
		}, "damaged"},
		{"a damaged page", func(t *testing.T, path string) {
			content := read(t, path)
			for page := 4096; page < len(content); page += 4096 {
				for i := range 100 {
					content[page+i] ^= 0x5a
				}
			}
			write(t, path, content)
		}, "damaged"},
		{"a truncated file", func(t *testing.T, path string) {
			if err := os.Truncate(path, 5000); err != nil {
				t.Fatal(err)
			}
		}, "damaged"},
		{"a read-only file", func(t *testing.T, path string) {
			if err := os.Chmod(path, 0o400); err != nil {
				t.Fatal(err)
			}
		}, "read-only"},
		{"a folder in its place", func(t *testing.T, path string) {
			if err := errors.Join(os.Remove(path), os.Mkdir(path, 0o700)); err != nil {
				t.Fatal(err)
			}
		}, "directory"},
		{"tables of a newer program", func(t *testing.T, path string) {
			db, err := sql.Open("sqlite", path)
			if err != nil {
				t.Fatal(err)
			}
			_, err = db.ExecContext(t.Context(), "INSERT INTO schema_versions (version_id, is_applied) VALUES (9999, 1)")
			if err := errors.Join(err, db.Close()); err != nil {
				t.Fatal(err)
			}
		}, "newer program"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := newFile(t)
			s := openStore(t, path)
			run(t, s.UnitOfWork("orders", store.Options{}), "claim", orders(0, 0, 1, 2))
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			test.spoil(t, path)
			s, err := store.Open(t.Context(), path, nil)
			if err == nil {
				_ = s.Close()
				t.Fatalf("got no error, want one with %q", test.want)
			}
			if !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "store.db") {
				t.Errorf("got %q, want the path and %q in it", err, test.want)
			}
		})
	}
}

func TestFilesAreTheOwnersAlone(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	s := openStore(t, path)
	run(t, s.UnitOfWork("orders", store.Options{}), "claim", orders(0, 0))
	err := filepath.WalkDir(filepath.Dir(path), func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: got mode %o, want nothing for others", entry.Name(), info.Mode().Perm())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestLockedFileIsUnavailableAndNothingIsLost(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	s := openStore(t, path)
	unit := s.UnitOfWork("orders", store.Options{})
	run(t, unit, "claim", orders(0, 0))
	records := orders(0, 1, 2)
	work := begin(t, unit, "claim", records)
	handle(t, work, records)
	unlock := lockFile(t, path)

	if err := work.Commit(impatient(t)); !store.Unavailable(err) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("commit: got %v, want it unavailable", err)
	}
	if _, err := unit.Begin(impatient(t), "claim 2", records); !store.Unavailable(err) {
		t.Errorf("taking a partition: got %v, want it unavailable", err)
	}
	if err := award(begin(t, unit, "claim", records).Context(impatient(t)), "a", 1); !store.Unavailable(err) {
		t.Errorf("transaction: got %v, want it unavailable", err)
	}
	if got := events(t, s); got != 1 { // reading goes on
		t.Errorf("events while locked: got %d, want 1", got)
	}
	if _, err := store.Open(impatient(t), path, nil); !store.Unavailable(err) {
		t.Errorf("opening it once more: got %v, want it unavailable", err)
	}

	unlock()
	run(t, unit, "claim", records)
	if got := events(t, s); got != 3 {
		t.Errorf("events afterwards: got %d, want 3", got)
	}
}

func TestFullDiskIsUnavailableAndWorkGoesOn(t *testing.T) {
	t.Parallel()
	s := openStore(t, newFile(t))
	unit := s.UnitOfWork("orders", store.Options{})
	records := orders(0, 0)
	work := begin(t, unit, "claim", records)
	store.States(work.Context(t.Context())).Put(store.State{Type: "order", ID: "large", Body: bytes.Repeat([]byte("x"), 1<<20)})
	work.Finish(records[0], record.Done)
	if err := s.LimitPages(t.Context(), 1); err != nil { // the limit is never below what is there
		t.Fatal(err)
	}
	if err := work.Commit(t.Context()); !store.Unavailable(err) {
		t.Errorf("commit: got %v, want it unavailable", err)
	}
	if err := s.LimitPages(t.Context(), 1<<30); err != nil {
		t.Fatal(err)
	}
	if got := run(t, unit, "claim", records); !slices.Equal(got, []int64{0}) {
		t.Errorf("handled when there is space again: got %v, want [0]", got)
	}
	if got := events(t, s); got != 1 {
		t.Errorf("events: got %d, want 1", got)
	}
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func write(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestCloseLetsGoOfTheFile looks for the log beside the file, which the database removes when its last connection is closed.
func TestCloseLetsGoOfTheFile(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	s := openStore(t, path)
	migrate(t, s)
	run(t, s.UnitOfWork("orders", store.Options{}), "claim", orders(0, 0, 1))
	work := begin(t, s.UnitOfWork("loyalty", store.Options{}), "claim", orders(0, 0))
	if err := award(work.Context(t.Context()), "a", 1); err != nil {
		t.Fatal(err)
	}
	commit(t, work)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + "-wal"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("log of the file: got %v, want it gone", err)
	}
}
