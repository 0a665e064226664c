package store_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/prantikov/millrace/store"
)

// newFileOutbox has both in one data directory, which can be copied while it is in use.
func newFileOutbox(t testing.TB) outbox {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	return outbox{data: data, place: filepath.Join(data, "store.db")}
}

// copyTo copies the data directory as a crash would leave it: the store with its log beside it, and the files.
func (o outbox) copyTo(t testing.TB) outbox {
	t.Helper()
	other := newFileOutbox(t)
	if err := os.CopyFS(other.data, os.DirFS(o.data)); err != nil {
		t.Fatal(err)
	}
	return other
}

// TestKillDuringCommitOfFiles copies the data directory in the middle of a commit, which is what a kill leaves, and delivers again there.
func TestKillDuringCommitOfFiles(t *testing.T) {
	t.Parallel()
	for _, known := range []bool{true, false} {
		for _, step := range []string{"registered", "synced", "recorded", "committed"} {
			t.Run(fmt.Sprintf("%s, files known: %t", step, known), func(t *testing.T) {
				t.Parallel()
				files := []string{"a.jsonl", "0/b.jsonl"}
				o := newFileOutbox(t)
				s, unit := o.open(t)
				if known {
					deliver(t, unit, "claim 1", orders(0, 0, 1), files...)
				}
				var killed []outbox
				s.OnReached(func(reached string) {
					if reached == step {
						killed = append(killed, o.copyTo(t))
					}
				})
				deliver(t, unit, "claim 1", orders(0, 0, 1, 2, 3), files...)
				if len(killed) == 0 {
					t.Fatalf("step %q was never reached", step)
				}
				for _, after := range killed {
					_, unit := after.open(t)
					deliver(t, unit, "claim 2", orders(0, 0, 1, 2, 3, 4), files...)
					for _, file := range files {
						if got, want := after.lines(t, file), linesOf(0, 1, 2, 3, 4); !slices.Equal(got, want) {
							t.Errorf("%s: got %q, want %q", file, got, want)
						}
					}
				}
			})
		}
	}
}

func TestFailedCommitTakesLinesBack(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		// prevent keeps the commit from succeeding, and allow lets the next one.
		prevent func(t *testing.T, o outbox, s *store.Store) (allow func())
	}{
		{"when the store is locked", func(t *testing.T, o outbox, s *store.Store) func() {
			var unlock func()
			s.OnReached(func(step string) {
				if step == "registered" {
					unlock = lockFile(t, o.place)
				}
			})
			return func() { unlock() }
		}},
		{"when the disk of the store is full", func(t *testing.T, _ outbox, s *store.Store) func() {
			s.OnReached(func(step string) {
				if step == "registered" {
					if err := s.LimitPages(t.Context(), 1); err != nil {
						t.Error(err)
					}
				}
			})
			return func() {
				if err := s.LimitPages(t.Context(), 1<<30); err != nil {
					t.Error(err)
				}
			}
		}},
		{"when the second file cannot be written", func(t *testing.T, o outbox, _ *store.Store) func() {
			if err := os.Mkdir(o.file("z.jsonl"), 0o700); err != nil {
				t.Fatal(err)
			}
			return func() {
				if err := os.Remove(o.file("z.jsonl")); err != nil {
					t.Error(err)
				}
			}
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			o := newFileOutbox(t)
			s, unit := o.open(t)
			deliver(t, unit, "claim", orders(0, 0), "a.jsonl")
			allow := test.prevent(t, o, s)
			records := orders(0, 1)
			work := begin(t, unit, "claim", records)
			appendLines(t, work, records, "a.jsonl", "z.jsonl")
			// A state so large that the store needs more room for it.
			store.States(work.Context(t.Context())).Put(store.State{Type: "order", ID: "large", Body: bytes.Repeat([]byte("x"), 1<<20)})
			if err := work.Commit(impatient(t)); !store.Unavailable(err) {
				t.Fatalf("commit: got %v, want it unavailable", err)
			}
			if got, want := o.lines(t, "a.jsonl"), linesOf(0); !slices.Equal(got, want) {
				t.Errorf("after the failure: got %q, want %q", got, want)
			}
			s.OnReached(nil)
			allow()
			deliver(t, unit, "claim", records, "a.jsonl", "z.jsonl")
			if got, want := o.lines(t, "a.jsonl"), linesOf(0, 1); !slices.Equal(got, want) {
				t.Errorf("afterwards: got %q, want %q", got, want)
			}
		})
	}
}

func TestCommitThatMayHaveHappenedIsDecidedBeforeBytesAreCut(t *testing.T) {
	t.Parallel()
	o := newFileOutbox(t)
	s, unit := o.open(t)
	deliver(t, unit, "claim", orders(0, 0), "a.jsonl")
	records := orders(0, 1)
	work := begin(t, unit, "claim", records)
	appendLines(t, work, records, "a.jsonl")
	mend, err := s.FailCommits(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := work.Commit(t.Context()); !store.Unavailable(err) {
		t.Fatalf("commit: got %v, want it unavailable", err)
	}
	if got, want := o.lines(t, "a.jsonl"), linesOf(0, 1); !slices.Equal(got, want) {
		t.Errorf("while it is not known: got %q, want %q", got, want)
	}
	unlock := lockFile(t, o.place)
	if _, err := unit.Begin(impatient(t), "claim", records); !store.Unavailable(err) {
		t.Errorf("begin: got %v, want it unavailable", err)
	}
	unlock()
	if err := mend(); err != nil {
		t.Fatal(err)
	}
	deliver(t, unit, "claim", records, "a.jsonl")
	if got, want := o.lines(t, "a.jsonl"), linesOf(0, 1); !slices.Equal(got, want) {
		t.Errorf("afterwards: got %q, want %q", got, want)
	}
}

func TestFilesOutliveTheStore(t *testing.T) {
	t.Parallel()
	o := newFileOutbox(t)
	s, unit := o.open(t)
	deliver(t, unit, "claim", orders(0, 0, 1), "a.jsonl", "b.jsonl")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(o.place); err != nil {
		t.Fatal(err)
	}
	_, unit = o.open(t)
	deliver(t, unit, "claim", orders(0, 2), "a.jsonl")
	if got, want := o.lines(t, "a.jsonl"), linesOf(0, 1, 2); !slices.Equal(got, want) {
		t.Errorf("appended to: got %q, want %q", got, want)
	}
	if got, want := o.lines(t, "b.jsonl"), linesOf(0, 1); !slices.Equal(got, want) {
		t.Errorf("left alone: got %q, want %q", got, want)
	}
}
