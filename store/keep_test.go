package store_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prantikov/millrace/store"
)

// logged opens the store of an outbox with a log that can be read, and the units of work of its daily file.
func (o outbox) logged(t *testing.T) (*store.Store, *store.UnitOfWork, *bytes.Buffer) {
	t.Helper()
	log := &bytes.Buffer{}
	s, err := store.Open(t.Context(), o.place, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, s.FileUnitOfWork("outbox", o.folder(), store.Options{OpenFiles: 2, Daily: []string{"outbox.jsonl"}}), log
}

// age makes a file look as if it was last written so long ago.
func (o outbox) age(t *testing.T, name string, ago time.Duration) time.Time {
	t.Helper()
	then := time.Now().Add(-ago)
	if err := os.Chtimes(o.file(name), then, then); err != nil {
		t.Fatal(err)
	}
	return then.UTC()
}

func (o outbox) names(t *testing.T) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(o.folder(), func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			name, _ := filepath.Rel(o.folder(), path)
			names = append(names, filepath.ToSlash(name))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

const day = 24 * time.Hour

func removeFiles(t *testing.T, s *store.Store, o outbox, ago time.Duration) {
	t.Helper()
	if err := s.RemoveFiles(t.Context(), "outbox", o.folder(), store.Options{Daily: []string{"outbox.jsonl"}}, time.Now().Add(-ago)); err != nil {
		t.Fatal(err)
	}
}

func TestOldFilesAreRemoved(t *testing.T) {
	t.Parallel()
	o := newOutbox(t)
	s, unit, log := o.logged(t)
	deliver(t, unit, "claim", orders(0, 0), "0/2024-12-25.jsonl", "0/2024-12-26.jsonl", "a.jsonl")
	write(t, o.file("0/somebody.else"), []byte("kept"))
	for _, name := range []string{"0/2024-12-25.jsonl", "a.jsonl", "0/somebody.else"} {
		o.age(t, name, 31*day)
	}
	removeFiles(t, s, o, 30*day)
	if got, want := o.names(t), []string{"0/2024-12-26.jsonl", "0/somebody.else"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q: what is young, and what is somebody else's", got, want)
	}
	if want := `msg="removed files that are no longer kept" consumer=outbox files=2 first=0/2024-12-25.jsonl last=a.jsonl`; strings.Count(log.String(), want) != 1 {
		t.Errorf("got %s, want one line %s", log, want)
	}
	// A late record begins the file anew, and nobody takes it for one that has lost lines.
	deliver(t, unit, "claim", orders(0, 1), "a.jsonl")
	if got, want := o.lines(t, "a.jsonl"), linesOf(1); !slices.Equal(got, want) || strings.Contains(log.String(), "level=ERROR") {
		t.Errorf("got %q and %s, want %q and no error", got, log, want)
	}
	removeFiles(t, s, o, 30*day)
	if strings.Count(log.String(), "removed files") != 1 {
		t.Errorf("got %s, want no line when there is nothing to remove", log)
	}
}

// Ensure files are removed also when no record has come since the start.
func TestOldFilesAreRemovedWithoutARecord(t *testing.T) {
	t.Parallel()
	o := newOutbox(t)
	s, unit, _ := o.logged(t)
	deliver(t, unit, "claim", orders(0, 0), "a.jsonl")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	o.age(t, "a.jsonl", 31*day)
	again := openStore(t, o.place)
	removeFiles(t, again, o, 30*day)
	if got := o.names(t); len(got) != 0 {
		t.Errorf("got %q, want nothing", got)
	}
	deliver(t, again.FileUnitOfWork("outbox", o.folder(), store.Options{}), "claim 2", orders(0, 1), "a.jsonl")
	if got, want := o.lines(t, "a.jsonl"), linesOf(1); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestDailyFileIsBegunAnewEachDay(t *testing.T) {
	t.Parallel()
	o := newOutbox(t)
	s, unit, log := o.logged(t)
	deliver(t, unit, "claim", orders(0, 0, 1), "outbox.jsonl")
	deliver(t, unit, "claim", orders(0, 2), "outbox.jsonl")
	if got, want := o.names(t), []string{"outbox.jsonl"}; !slices.Equal(got, want) {
		t.Fatalf("got %q on one day, want %q", got, want)
	}
	then := o.age(t, "outbox.jsonl", 2*day)
	deliver(t, unit, "claim", orders(0, 3), "outbox.jsonl")
	closed := "outbox-" + then.Format(time.DateOnly) + ".jsonl"
	if got, want := o.lines(t, closed), linesOf(0, 1, 2); !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", closed, got, want)
	}
	if got, want := o.lines(t, "outbox.jsonl"), linesOf(3); !slices.Equal(got, want) {
		t.Errorf("got %q in the new one, want %q", got, want)
	}
	// A clock that went back: the day has its file already, which is not overwritten.
	o.age(t, "outbox.jsonl", 2*day)
	deliver(t, unit, "claim", orders(0, 4), "outbox.jsonl")
	if got, want := o.lines(t, "outbox.jsonl"), linesOf(3, 4); !slices.Equal(got, want) || len(o.lines(t, closed)) != 3 {
		t.Errorf("got %q, want %q and the day's file as it was", got, want)
	}
	o.age(t, closed, 31*day)
	removeFiles(t, s, o, 30*day)
	if got, want := o.names(t), []string{"outbox.jsonl"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q: a day's file goes when it is old", got, want)
	}
	if strings.Contains(log.String(), "level=ERROR") || strings.Contains(log.String(), "level=WARN") {
		t.Errorf("got %s, want no alarm of all that", log)
	}
}

// TestKillWhileFilesAreRemoved copies the data directory in the middle, which is what a kill leaves, and goes on there.
func TestKillWhileFilesAreRemoved(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"condemned", "removed"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			o := newFileOutbox(t)
			s, unit, _ := o.logged(t)
			deliver(t, unit, "claim", orders(0, 0), "a.jsonl", "b.jsonl", "c.jsonl")
			o.age(t, "a.jsonl", 31*day)
			o.age(t, "b.jsonl", 31*day)
			var killed []outbox
			s.OnReached(func(reached string) {
				if reached == step {
					killed = append(killed, o.copyTo(t))
				}
			})
			removeFiles(t, s, o, 30*day)
			if len(killed) != 1 {
				t.Fatalf("step %q: reached %d times, want once", step, len(killed))
			}
			s, unit, log := killed[0].logged(t)
			if err := s.CutFiles(t.Context(), "", killed[0].data); err != nil {
				t.Fatal(err)
			}
			deliver(t, unit, "claim 2", orders(0, 0, 1), "a.jsonl", "c.jsonl")
			if got, want := killed[0].names(t), []string{"a.jsonl", "c.jsonl"}; !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
			for name, want := range map[string][]string{"a.jsonl": linesOf(1), "c.jsonl": linesOf(0, 1)} {
				if got := killed[0].lines(t, name); !slices.Equal(got, want) {
					t.Errorf("%s: got %q, want %q", name, got, want)
				}
			}
			if strings.Contains(log.String(), "level=ERROR") {
				t.Errorf("got %s, want no alarm", log)
			}
		})
	}
}

// TestKillWhileADayEnds does the same where a daily file is begun anew.
func TestKillWhileADayEnds(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"page announced", "page turned", "registered", "synced"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			o := newFileOutbox(t)
			s, unit, _ := o.logged(t)
			deliver(t, unit, "claim", orders(0, 0, 1), "outbox.jsonl")
			then := o.age(t, "outbox.jsonl", 2*day)
			var killed []outbox
			s.OnReached(func(reached string) {
				if reached == step {
					killed = append(killed, o.copyTo(t))
				}
			})
			deliver(t, unit, "claim", orders(0, 2), "outbox.jsonl")
			if len(killed) != 1 {
				t.Fatalf("step %q: reached %d times, want once", step, len(killed))
			}
			after := killed[0]
			if step == "page announced" { // copying has made the file young
				after.age(t, "outbox.jsonl", 2*day)
			}
			_, unit, log := after.logged(t)
			deliver(t, unit, "claim 2", orders(0, 0, 1, 2, 3), "outbox.jsonl")
			closed := "outbox-" + then.Format(time.DateOnly) + ".jsonl"
			if got, want := after.lines(t, closed), linesOf(0, 1); !slices.Equal(got, want) {
				t.Errorf("%s: got %q, want %q", closed, got, want)
			}
			if got, want := after.lines(t, "outbox.jsonl"), linesOf(2, 3); !slices.Equal(got, want) {
				t.Errorf("got %q in the new one, want %q", got, want)
			}
			if strings.Contains(log.String(), "level=ERROR") || strings.Contains(log.String(), "level=WARN") {
				t.Errorf("got %s, want no alarm", log)
			}
		})
	}
}
