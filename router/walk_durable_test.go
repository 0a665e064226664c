package router_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ThreeDotsLabs/watermill"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/router/routertest"
)

// memory is a unit of work in memory: what was committed, in order.
type memory struct {
	committed []string
	finished  map[int64]bool
	// refuse are the errors of the next commits; exclusive makes each unit one that others wait for once it has an effect.
	refuse    []error
	exclusive bool
}

type memoryWork struct {
	store    *memory
	effects  []string
	mark     int
	finished []int64
	over     bool
}

type workKey struct{}

func (m *memory) Begin(context.Context, string, []*record.Record) (router.Work, error) {
	return &memoryWork{store: m}, nil
}

// errMemoryAway is what the memory's functions say while it is away.
var errMemoryAway = errors.New("the memory is away")

func (m *memory) Away(err error) bool { return errors.Is(err, errMemoryAway) }

func (w *memoryWork) Finished(r *record.Record) bool { return w.store.finished[r.Offset] }
func (w *memoryWork) Context(ctx context.Context) context.Context {
	return context.WithValue(ctx, workKey{}, w)
}
func (w *memoryWork) Mark() { w.mark = len(w.effects) }
func (w *memoryWork) Undo() error {
	w.effects = w.effects[:w.mark]
	return nil
}
func (w *memoryWork) Finish(r *record.Record, _ record.Outcome) {
	w.finished = append(w.finished, r.Offset)
}
func (w *memoryWork) Exclusive() bool { return w.store.exclusive && len(w.effects) > 0 }
func (w *memoryWork) Commit(context.Context) error {
	if len(w.store.refuse) > 0 {
		err := w.store.refuse[0]
		w.store.refuse = w.store.refuse[1:]
		if err != nil {
			return err
		}
	}
	w.store.committed = append(w.store.committed, w.effects...)
	for _, offset := range w.finished {
		w.store.finished[offset] = true
	}
	w.over = true
	return nil
}
func (w *memoryWork) Rollback() error { return nil }

func TestDurableEffectsAreCommittedOnceBeforeTheyAreReported(t *testing.T) {
	t.Parallel()
	away := errors.New("the database is away")
	tests := []struct {
		name      string
		refuse    []error
		exclusive bool
		// fail says how the function ends after it wrote its effect, by entity and try.
		fail func(id string, try int) error
		// effects are what is committed; outcomes how each of four records ended.
		effects, outcomes string
		letters           int
	}{
		{
			name: "all is well", fail: func(string, int) error { return nil },
			effects: "a-0 a-1 a-2 a-3", outcomes: "done done done done",
		},
		{
			name:    "a record that fails is undone alone",
			fail:    func(id string, _ int) error { return permanentIf(id == "a-1") },
			effects: "a-0 a-2 a-3", outcomes: "done dead_letter done done", letters: 1,
		},
		{
			name: "a record that fails in a unit that others wait for is undone alone", exclusive: true,
			fail:    func(id string, _ int) error { return permanentIf(id == "a-1") },
			effects: "a-0 a-2 a-3", outcomes: "done dead_letter done done", letters: 1,
		},
		{
			name: "a record that waits for its retry commits what is before it",
			fail: func(id string, try int) error {
				if id == "a-2" && try < 3 {
					return errors.New("broken")
				}
				return nil
			},
			effects: "a-0 a-1 a-2 a-3", outcomes: "done done done done",
		},
		{
			name: "a function whose store is away is waited for and never dead-lettered",
			fail: func(id string, try int) error {
				if id == "a-2" && try < 30 {
					return fmt.Errorf("writing: %w", errMemoryAway)
				}
				return nil
			},
			effects: "a-0 a-1 a-2 a-3", outcomes: "done done done done",
		},
		{
			name: "a commit that fails is repeated with all its records", refuse: []error{away, away},
			fail:    func(string, int) error { return nil },
			effects: "a-0 a-1 a-2 a-3", outcomes: "done done done done",
		},
		{
			name: "a commit that fails repeats no dead letter", refuse: []error{away},
			fail:    func(id string, _ int) error { return permanentIf(id == "a-0") },
			effects: "a-1 a-2 a-3", outcomes: "dead_letter done done done", letters: 1,
		},
		{
			name: "a member that lost its partition reports nothing", refuse: []error{fmt.Errorf("epoch 3: %w", router.ErrFenced)},
			fail:    func(string, int) error { return nil },
			effects: "", outcomes: "unfinished unfinished unfinished unfinished",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			unit := &memory{finished: map[int64]bool{}, refuse: test.refuse, exclusive: test.exclusive}
			tries := map[string]int{}
			kit := routertest.New(t, "test", router.WithUnitOfWork(unit),
				handles(func(ctx context.Context, e messages.Event[messages.AppointmentEvent]) error {
					work := ctx.Value(workKey{}).(*memoryWork)
					work.effects = append(work.effects, e.EntityID)
					tries[e.EntityID]++
					return test.fail(e.EntityID, tries[e.EntityID])
				}))
			results := kit.DeliverRecords(appointments(t, 4)...)
			if got := strings.Join(unit.committed, " "); got != test.effects {
				t.Errorf("committed %q, want %q", got, test.effects)
			}
			var outcomes []string
			for _, result := range results {
				outcomes = append(outcomes, result.Outcome.String())
			}
			if got := strings.Join(outcomes, " "); got != test.outcomes {
				t.Errorf("the records ended as %q, want %q", got, test.outcomes)
			}
			if got := len(kit.Letters()); got != test.letters {
				t.Errorf("got %d dead letters, want %d", got, test.letters)
			}
		})
	}
}

// Ensure what is said of a record that is held has once what was tried: a unit of work says that itself.
func TestHeldRecordSaysOnceWhatWasTried(t *testing.T) {
	t.Parallel()
	const why = "committing a unit of work of orders: the database is away"
	unit := &memory{finished: map[int64]bool{}, refuse: []error{errors.New(why)}}
	var causes []string
	observer := router.Observer{Held: func(_ *record.Record, hold router.Hold) { causes = append(causes, hold.Cause) }}
	kit := routertest.NewWith(t, router.Settings{Observe: func(router.Handler) router.Observer { return observer }}, router.ConsumerSettings{}, "test",
		router.WithUnitOfWork(unit), handles(func(context.Context, messages.Event[messages.AppointmentEvent]) error { return nil }))
	kit.DeliverRecords(appointments(t, 1)...)
	if len(causes) != 1 || causes[0] != why {
		t.Errorf("got %q, want one: %q", causes, why)
	}
}

func batchOf(records []*record.Record) *record.Batch { return &record.Batch{Records: records} }

func permanentIf(broken bool) error {
	if broken {
		return router.Permanent(errors.New("broken"))
	}
	return nil
}

func appointments(t *testing.T, count int) []*record.Record {
	t.Helper()
	records := make([]*record.Record, count)
	for i := range records {
		records[i] = routertest.Record(t, messages.AppointmentCreated, appointment(fmt.Sprintf("a-%d", i)))
		records[i].Offset = int64(i)
	}
	return records
}

func TestRepeatedRecordIsNotHandledAgain(t *testing.T) {
	t.Parallel()
	unit := &memory{finished: map[int64]bool{1: true}}
	var handled []string
	kit := routertest.New(t, "test", router.WithUnitOfWork(unit), handles(func(_ context.Context, e messages.Event[messages.AppointmentEvent]) error {
		handled = append(handled, e.EntityID)
		return nil
	}))
	results := kit.DeliverRecords(appointments(t, 3)...)
	if got, want := strings.Join(handled, " "), "a-0 a-2"; got != want {
		t.Errorf("handled %q, want %q", got, want)
	}
	if results[1].Outcome != record.Done {
		t.Errorf("the repeated record ended as %s, want done", results[1].Outcome)
	}
}

func TestStopLeavesTheRestUnfinished(t *testing.T) {
	t.Parallel()
	for _, durable := range []bool{false, true} {
		t.Run(fmt.Sprintf("durable %t", durable), func(t *testing.T) {
			t.Parallel()
			stopping := make(chan struct{})
			options := []router.Option{handles(func(_ context.Context, e messages.Event[messages.AppointmentEvent]) error {
				if e.EntityID == "a-1" {
					close(stopping)
				}
				return nil
			})}
			if durable {
				options = append(options, router.WithUnitOfWork(&memory{finished: map[int64]bool{}}))
			}
			consumer, err := router.Consume("test", options...)
			if err != nil {
				t.Fatal(err)
			}
			made, err := router.New(router.Settings{DeadLetters: &flakyLetters{}}, watermill.NopLogger{})
			if err != nil {
				t.Fatal(err)
			}
			walker, err := made.Walker(consumer, router.ConsumerSettings{})
			if err != nil {
				t.Fatal(err)
			}
			var reported []int
			batch := &record.Batch{Records: appointments(t, 4), Stopping: stopping, Report: func(i int, _ record.Result) { reported = append(reported, i) }}
			if err := walker.Walk(t.Context(), batch); err != nil {
				t.Fatal(err)
			}
			if want := []int{0, 1}; !slices.Equal(reported, want) {
				t.Errorf("reported %v, want %v: the running record ends, no other begins", reported, want)
			}
		})
	}
}
