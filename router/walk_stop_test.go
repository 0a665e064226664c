package router_test

import (
	"context"
	"testing"
	"time"

	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router"
)

// Ensure a stop lets what runs end, begins nothing, and gives the rest back.
func TestStopLetsWhatRunsEnd(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		inline bool
		after  time.Duration
		want   string
		calls  int
	}{
		// What was not begun has no outcome, or is unfinished: both come again.
		{"inline", true, time.Millisecond, "done unfinished unfinished unfinished unfinished -", 1},
		{"inline and handed over", true, 60 * time.Millisecond, "done unfinished done done unfinished -", 3},
		{"key by key", false, time.Millisecond, "done unfinished done done unfinished -", 3},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T) {
				var calls diary
				walker := walkerOf(t, router.Settings{}, router.ConsumerSettings{Concurrency: 3}, handles(calls.handle(func(_ context.Context, key string) error {
					if key != "warm" {
						<-time.After(time.Second)
					}
					return nil
				})))
				if test.inline {
					warm(t, walker)
				}
				before := calls.calls()
				tr := tryKeys(t, "a a b c b d")
				time.AfterFunc(test.after, tr.stop)
				began := time.Now()
				tr.walk(t, walker)
				for i, result := range tr.results {
					if result.Outcome == record.Unfinished && i == 5 {
						delete(tr.results, i)
					}
				}
				tr.want(t, test.want)
				if got := calls.calls() - before; got != test.calls {
					t.Errorf("%d records were begun, want %d", got, test.calls)
				}
				if took := time.Since(began); took > 1100*time.Millisecond {
					t.Errorf("the walk took %s after the stop, want the second of what ran", took)
				}
			})
		})
	}
}

// Ensure a stop ends a wait for something outside at once.
func TestStopEndsAWaitForWhatIsAway(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, begin func(*router.Walker)) {
		var calls diary
		walker := walkerOf(t, router.Settings{}, router.ConsumerSettings{}, handles(calls.handle(func(_ context.Context, key string) error {
			if key == "warm" {
				return nil
			}
			return router.Unavailable(context.DeadlineExceeded)
		})))
		begin(walker)
		tr := tryKeys(t, "a a b")
		time.AfterFunc(time.Minute, tr.stop)
		began := time.Now()
		tr.walk(t, walker)
		if took := time.Since(began); took != time.Minute {
			t.Errorf("the walk took %s, want it to end with the stop after a minute", took)
		}
		tr.want(t, "unfinished unfinished unfinished")
	})
}
