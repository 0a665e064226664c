package observe_test

import (
	"context"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prantikov/millrace/observe"
	"github.com/prantikov/millrace/record"
)

// recently plays on a bubble's clock with metrics that keep what is recent.
func recently(t *testing.T, play func(metrics *observe.Metrics, pass func(time.Duration))) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		metrics := observe.NewMetrics("test")
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go metrics.KeepRecent(ctx)
		play(metrics, func(d time.Duration) {
			<-time.After(d)
			synctest.Wait()
		})
	})
}

func wantRate(t *testing.T, when string, got observe.Recent, want float64) {
	t.Helper()
	if math.Abs(got.PerSecond-want) > 0.01 {
		t.Errorf("%s: got %v a second, want %v", when, got.PerSecond, want)
	}
}

func TestRecentRateIsThatOfTheLastTenSeconds(t *testing.T) {
	recently(t, func(metrics *observe.Metrics, pass func(time.Duration)) {
		orders := metrics.Consumer("orders", "orders", "order-events")
		finish := func(count int) {
			for range count {
				orders.Finished()
			}
		}
		wantRate(t, "at the start", metrics.Recent("orders"), 0)
		pass(500 * time.Millisecond)
		finish(100)
		pass(3500 * time.Millisecond)
		wantRate(t, "after 4 s, over what there was", metrics.Recent("orders"), 25)
		pass(16 * time.Second)
		wantRate(t, "after ten quiet seconds", metrics.Recent("orders"), 0)
		for range 30 {
			finish(70)
			pass(time.Second)
		}
		wantRate(t, "at a steady rate", metrics.Recent("orders"), 70)
		pass(5 * time.Second)
		wantRate(t, "five seconds after the end", metrics.Recent("orders"), 35)
		wantRate(t, "of another consumer", metrics.Recent("archive"), 0)
	})
}

func TestRecentRateAddsUpTheTopics(t *testing.T) {
	recently(t, func(metrics *observe.Metrics, pass func(time.Duration)) {
		for _, topic := range []string{"order-events", "appointment-events"} {
			topic := metrics.Consumer("archive", "archive", topic)
			for range 50 {
				topic.Finished()
			}
		}
		pass(10 * time.Second)
		wantRate(t, "over two topics", metrics.Recent("archive"), 10)
	})
}

func TestRecentDeadLettersAreThoseOfTheLastHour(t *testing.T) {
	recently(t, func(metrics *observe.Metrics, pass func(time.Duration)) {
		orders := metrics.Consumer("orders", "orders", "order-events")
		pass(20 * time.Minute)
		want := func(when string, letters int64) {
			t.Helper()
			if got := metrics.Recent("orders").DeadLetters; got != letters {
				t.Errorf("%s: got %d dead letters, want %d", when, got, letters)
			}
		}
		orders.DeadLettered(record.ClassMalformed)
		orders.DeadLettered(record.ClassFailed)
		pass(30 * time.Minute)
		orders.DeadLettered(record.ClassFailed)
		want("half an hour later", 3)
		pass(29*time.Minute + 59*time.Second)
		want("just within the hour", 3)
		pass(2 * time.Minute)
		want("after the hour of the first two", 1)
		pass(time.Hour)
		want("after everything", 0)
	})
}

func TestFinishedCostsNoAllocation(t *testing.T) {
	consumer := observe.NewMetrics("test").Consumer("orders", "orders", "order-events")
	if got := testing.AllocsPerRun(100, consumer.Finished); got != 0 {
		t.Errorf("got %v allocations, want 0", got)
	}
}

func BenchmarkFinished(b *testing.B) {
	consumer := observe.NewMetrics("bench").Consumer("orders", "orders", "order-events")
	b.ReportAllocs()
	for b.Loop() {
		consumer.Finished()
	}
}
