package router_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router"
)

// Ensure a try ends with the consumer's timeout or with its route's own, shorter or longer, and that the timeout is an ordinary failure.
func TestTryEndsAfterItsTimeout(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		options []router.RouteOption
		want    time.Duration
	}{
		{"the consumer's", nil, time.Second},
		{"a shorter one of the route", []router.RouteOption{router.Timeout(300 * time.Millisecond)}, 300 * time.Millisecond},
		{"a longer one of the route", []router.RouteOption{router.Timeout(3 * time.Second)}, 3 * time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, begin func(*router.Walker)) {
				var took time.Duration
				var cause, derived error
				walker := walkerOf(t, router.Settings{}, router.ConsumerSettings{Timeout: time.Second, Retry: router.RetrySettings{Tries: 2}},
					handles(func(ctx context.Context, e messages.Event[messages.AppointmentEvent]) error {
						if e.EntityID == "warm" {
							return nil
						}
						began := time.Now()
						child, cancel := context.WithTimeout(ctx, time.Hour)
						defer cancel()
						<-child.Done()
						took, derived, cause = time.Since(began), child.Err(), context.Cause(ctx)
						return ctx.Err()
					}, test.options...))
				begin(walker)
				tr := tryKeys(t, "a")
				tr.walk(t, walker)
				tr.want(t, "parked")
				// The lookout looks again and again, not at the very moment.
				if over := took - test.want; over < 0 || over > 50*time.Millisecond {
					t.Errorf("the try had %s, want %s and a moment", took, test.want)
				}
				if !errors.Is(derived, context.Canceled) || cause == nil || errors.Is(cause, context.Canceled) {
					t.Errorf("got error %v of the derived context and cause %v, want the end of the try's with the timeout as its cause", derived, cause)
				}
				<-time.After(time.Until(tr.results[0].Until))
				tr = tr.again()
				tr.walk(t, walker)
				if got := tr.results[0]; got.Outcome != record.DeadLettered || got.Class != record.ClassTimeout {
					t.Errorf("the record ended as %+v, want dead-lettered as timeout", got)
				}
			})
		})
	}
}

// Ensure a timeout ends the context of its try alone: the next record on the same goroutine has a living one.
func TestTimeoutEndsItsTryAlone(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, begin func(*router.Walker)) {
		walker := walkerOf(t, router.Settings{}, router.ConsumerSettings{Timeout: time.Second}, handles(func(ctx context.Context, e messages.Event[messages.AppointmentEvent]) error {
			switch e.EntityID {
			case "slow":
				<-ctx.Done()
				return nil
			case "late":
				// It does not look at its context, and says that all is well.
				<-time.After(5 * time.Second)
				return nil
			}
			return ctx.Err()
		}))
		begin(walker)
		tr := tryKeys(t, "slow a late b")
		tr.walk(t, walker)
		tr.want(t, "done done done done")
	})
}

// Ensure a try's context ends with the try, whoever kept it and however it is looked at.
func TestContextOfATryEndsWithIt(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		// keep is called during the try; the function that it returns says, after it, whether the context has ended.
		keep func(context.Context) func() error
	}{
		{"looked at during the try", func(ctx context.Context) func() error {
			done := ctx.Done()
			return func() error {
				<-done
				return ctx.Err()
			}
		}},
		{"looked at after the try alone", func(ctx context.Context) func() error { return ctx.Err }},
		{"waited for after the try alone", func(ctx context.Context) func() error {
			return func() error {
				<-ctx.Done()
				return ctx.Err()
			}
		}},
		{"a context that derives from it", func(ctx context.Context) func() error {
			child, cancel := context.WithTimeout(ctx, time.Hour)
			return func() error {
				defer cancel()
				<-child.Done()
				return child.Err()
			}
		}},
		{"a context that derives from it after the try", func(ctx context.Context) func() error {
			return func() error {
				child, cancel := context.WithCancel(ctx)
				defer cancel()
				return child.Err()
			}
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, begin func(*router.Walker)) {
				var after func() error
				var during error
				var carried *record.Record
				walker := walkerOf(t, router.Settings{}, router.ConsumerSettings{}, handles(func(ctx context.Context, _ messages.Event[messages.AppointmentEvent]) error {
					after, during, carried = test.keep(ctx), ctx.Err(), record.FromContext(ctx)
					return nil
				}))
				begin(walker)
				tr := tryKeys(t, "a")
				tr.walk(t, walker)
				if during != nil || carried != tr.Records[0] {
					t.Errorf("during the try got error %v and record %v, want none and the one that is tried", during, carried)
				}
				if err := after(); !errors.Is(err, context.Canceled) {
					t.Errorf("after the try got error %v, want %v", err, context.Canceled)
				}
			})
		})
	}
}

// Ensure the batch's end, which is the drain deadline, ends what runs, and that it is no failure.
func TestEndOfTheBatchEndsItsTries(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, begin func(*router.Walker)) {
		letters := &flakyLetters{}
		walker := walkerOf(t, router.Settings{DeadLetters: letters}, router.ConsumerSettings{Retry: router.RetrySettings{Tries: 1}},
			handles(func(ctx context.Context, e messages.Event[messages.AppointmentEvent]) error {
				if e.EntityID == "warm" {
					return nil
				}
				<-ctx.Done()
				return router.Permanent(ctx.Err())
			}))
		begin(walker)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		tr := tryKeys(t, "a b a")
		tr.walkIn(t, ctx, walker)
		for i, result := range tr.results {
			if result.Outcome != record.Unfinished {
				t.Errorf("record %d ended as %s, want unfinished", i, result.Outcome)
			}
		}
		if len(letters.written) != 0 {
			t.Errorf("got %d dead letters, want none: a stop is no failure", len(letters.written))
		}
	})
}

// TestTimeoutCostsNothingUntilSomebodyLooks is not parallel: it counts allocations.
func TestTimeoutCostsNothingUntilSomebodyLooks(t *testing.T) {
	cost := func(t *testing.T, look func(context.Context)) float64 {
		walker := walkerOf(t, router.Settings{}, router.ConsumerSettings{}, handles(func(ctx context.Context, _ messages.Event[messages.AppointmentEvent]) error {
			look(ctx)
			return nil
		}))
		const records = 64
		keys := manyKeys(1, records)
		warm(t, walker)
		tr := tryKeys(t, keys)
		return testing.AllocsPerRun(20, func() {
			tr.results = map[int]record.Result{}
			if err := walker.Walk(t.Context(), tr.Batch); err != nil {
				t.Error(err)
			}
		}) / records
	}
	var unseen, seen, standard float64
	// In the bubble the walker takes the records inline however slow the machine is.
	bubble(t, func(t *testing.T) {
		unseen, seen = cost(t, func(context.Context) {}), cost(t, func(ctx context.Context) { ctx.Done() })
		standard = cost(t, func(ctx context.Context) {
			_, cancel := context.WithTimeout(ctx, time.Hour)
			cancel()
		})
	})
	t.Logf("allocations of a record: %.1f when nobody looks at the end of its context, %.1f when somebody does, %.1f with a timer", unseen, seen, standard)
	if unseen+1 > seen || seen+1 > standard {
		t.Error("want fewer the less a function asks for")
	}
}
