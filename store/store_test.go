package store_test

import (
	"bytes"
	"errors"
	"os"
	"testing"

	"github.com/prantikov/millrace/store"
)

func TestClosedStoreIsUnavailable(t *testing.T) {
	t.Parallel()
	s := openStore(t, newPlace(t))
	unit := s.UnitOfWork("orders", store.Options{})
	work := begin(t, unit, "claim", orders(0, 0))
	handle(t, work, orders(0, 0))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := work.Commit(t.Context()); !store.Unavailable(err) {
		t.Errorf("commit: got %v, want it unavailable", err)
	}
}

func TestReaderBesideTheWriter(t *testing.T) {
	t.Parallel()
	path := newPlace(t)
	if _, err := store.OpenReader(t.Context(), path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no store yet: got %v, want %v", err, os.ErrNotExist)
	}
	s := openStore(t, path)
	run(t, s.UnitOfWork("orders", store.Options{}), "claim", orders(0, 0))
	reader, err := store.OpenReader(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = reader.Close() })
	if got := events(t, reader); got != 1 {
		t.Errorf("events: got %d, want 1", got)
	}
	if _, err := reader.UnitOfWork("orders", store.Options{}).Begin(t.Context(), "c", orders(0, 1)); !store.Unavailable(err) {
		t.Errorf("begin: got %v, want it unavailable", err)
	}
}

func TestBodyOfAnyBytesIsKept(t *testing.T) {
	t.Parallel()
	s := openStore(t, newPlace(t))
	body := []byte("\x00\x00\x00\x00\x07{\"name\":\"\xff\"}\x00")
	work := begin(t, s.UnitOfWork("orders", store.Options{}), "claim", orders(0, 0))
	store.States(work.Context(t.Context())).Put(store.State{Type: "order", ID: "o", Body: body})
	commit(t, work)
	if state, _, err := s.Entity(t.Context(), "order", "o"); err != nil || !bytes.Equal(state.Body, body) {
		t.Errorf("got %q %v, want %q", state.Body, err, body)
	}
}
