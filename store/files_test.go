package store_test

import (
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
	"github.com/prantikov/millrace/store/storetest"
)

// outbox is a store and the folder of a consumer's files.
type outbox struct{ data, place string }

func newOutbox(t testing.TB) outbox {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	return outbox{data: data, place: storetest.Place(t, data)}
}

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
	s := openStore(t, o.place)
	return s, s.FileUnitOfWork("outbox", o.folder(), store.Options{OpenFiles: 2})
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
