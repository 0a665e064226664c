package control_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prantikov/millrace/control"
)

// paused plays on a bubble's clock.
func paused(t *testing.T, play func(t *testing.T, b *bench, pass func(time.Duration))) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t)
		defer b.Pauses.Close()
		play(t, b, func(d time.Duration) {
			<-time.After(d)
			synctest.Wait()
		})
	})
}

// wantLines wants these messages and values in the lines of the log, in this order and nothing else.
func (b *bench) wantLines(t *testing.T, want ...string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(b.lines.String()), "\n")
	if len(lines) != len(want) {
		t.Fatalf("got %d lines, want %d:\n%s", len(lines), len(want), b.lines)
	}
	for i, line := range lines {
		if !strings.Contains(line, want[i]) || !strings.Contains(line, `"level":"INFO"`) {
			t.Errorf("line %d: got %s, want %s at info", i, line, want[i])
		}
	}
}

func TestPauseEndsByItself(t *testing.T) {
	paused(t, func(t *testing.T, b *bench, pass func(time.Duration)) {
		got := b.pause(t, 30*time.Minute, "", -1)
		if got.Seconds != 1800 || got.Replaced || !got.Until.Equal(time.Now().Add(30*time.Minute)) {
			t.Errorf("got %+v, want 30 minutes from now", got)
		}
		wantTold(t, "at once", b.orders.took(), "pause /-1")
		if got := len(b.Health.Live().Held); got != 1 {
			t.Errorf("health: got %d held, want the pause", got)
		}
		pass(29 * time.Minute)
		wantTold(t, "a minute before the end", b.orders.took())
		pass(time.Minute)
		wantTold(t, "at the end", b.orders.took(), "resume /-1")
		if got := len(b.Health.Live().Held); got != 0 {
			t.Errorf("health: got %d held, want none", got)
		}
		b.wantLines(t, `"msg":"paused"`, `"why":"its time is over"`)
	})
}

func TestPauseOfTheSameReplacesTheTime(t *testing.T) {
	paused(t, func(t *testing.T, b *bench, pass func(time.Duration)) {
		b.pause(t, time.Hour, "order-events", 1)
		pass(50 * time.Minute)
		if got := b.pause(t, 20*time.Minute, "eu.order-events", 1); !got.Replaced || got.Seconds != 1200 {
			t.Errorf("got %+v, want replaced by 20 minutes", got)
		}
		b.orders.took()
		pass(19 * time.Minute)
		wantTold(t, "after the first's end", b.orders.took())
		b.pause(t, time.Second, "order-events", 1)
		b.orders.took()
		pass(time.Second)
		wantTold(t, "after a shorter one", b.orders.took(), "resume eu.order-events/1")
		pass(time.Hour)
		wantTold(t, "later", b.orders.took())
		b.wantLines(t, `"again":false`, `"again":true`, `"again":true`, `"lasted":"1h9m1s"`)
	})
}

func TestResumeEndsWhatItCovers(t *testing.T) {
	paused(t, func(t *testing.T, b *bench, pass func(time.Duration)) {
		b.pause(t, time.Hour, "order-events", 0)
		b.pause(t, time.Hour, "order-events", 2)
		b.orders.took()
		resumed, err := b.Resume(t.Context(), control.Target{Consumer: "orders", Partition: -1})
		if err != nil || len(resumed.Ended) != 2 {
			t.Errorf("got %+v, %v, want two ends", resumed, err)
		}
		if until := b.Status(t.Context(), false).Consumers[0].PausedUntil; until != nil {
			t.Errorf("got paused until %s, want not paused", until)
		}
		b.orders.took()
		pass(2 * time.Hour)
		wantTold(t, "after their time", b.orders.took())
	})
}

func TestPartOfAPauseIsNotResumed(t *testing.T) {
	paused(t, func(t *testing.T, b *bench, _ func(time.Duration)) {
		b.pause(t, time.Hour, "", -1)
		b.orders.took()
		_, err := b.Resume(t.Context(), control.Target{Consumer: "orders", Topic: "order-events", Partition: 1})
		wantCode(t, err, http.StatusConflict)
		if want := `consumer "orders" on eu.order-events/1 is paused as a part of consumer "orders", for another 1h0m0s: resume that`; err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
		wantTold(t, "after the refusal", b.orders.took())
	})
}

// Ensure a pause that ends leaves paused what another one covers, the wider and the narrower.
func TestPausesThatOverlapEndOneByOne(t *testing.T) {
	paused(t, func(t *testing.T, b *bench, pass func(time.Duration)) {
		b.pause(t, time.Minute, "order-events", 1)
		b.pause(t, 2*time.Minute, "", -1)
		b.pause(t, 3*time.Minute, "order-events", 2)
		b.orders.took()
		pass(time.Minute)
		wantTold(t, "after the narrow one", b.orders.took(), "resume eu.order-events/1", "pause /-1")
		pass(time.Minute)
		wantTold(t, "after the wide one", b.orders.took(), "resume /-1", "pause eu.order-events/2")
		pass(time.Minute)
		wantTold(t, "after the last", b.orders.took(), "resume eu.order-events/2")
	})
}

func TestStopEndsPausesWithoutTakingAgain(t *testing.T) {
	paused(t, func(t *testing.T, b *bench, pass func(time.Duration)) {
		b.pause(t, time.Hour, "", -1)
		b.orders.took()
		b.Pauses.Close()
		pass(2 * time.Hour)
		wantTold(t, "after the stop", b.orders.took())
		b.wantLines(t, `"msg":"paused"`, `"why":"the process stops"`)
		_, err := b.Pause(t.Context(), control.PauseRequest{Target: control.Target{Consumer: "orders", Partition: -1}, For: "1m"})
		wantCode(t, err, http.StatusConflict)
	})
}
