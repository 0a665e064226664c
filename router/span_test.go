package router_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/router/routertest"
)

// spans keeps the spans of one handler, in the order of their ends.
type spans struct {
	attempts []int
	ended    []router.Tried
}

type spanKey struct{}

func (s *spans) of(handler router.Handler) router.Span {
	return func(ctx context.Context, _ *record.Record, attempt int) (context.Context, func(router.Tried)) {
		s.attempts = append(s.attempts, attempt)
		return context.WithValue(ctx, spanKey{}, handler.Consumer), func(tried router.Tried) { s.ended = append(s.ended, tried) }
	}
}

// spannedLetters says of each dead letter in whose span it was written.
type spannedLetters struct {
	in []any
	// refuse are the errors of the next writes.
	refuse []error
}

func (l *spannedLetters) Write(ctx context.Context, _ record.Letter) error {
	l.in = append(l.in, ctx.Value(spanKey{}))
	if len(l.refuse) > 0 {
		err := l.refuse[0]
		l.refuse = l.refuse[1:]
		return err
	}
	return nil
}

// spanned is a function that wants each try to have its span, and fails as the test says.
type spanned struct {
	t   *testing.T
	try int
	// fail is called with the number of the try, from 1.
	fail func(try int) error
}

func (s *spanned) handle(ctx context.Context, _ messages.Event[messages.AppointmentEvent]) error {
	s.try++
	if got := ctx.Value(spanKey{}); got != "traced" {
		s.t.Errorf("got span %v in the function's context, want its try's", got)
	}
	return s.fail(s.try)
}

func TestEachTryHasASpan(t *testing.T) {
	t.Parallel()
	broken := errors.New("reason-canary")
	const function = "router_test.spanned.handle"
	tried := func(outcome record.Outcome, failure string) router.Tried {
		return router.Tried{Action: messages.Created, Function: function, Outcome: outcome, Failure: failure}
	}
	tests := map[string]struct {
		// function is called with the number of the try, from 1.
		function func(try int) error
		refuse   []error // of the dead letter's writes
		value    []byte  // in place of a good event
		attempts []int
		want     []router.Tried
		letters  int
	}{
		"a record that is done": {func(int) error { return nil }, nil, nil, []int{1}, []router.Tried{tried(record.Done, "")}, 0},
		"two tries that fail": {func(try int) error { return failUntil(3, try, broken) }, nil, nil, []int{1, 2, 3},
			[]router.Tried{tried(record.Parked, "failed"), tried(record.Parked, "failed"), tried(record.Done, "")}, 0},
		"a panic": {func(try int) error {
			if try == 1 {
				panic("reason-canary")
			}
			return nil
		}, nil, nil, []int{1, 2}, []router.Tried{tried(record.Parked, "panic"), tried(record.Done, "")}, 0},
		"something that is away": {func(try int) error { return router.Unavailable(failUntil(2, try, broken)) }, nil, nil, []int{1, 1},
			[]router.Tried{tried(record.Parked, router.FailureUnavailable), tried(record.Done, "")}, 0},
		"a dead letter":     {func(int) error { return router.Permanent(broken) }, nil, nil, []int{1}, []router.Tried{tried(record.DeadLettered, "permanent")}, 1},
		"a record skipped":  {func(int) error { return router.Skip("policy") }, nil, nil, []int{1}, []router.Tried{tried(record.Skipped, "")}, 0},
		"an unreadable one": {nil, nil, []byte("reason-canary"), []int{1}, []router.Tried{{Outcome: record.DeadLettered, Failure: "malformed"}}, 1},
		"a dead letter that cannot be written at first is no further try": {
			func(int) error { return router.Permanent(broken) }, []error{broken, broken}, nil, []int{1, 0, 0},
			[]router.Tried{tried(record.DeadLettered, "permanent"), tried(record.DeadLettered, "permanent"), tried(record.DeadLettered, "permanent")}, 3},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seen, letters, function := &spans{}, &spannedLetters{refuse: test.refuse}, &spanned{t: t, fail: test.function}
			kit := routertest.NewWith(t, router.Settings{Trace: seen.of, DeadLetters: letters}, router.ConsumerSettings{}, "traced",
				handles(function.handle))
			r := routertest.Record(t, messages.AppointmentCreated, appointment("a-1"))
			if test.value != nil {
				r.Value = test.value
			}
			kit.DeliverRecords(r)
			if !slices.Equal(seen.attempts, test.attempts) {
				t.Errorf("got spans of the tries %v, want %v", seen.attempts, test.attempts)
			}
			if !slices.Equal(seen.ended, test.want) {
				t.Errorf("got spans that ended as\n%+v, want\n%+v", seen.ended, test.want)
			}
			if len(letters.in) != test.letters {
				t.Errorf("got %d writes of a dead letter, want %d", len(letters.in), test.letters)
			}
			for _, span := range letters.in {
				if span != "traced" {
					t.Errorf("got the dead letter written in span %v, want the record's", span)
				}
			}
		})
	}
}

// Ensure the same holds for a consumer with a unit of work, also when its dead letter waits for the end of the unit.
func TestEachTryOfAUnitOfWorkHasASpan(t *testing.T) {
	t.Parallel()
	seen, letters := &spans{}, &spannedLetters{}
	kit := routertest.NewWith(t, router.Settings{Trace: seen.of, DeadLetters: letters}, router.ConsumerSettings{}, "traced",
		router.WithUnitOfWork(&memory{finished: map[int64]bool{}, exclusive: true}),
		handles(func(ctx context.Context, e messages.Event[messages.AppointmentEvent]) error {
			work, ok := ctx.Value(workKey{}).(*memoryWork)
			if !ok || ctx.Value(spanKey{}) == nil {
				t.Error("got a context without the unit of work or without the span, want both")
				return nil
			}
			work.effects = append(work.effects, e.EntityID)
			return permanentIf(e.EntityID == "broken")
		}))
	kit.DeliverRecords(routertest.Record(t, messages.AppointmentCreated, appointment("good")), routertest.Record(t, messages.AppointmentCreated, appointment("broken")))
	if want := []int{1, 1, 0}; !slices.Equal(seen.attempts, want) {
		t.Errorf("got spans of the tries %v, want %v: one of each record, and the letter after the commit", seen.attempts, want)
	}
	if len(letters.in) != 1 || letters.in[0] != "traced" {
		t.Errorf("got dead letters written in %v, want one in the record's span", letters.in)
	}
}
