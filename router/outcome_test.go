package router_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/router/routertest"
)

func appointment(id string) messages.AppointmentEvent {
	return messages.AppointmentEvent{AppointmentID: id, PatientID: "patient-canary", DoctorID: "doctor-1", Status: "scheduled", VisitType: "virtual", Reason: "reason-canary"}
}

// handles makes a consumer's option of one function for created appointments.
func handles(function func(context.Context, messages.Event[messages.AppointmentEvent]) error, options ...router.RouteOption) router.Option {
	return router.On(messages.AppointmentCreated, function, options...)
}

func TestOutcomeOfOneRecord(t *testing.T) {
	t.Parallel()
	broken := errors.New("reason-canary is not to be logged")
	tests := []struct {
		name string
		// function is called with the number of the try, from 1.
		function func(ctx context.Context, try int) error
		options  []router.RouteOption
		want     record.Result
		letters  int
		// waited is the least time that passed between the tries.
		waited time.Duration
	}{
		{
			name:     "a function that returns nil is done at the first try",
			function: func(context.Context, int) error { return nil },
			want:     record.Result{Outcome: record.Done, Attempts: 1},
		},
		{
			name:     "a function that fails twice is done at the third try",
			function: func(_ context.Context, try int) error { return failUntil(3, try, broken) },
			want:     record.Result{Outcome: record.Done, Attempts: 3},
			waited:   300 * time.Millisecond,
		},
		{
			name:     "a function that always fails is dead-lettered after four tries",
			function: func(context.Context, int) error { return broken },
			want:     record.Result{Outcome: record.DeadLettered, Class: record.ClassFailed, Attempts: 4},
			letters:  1, waited: 700 * time.Millisecond,
		},
		{
			name:     "a permanent error is dead-lettered at once",
			function: func(context.Context, int) error { return router.Permanent(broken) },
			want:     record.Result{Outcome: record.DeadLettered, Class: record.ClassPermanent, Attempts: 1},
			letters:  1,
		},
		{
			name:     "an error with a class is dead-lettered at once under it",
			function: func(context.Context, int) error { return router.GiveUp(record.ClassInvalidTransition, broken) },
			want:     record.Result{Outcome: record.DeadLettered, Class: record.ClassInvalidTransition, Attempts: 1},
			letters:  1,
		},
		{
			name: "what is away is waited for, without an attempt counted and without a dead letter",
			function: func(_ context.Context, try int) error {
				return router.Unavailable(failUntil(20, try, broken))
			},
			want:   record.Result{Outcome: record.Done, Attempts: 1},
			waited: 30 * time.Second,
		},
		{
			name: "what is away and says when to come again is left alone until then, however long that is",
			function: func(_ context.Context, try int) error {
				return router.After(router.Unavailable(failUntil(3, try, broken)), 10*time.Minute)
			},
			want:   record.Result{Outcome: record.Done, Attempts: 1},
			waited: 20 * time.Minute,
		},
		{
			name: "a failure that says when to try again is tried again then",
			function: func(_ context.Context, try int) error {
				return router.After(failUntil(3, try, broken), 5*time.Second)
			},
			want:   record.Result{Outcome: record.Done, Attempts: 3},
			waited: 10 * time.Second,
		},
		{
			name: "a failure that says it too late for the tries' time is dead-lettered",
			function: func(context.Context, int) error {
				return router.After(broken, time.Minute)
			},
			want:    record.Result{Outcome: record.DeadLettered, Class: record.ClassFailed, Attempts: 1},
			letters: 1,
		},
		{
			name: "an event that the function made and no consumer would take is permanent, also where its author waits for Kafka",
			function: func(context.Context, int) error {
				_, err := messages.OrderShipped.Outgoing(messages.OrderEvent{})
				return router.Unavailable(err)
			},
			want:    record.Result{Outcome: record.DeadLettered, Class: record.ClassPermanent, Attempts: 1},
			letters: 1,
		},
		{
			name:     "a panic is an error like any other",
			function: func(context.Context, int) error { panic("reason-canary") },
			want:     record.Result{Outcome: record.DeadLettered, Class: record.ClassPanic, Attempts: 4},
			letters:  1,
		},
		{
			name: "a try that takes too long ends with its context",
			function: func(ctx context.Context, _ int) error {
				<-ctx.Done()
				return ctx.Err()
			},
			options: []router.RouteOption{router.Timeout(time.Millisecond)},
			want:    record.Result{Outcome: record.DeadLettered, Class: record.ClassTimeout, Attempts: 4},
			letters: 1,
		},
		{
			name:     "a policy of the function's own skips",
			function: func(context.Context, int) error { return router.Skip("no_recipient") },
			want:     record.Result{Outcome: record.Skipped, Reason: "no_recipient", Attempts: 1},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var logged bytes.Buffer
			tries := 0
			kit := routertest.NewWith(t, router.Settings{Logger: slog.New(slog.NewJSONHandler(&logged, nil))}, router.ConsumerSettings{}, "test",
				handles(func(ctx context.Context, _ messages.Event[messages.AppointmentEvent]) error {
					tries++
					return test.function(ctx, tries)
				}, test.options...))
			got := routertest.Deliver(kit, messages.AppointmentCreated, appointment("a-1"))
			if got != test.want {
				t.Errorf("the record ended as %+v, want %+v", got, test.want)
			}
			if letters := kit.Letters(); len(letters) != test.letters {
				t.Errorf("got %d dead letters, want %d", len(letters), test.letters)
			}
			if waited := kit.Waited(); waited < test.waited {
				t.Errorf("waited %s between the tries, want at least %s", waited, test.waited)
			}
			if strings.Contains(logged.String(), "canary") {
				t.Errorf("the log has something of the payload: %s", logged.String())
			}
		})
	}
}

func failUntil(succeeds, try int, err error) error {
	if try < succeeds {
		return err
	}
	return nil
}

func TestRetryStopsAtItsTotalTime(t *testing.T) {
	t.Parallel()
	kit := routertest.NewWith(t, router.Settings{}, router.ConsumerSettings{Retry: router.RetrySettings{Tries: 1000, MaxElapsed: 10 * time.Second}}, "test",
		handles(func(context.Context, messages.Event[messages.AppointmentEvent]) error { return errors.New("broken") }))
	got := routertest.Deliver(kit, messages.AppointmentCreated, appointment("a-1"))
	if got.Outcome != record.DeadLettered || got.Attempts >= 1000 {
		t.Errorf("the record ended as %+v, want a dead letter before its tries are used up", got)
	}
	if kit.Waited() > 10*time.Second {
		t.Errorf("waited %s, want at most the total time of 10s", kit.Waited())
	}
}

func TestLetterTellsWhoFailedAndHowOften(t *testing.T) {
	t.Parallel()
	kit := routertest.NewWith(t, router.Settings{}, router.ConsumerSettings{Group: "group-x"}, "test",
		handles(func(context.Context, messages.Event[messages.AppointmentEvent]) error { return errors.New("broken") }))
	routertest.Deliver(kit, messages.AppointmentCreated, appointment("a-1"))
	letter := kit.Letters()[0]
	if letter.Consumer != "test" || letter.Group != "group-x" || letter.Class != record.ClassFailed || letter.Attempts.Made != 4 {
		t.Errorf("got letter of %s in %s with class %s after %d attempts, want test in group-x, failed, 4", letter.Consumer, letter.Group, letter.Class, letter.Attempts.Made)
	}
	if !strings.HasPrefix(letter.Handler, "router_test.") {
		t.Errorf("got handler %q, want the function's name", letter.Handler)
	}
	if letter.Attempts.FirstFailure.IsZero() || letter.FailedAt.Before(letter.Attempts.FirstFailure) {
		t.Errorf("got first failure %s and end %s, want both in this order", letter.Attempts.FirstFailure, letter.FailedAt)
	}
}

// flakyLetters refuses the first writes.
type flakyLetters struct {
	mu      sync.Mutex
	refuse  int
	written []record.Letter
}

func (l *flakyLetters) Write(_ context.Context, letter record.Letter) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.refuse > 0 {
		l.refuse--
		return errors.New("the brokers are away")
	}
	l.written = append(l.written, letter)
	return nil
}

func TestDeadLetterThatCannotBeWrittenHoldsItsRecord(t *testing.T) {
	t.Parallel()
	letters := &flakyLetters{refuse: 5}
	calls, held, released := 0, 0, 0
	observer := router.Observer{
		Held:     func(*record.Record, router.Hold) { held++ },
		Released: func(*record.Record) { released++ },
	}
	kit := routertest.NewWith(t, router.Settings{DeadLetters: letters, Observe: func(router.Handler) router.Observer { return observer }}, router.ConsumerSettings{}, "test",
		handles(func(context.Context, messages.Event[messages.AppointmentEvent]) error {
			calls++
			return router.Permanent(errors.New("broken"))
		}))
	got := routertest.Deliver(kit, messages.AppointmentCreated, appointment("a-1"))
	if got.Outcome != record.DeadLettered || len(letters.written) != 1 {
		t.Errorf("the record ended as %s with %d dead letters, want dead_letter with 1", got.Outcome, len(letters.written))
	}
	if calls != 1 {
		t.Errorf("the function was called %d times, want 1: only the writing is repeated", calls)
	}
	if held != 5 || released != 1 {
		t.Errorf("held was told %d times and released %d times, want 5 and 1", held, released)
	}
}

func TestRecordsKeepTheirOrderAroundARetry(t *testing.T) {
	t.Parallel()
	var order []string
	failed := false
	kit := routertest.New(t, "test", handles(func(_ context.Context, e messages.Event[messages.AppointmentEvent]) error {
		if e.EntityID == "a-2" && !failed {
			failed = true
			return errors.New("broken")
		}
		order = append(order, e.EntityID)
		return nil
	}))
	kit.DeliverRecords(
		routertest.Record(t, messages.AppointmentCreated, appointment("a-1")),
		routertest.Record(t, messages.AppointmentCreated, appointment("a-2")),
		routertest.Record(t, messages.AppointmentCreated, appointment("a-3")))
	if got, want := strings.Join(order, " "), "a-1 a-2 a-3"; got != want {
		t.Errorf("handled in the order %s, want %s", got, want)
	}
}

func TestEventCarriesItsPositionAndTry(t *testing.T) {
	t.Parallel()
	var got messages.Meta
	kit := routertest.New(t, "test", handles(func(_ context.Context, e messages.Event[messages.AppointmentEvent]) error {
		got = e.Meta
		return nil
	}))
	routertest.Deliver(kit, messages.AppointmentCreated, appointment("a-0"))
	routertest.Deliver(kit, messages.AppointmentCreated, appointment("a-1"))
	if got.Topic != "appointment-events" || got.Offset != 1 || got.EntityID != "a-1" || got.Action != messages.Created || got.ID != "appointment-events/0/1" {
		t.Errorf("got %+v, want the second record of appointment-events", got)
	}
}
