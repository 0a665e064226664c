package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/store"
)

// outbox is a store and the folder of a consumer's files, both in one data directory that can be copied while it is in use.
type outbox struct{ data string }

func newOutbox(t testing.TB) outbox {
	t.Helper()
	return outbox{data: filepath.Join(t.TempDir(), "data")}
}

func (o outbox) path() string            { return filepath.Join(o.data, "store.db") }
func (o outbox) folder() string          { return filepath.Join(o.data, "outbox") }
func (o outbox) file(name string) string { return filepath.Join(o.folder(), filepath.FromSlash(name)) }
func (o outbox) lines(t testing.TB, name string) []string {
	t.Helper()
	content, err := os.ReadFile(o.file(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(content), "\n"), "\n")
}

func (o outbox) open(t testing.TB) (*store.Store, *store.UnitOfWork) {
	t.Helper()
	s := openStore(t, o.path())
	return s, s.FileUnitOfWork("outbox", o.folder(), store.Options{OpenFiles: 2})
}

// copyTo copies the data directory as a crash would leave it: the store with its log beside it, and the files.
func (o outbox) copyTo(t testing.TB) outbox {
	t.Helper()
	other := newOutbox(t)
	if err := os.CopyFS(other.data, os.DirFS(o.data)); err != nil {
		t.Fatal(err)
	}
	return other
}

// appendLines appends a line for each record that is not finished to the file of its partition's day.
func appendLines(t testing.TB, work *store.Work, records []*record.Record, files ...string) {
	t.Helper()
	for _, r := range records {
		if work.Finished(r) {
			continue
		}
		work.Mark()
		for _, file := range files {
			if err := store.Lines(work.Context(t.Context())).Append(file, fmt.Appendf(nil, `{"offset":%d}`, r.Offset)); err != nil {
				t.Fatal(err)
			}
		}
		work.Finish(r, record.Done)
	}
}

func linesOf(offsets ...int64) []string {
	var lines []string
	for _, offset := range offsets {
		lines = append(lines, fmt.Sprintf(`{"offset":%d}`, offset))
	}
	return lines
}

func deliver(t testing.TB, unit *store.UnitOfWork, claim string, records []*record.Record, files ...string) {
	t.Helper()
	work := begin(t, unit, claim, records)
	appendLines(t, work, records, files...)
	commit(t, work)
}

func TestLinesAreAppendedOnce(t *testing.T) {
	t.Parallel()
	o := newOutbox(t)
	s, unit := o.open(t)
	files := []string{"a.jsonl", "0/2024-12-25.jsonl", "1/2024-12-25.jsonl", "1/2024-12-26.jsonl"} // more than are kept open
	deliver(t, unit, "claim 1", orders(0, 0, 1), files...)
	deliver(t, unit, "claim 1", orders(0, 1, 2), files...)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, unit = o.open(t)
	deliver(t, unit, "claim 2", orders(0, 0, 1, 2, 3), files...)
	for _, file := range files {
		if got, want := o.lines(t, file), linesOf(0, 1, 2, 3); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", file, got, want)
		}
		info, err := os.Stat(o.file(file))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: got %v %v, want mode 600", file, info.Mode(), err)
		}
	}
	if info, err := os.Stat(filepath.Join(o.folder(), "1")); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("folder: got %v %v, want mode 700", info.Mode(), err)
	}
}

func TestUndoneLineIsNotAppended(t *testing.T) {
	t.Parallel()
	o := newOutbox(t)
	_, unit := o.open(t)
	records := orders(0, 0, 1, 2)
	work := begin(t, unit, "claim", records)
	for _, r := range records {
		appendLines(t, work, []*record.Record{r}, "a.jsonl")
		if r.Offset == 1 {
			if err := work.Undo(); err != nil {
				t.Fatal(err)
			}
		}
	}
	commit(t, work)
	if got, want := o.lines(t, "a.jsonl"), linesOf(0, 2); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestKillDuringCommitOfFiles copies the data directory in the middle of a commit, which is what a kill leaves, and delivers again there.
func TestKillDuringCommitOfFiles(t *testing.T) {
	t.Parallel()
	for _, known := range []bool{true, false} {
		for _, step := range []string{"registered", "synced", "recorded", "committed"} {
			t.Run(fmt.Sprintf("%s, files known: %t", step, known), func(t *testing.T) {
				t.Parallel()
				files := []string{"a.jsonl", "0/b.jsonl"}
				o := newOutbox(t)
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

func TestTornLineIsCutAtStart(t *testing.T) {
	t.Parallel()
	o := newOutbox(t)
	s, unit := o.open(t)
	deliver(t, unit, "claim", orders(0, 0), "a.jsonl", "b.jsonl")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, o.file("a.jsonl"), append(read(t, o.file("a.jsonl")), `{"off`...))
	_, unit = o.open(t)
	deliver(t, unit, "claim 2", orders(0, 1), "b.jsonl") // before anything is appended to the file itself
	if got, want := o.lines(t, "a.jsonl"), linesOf(0); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
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
					unlock = lockFile(t, o.path())
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
			o := newOutbox(t)
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
	o := newOutbox(t)
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
	unlock := lockFile(t, o.path())
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

func TestFencedOwnerAppendsNothing(t *testing.T) {
	t.Parallel()
	o := newOutbox(t)
	_, unit := o.open(t)
	deliver(t, unit, "claim 1", orders(0, 0), "a.jsonl")
	zombie := begin(t, unit, "claim 1", orders(0, 1))
	appendLines(t, zombie, orders(0, 1), "a.jsonl")
	deliver(t, unit, "claim 2", orders(0, 1), "a.jsonl")
	if err := zombie.Commit(t.Context()); !errors.Is(err, store.ErrFenced) {
		t.Errorf("commit: got %v, want %v", err, store.ErrFenced)
	}
	if got, want := o.lines(t, "a.jsonl"), linesOf(0, 1); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestFileThatSomebodyElseChanged(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(t *testing.T, path string)
		want   []string
	}{
		{"removed, it begins anew", func(t *testing.T, path string) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}, linesOf(1)},
		{"moved away, it begins anew", func(t *testing.T, path string) {
			if err := os.Rename(path, path+".1"); err != nil {
				t.Fatal(err)
			}
		}, linesOf(1)},
		{"shortened, it goes on after the last whole line", func(t *testing.T, path string) {
			write(t, path, []byte("kept\nto"))
		}, append([]string{"kept"}, linesOf(1)...)},
		{"longer, what was appended is cut", func(t *testing.T, path string) {
			write(t, path, append(read(t, path), "more\n"...))
		}, linesOf(0, 1)},
	}
	for _, test := range tests {
		for _, restart := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, restarted: %t", test.name, restart), func(t *testing.T) {
				t.Parallel()
				o := newOutbox(t)
				s, unit := o.open(t)
				deliver(t, unit, "claim", orders(0, 0), "a.jsonl")
				if restart {
					if err := s.Close(); err != nil {
						t.Fatal(err)
					}
				}
				test.change(t, o.file("a.jsonl"))
				if restart {
					_, unit = o.open(t)
				}
				deliver(t, unit, "claim", orders(0, 1), "a.jsonl")
				if got := o.lines(t, "a.jsonl"); !slices.Equal(got, test.want) {
					t.Errorf("got %q, want %q", got, test.want)
				}
			})
		}
	}
}

func TestFilesOutliveTheStore(t *testing.T) {
	t.Parallel()
	o := newOutbox(t)
	s, unit := o.open(t)
	deliver(t, unit, "claim", orders(0, 0, 1), "a.jsonl", "b.jsonl")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(o.path()); err != nil {
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

func TestAppendRefuses(t *testing.T) {
	t.Parallel()
	o := newOutbox(t)
	s, unit := o.open(t)
	work := begin(t, unit, "claim", orders(0, 0))
	ctx := work.Context(t.Context())
	for _, file := range []string{"", "../a.jsonl", "/a.jsonl", "a/../../b", "a//b", "."} {
		if err := store.Lines(ctx).Append(file, []byte("x")); err == nil || store.Unavailable(err) {
			t.Errorf("file %q: got %v, want it refused", file, err)
		}
	}
	if err := store.Lines(ctx).Append("a", []byte("x\ny")); err == nil {
		t.Error("two lines in one: got no error, want one")
	}
	if _, err := store.Tx(ctx); err == nil {
		t.Error("transaction beside files: got no error, want one")
	}
	without := begin(t, s.UnitOfWork("orders", store.Options{}), "claim", orders(0, 0))
	if err := store.Lines(without.Context(t.Context())).Append("a", []byte("x")); err == nil {
		t.Error("consumer without files: got no error, want one")
	}
}
