package store_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prantikov/millrace/store"
)

func handOver(t *testing.T, s *store.Store, o outbox, ago time.Duration, take func(store.File) (bool, error)) error {
	t.Helper()
	return s.HandOver(t.Context(), "outbox", o.folder(), store.Options{}, time.Now().Add(-ago), take)
}

func TestFilesThatAreTakenAreRemoved(t *testing.T) {
	t.Parallel()
	o := newOutbox(t)
	s, unit, log := o.logged(t)
	deliver(t, unit, "claim", orders(0, 0, 1), "taken.jsonl", "left.jsonl", "failed.jsonl", "young.jsonl", "grown.jsonl")
	for _, name := range []string{"taken.jsonl", "left.jsonl", "failed.jsonl", "grown.jsonl"} {
		o.age(t, name, 2*time.Hour)
	}
	broken := errors.New("no room")
	var given []string
	err := handOver(t, s, o, time.Hour, func(file store.File) (bool, error) {
		given = append(given, file.Name)
		if file.Path != o.file(file.Name) || file.Length != int64(len(strings.Join(linesOf(0, 1), "\n"))+1) {
			t.Errorf("got %+v, want its place and the length that counts", file)
		}
		switch file.Name {
		case "left.jsonl":
			return false, nil
		case "failed.jsonl":
			return true, broken
		case "grown.jsonl":
			deliver(t, unit, "claim", orders(0, 2), "grown.jsonl")
		}
		return true, nil
	})
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "failed.jsonl") {
		t.Errorf("got error %v, want the one of failed.jsonl", err)
	}
	if want := []string{"failed.jsonl", "grown.jsonl", "left.jsonl", "taken.jsonl"}; !slices.Equal(given, want) {
		t.Errorf("got %q handed over, want %q", given, want)
	}
	if got, want := o.names(t), []string{"failed.jsonl", "grown.jsonl", "left.jsonl", "young.jsonl"}; !slices.Equal(got, want) {
		t.Errorf("got %q left, want %q", got, want)
	}
	if got, want := o.lines(t, "grown.jsonl"), linesOf(0, 1, 2); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	// What comes later begins the file anew.
	deliver(t, unit, "claim", orders(0, 3), "taken.jsonl")
	if got, want := o.lines(t, "taken.jsonl"), linesOf(3); !slices.Equal(got, want) || strings.Contains(log.String(), "level=ERROR") {
		t.Errorf("got %q and %s, want %q and no error", got, log, want)
	}
}

// TestKillWhileAFileIsTaken copies the data directory in the middle, which is what a kill leaves, and goes on there.
func TestKillWhileAFileIsTaken(t *testing.T) {
	t.Parallel()
	for step, want := range map[string][]string{"taken": linesOf(0, 1), "condemned": linesOf(1), "removed": linesOf(1)} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			o := newFileOutbox(t)
			s, unit, _ := o.logged(t)
			deliver(t, unit, "claim", orders(0, 0), "a.jsonl")
			o.age(t, "a.jsonl", 2*time.Hour)
			var killed []outbox
			s.OnReached(func(reached string) {
				if reached == step {
					killed = append(killed, o.copyTo(t))
				}
			})
			if err := handOver(t, s, o, time.Hour, func(store.File) (bool, error) { return true, nil }); err != nil {
				t.Fatal(err)
			}
			if len(killed) != 1 {
				t.Fatalf("step %q: reached %d times, want once", step, len(killed))
			}
			_, unit, log := killed[0].logged(t)
			deliver(t, unit, "claim 2", orders(0, 0, 1), "a.jsonl")
			if got := killed[0].lines(t, "a.jsonl"); !slices.Equal(got, want) || strings.Contains(log.String(), "level=ERROR") {
				t.Errorf("got %q and %s, want %q and no alarm", got, log, want)
			}
		})
	}
}
