package store_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/prantikov/millrace/store"
)

// Ensure each process that shares a store has its own files, of which it cuts at its start what does not count, and leaves others' alone.
func TestInstancesHaveFilesOfTheirOwn(t *testing.T) {
	t.Parallel()
	place := newPlace(t)
	one, two := t.TempDir(), t.TempDir()
	s := openStore(t, place)
	first := s.FileUnitOfWork("outbox", filepath.Join(one, "outbox"), store.Options{Instance: "one"})
	second := s.FileUnitOfWork("outbox", filepath.Join(two, "outbox"), store.Options{Instance: "two"})
	deliver(t, first, "claim 1", orders(0, 0, 1), "a.jsonl")
	deliver(t, second, "claim 2", orders(0, 0, 1, 2), "a.jsonl") // the partition has changed hands
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	torn := filepath.Join(one, "outbox", "a.jsonl")
	write(t, torn, append(read(t, torn), `{"off`...))
	other := filepath.Join(two, "outbox", "a.jsonl")
	write(t, other, append(read(t, other), `{"off`...))

	s = openStore(t, place)
	if err := s.CutFiles(t.Context(), "one", one); err != nil {
		t.Fatal(err)
	}
	if got, want := (outbox{data: one}).lines(t, "a.jsonl"), linesOf(0, 1); !slices.Equal(got, want) {
		t.Errorf("files of the first: got %q, want %q", got, want)
	}
	if got, want := (outbox{data: two}).lines(t, "a.jsonl"), append(linesOf(2), `{"off`); !slices.Equal(got, want) {
		t.Errorf("files of the second, which has not started: got %q, want %q", got, want)
	}
	if err := os.Remove(torn); err != nil {
		t.Fatal(err)
	}
	if err := s.CutFiles(t.Context(), "one", one); err != nil {
		t.Errorf("a file that is gone: got %v, want no error", err)
	}
}
