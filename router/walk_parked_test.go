package router_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router"
)

// walks are the two ways of a consumer without a unit of work.
var walks = []struct {
	name   string
	inline bool
}{{"inline", true}, {"key by key", false}}

// bubble runs the test with time of its own, and lets the lookout and the workers of the pools end, which wait on for some seconds.
func bubble(t *testing.T, test func(*testing.T)) {
	synctest.Test(t, func(t *testing.T) {
		defer func() { <-time.After(5 * time.Second) }()
		test(t)
	})
}

// inBubble runs the test once for each walk, with time of its own.
func inBubble(t *testing.T, test func(t *testing.T, begin func(*router.Walker))) {
	for _, walk := range walks {
		t.Run(walk.name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T) {
				test(t, func(walker *router.Walker) {
					if walk.inline {
						warm(t, walker)
					}
				})
			})
		})
	}
}

func TestParkedRecordHoldsItsKeyOnly(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, begin func(*router.Walker)) {
		var calls diary
		letters := &flakyLetters{}
		walker := walkerOf(t, router.Settings{DeadLetters: letters}, router.ConsumerSettings{}, handles(calls.handle(func(_ context.Context, key string) error {
			if key == "bad" {
				return errors.New("broken")
			}
			return nil
		})))
		begin(walker)
		tr := tryKeys(t, "a bad b bad a bad c")
		for try := 1; try <= 4; try++ {
			began := time.Now()
			tr.walk(t, walker)
			switch {
			case try == 1:
				tr.want(t, "done parked done unfinished done unfinished done")
			case try < 4:
				tr.want(t, "parked unfinished unfinished")
			}
			first := tr.results[0]
			if try == 1 {
				first = tr.results[1]
			}
			if first.Attempts != try {
				t.Errorf("try %d: got %d attempts", try, first.Attempts)
			}
			if try == 4 {
				if first.Outcome != record.DeadLettered || first.Class != record.ClassFailed {
					t.Errorf("after the tries the record ended as %+v, want dead-lettered as failed", first)
				}
				break
			}
			if pause, want := first.Until.Sub(began), 100*time.Millisecond<<(try-1); pause != want {
				t.Errorf("try %d: parked for %s, want %s", try, pause, want)
			}
			<-time.After(time.Until(first.Until))
			tr = tr.again()
		}
		if got := len(letters.written); got != 1 || letters.written[0].Attempts.Made != 4 {
			t.Errorf("got %d dead letters, want one of 4 tries", got)
		}
		if elapsed := letters.written[0].FailedAt.Sub(letters.written[0].Attempts.First); elapsed != 700*time.Millisecond {
			t.Errorf("the letter says %s between the first try and the end, want 700ms: parked records remember their first try", elapsed)
		}
		calls.wantOneAtOnce(t)
	})
}

// Ensure a record that waits long for something outside has all its tries once that is back: the wait is none.
func TestTimeOfAnOutageIsNotTheRetrysTime(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, begin func(*router.Walker)) {
		calls := 0
		back := time.Now().Add(2 * time.Minute)
		walker := walkerOf(t, router.Settings{}, router.ConsumerSettings{}, handles(func(_ context.Context, e messages.Event[messages.AppointmentEvent]) error {
			switch {
			case e.EntityID == "warm":
				return nil
			case time.Now().Before(back):
				return router.Unavailable(errors.New("the mail server is away"))
			}
			calls++
			return failUntil(3, calls, errors.New("the mail server is still waking up"))
		}))
		begin(walker)
		tr := tryKeys(t, "a")
		tr.walk(t, walker)
		tr.want(t, "parked")
		for range 2 {
			<-time.After(time.Until(tr.results[0].Until))
			tr = tr.again()
			tr.walk(t, walker)
		}
		if got := tr.results[0]; got.Outcome != record.Done || got.Attempts != 3 {
			t.Errorf("the record ended as %+v, want done at the third try", got)
		}
	})
}

func TestUnavailableHoldsInPlace(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, begin func(*router.Walker)) {
		var mu sync.Mutex
		var held []time.Duration
		released := 0
		began := time.Now()
		observer := router.Observer{
			Held: func(*record.Record, router.Hold) {
				mu.Lock()
				defer mu.Unlock()
				held = append(held, time.Since(began))
			},
			Released: func(*record.Record) { released++ },
		}
		back := make(chan struct{})
		walker := walkerOf(t, router.Settings{Observe: func(router.Handler) router.Observer { return observer }}, router.ConsumerSettings{},
			handles(func(_ context.Context, e messages.Event[messages.AppointmentEvent]) error {
				select {
				case <-back:
					return nil
				default:
				}
				if e.EntityID == "warm" {
					return nil
				}
				return router.Unavailable(errors.New("away"))
			}))
		begin(walker)
		began = time.Now()
		tr := tryKeys(t, "a a")
		time.AfterFunc(time.Minute, func() { close(back) })
		tr.walk(t, walker)
		if first := tr.results[0]; first.Outcome != record.Done || first.Attempts != 1 {
			t.Errorf("the record ended as %+v, want done at the first try that counts", first)
		}
		if took := time.Since(began); took < time.Minute {
			t.Errorf("the walk took %s, want the minute that the outage took", took)
		}
		if released != 1 || len(held) < 10 {
			t.Errorf("held was told %d times and released %d times, want again and again, and once", len(held), released)
		}
		for i := 7; i < len(held); i++ {
			if pause := held[i] - held[i-1]; pause != 5*time.Second {
				t.Errorf("looked again after %s, want at most 5s between two looks", pause)
			}
		}
	})
}

func TestDeadLetterThatCannotBeWrittenParksItsKeyOnly(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, begin func(*router.Walker)) {
		var calls diary
		letters := &flakyLetters{refuse: 3}
		walker := walkerOf(t, router.Settings{DeadLetters: letters}, router.ConsumerSettings{}, handles(calls.handle(func(_ context.Context, key string) error {
			return permanentIf(key == "bad")
		})))
		begin(walker)
		before := calls.calls()
		tr := tryKeys(t, "bad a bad b")
		tr.walk(t, walker)
		tr.want(t, "parked done unfinished done")
		for tr.results[0].Outcome == record.Parked {
			if got := calls.calls() - before; got != 3 {
				t.Fatalf("the function was called %d times, want 3: only the writing is repeated", got)
			}
			<-time.After(time.Until(tr.results[0].Until))
			tr = tr.again()
			tr.walk(t, walker)
		}
		if got := tr.results[0]; got.Outcome != record.DeadLettered || got.Attempts != 1 || got.Class != record.ClassPermanent {
			t.Errorf("the record ended as %+v, want a permanent dead letter of one try", got)
		}
		tr.want(t, "dead_letter dead_letter")
		if got := len(letters.written); got != 2 {
			t.Errorf("got %d dead letters, want 2, each once", got)
		}
		if got := calls.of("bad"); got != "bad/0 bad/2" {
			t.Errorf("the function was called for %s, want each record once", got)
		}
	})
}

// Ensure a durable batch commits what is good, once, and undoes a parked record alone.
func TestParkedRecordOfAUnitOfWorkIsUndoneAlone(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		unit := &memory{finished: map[int64]bool{}}
		tries := 0
		walker := walkerOf(t, router.Settings{}, router.ConsumerSettings{}, router.WithUnitOfWork(unit),
			handles(func(ctx context.Context, e messages.Event[messages.AppointmentEvent]) error {
				work := ctx.Value(workKey{}).(*memoryWork)
				work.effects = append(work.effects, e.EntityID)
				if e.EntityID == "bad" && e.Offset == 1 {
					tries++
					return failUntil(3, tries, errors.New("broken"))
				}
				return nil
			}))
		tr := tryKeys(t, "a bad b bad a")
		tr.walk(t, walker)
		tr.want(t, "done parked done unfinished done")
		if got := strings.Join(unit.committed, " "); got != "a b a" {
			t.Errorf("committed %q, want a b a", got)
		}
		if tr.sided() {
			t.Error("a unit of work went side by side, want one record after another")
		}
		for try := 2; try <= 3; try++ {
			parked := tr.results[0]
			if try == 2 {
				parked = tr.results[1]
			}
			<-time.After(time.Until(parked.Until))
			tr = tr.again()
			tr.walk(t, walker)
		}
		tr.want(t, "done done")
		if got := tr.results[0].Attempts; got != 3 {
			t.Errorf("got %d attempts, want 3", got)
		}
		if got := strings.Join(unit.committed, " "); got != "a b a bad bad" {
			t.Errorf("committed %q, want a b a bad bad: each once", got)
		}
	})
}
