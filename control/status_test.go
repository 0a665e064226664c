package control_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prantikov/millrace/control"
	"github.com/prantikov/millrace/record"
)

// Ensure a consumer's state, its lag and the age of its oldest record are what is true, whatever the consumer itself has been told.
func TestStatusOfAConsumer(t *testing.T) {
	t.Parallel()
	const topic = "eu.order-events"
	ago := func(d time.Duration) time.Time { return time.Now().Add(-d) }
	done := func(partition int32) control.Position {
		return control.Position{Topic: topic, Partition: partition, Next: 100, Frontier: 100, HighWater: 100}
	}
	none := control.Measures{}
	tests := []struct {
		name  string
		given func(b *bench)
		state string
		// reason and measures are the consumer's.
		reason   string
		measures control.Measures
		paused   bool // whether it says until when
	}{
		{name: "without partitions waits", given: func(*bench) {}, state: "waiting", reason: "for partitions"},
		{
			name: "through with everything runs", state: "running", measures: none,
			given: func(b *bench) { b.orders.positions = []control.Position{done(0), done(1)} },
		},
		{
			name: "counts what is not finished", state: "running", measures: control.Measures{Lag: 36, OldestSeconds: 90, InFlight: 11, WaitingKeys: 5},
			given: func(b *bench) {
				b.orders.positions = []control.Position{
					{Topic: topic, Next: 80, Frontier: 70, HighWater: 100, Pending: 10, InFlight: 9, Oldest: ago(3 * time.Second), Waiting: 1},
					{Topic: topic, Partition: 1, Next: 100, Frontier: 10, HighWater: 100, Pending: 6, InFlight: 2, Oldest: ago(90 * time.Second), Waiting: 4},
				}
			},
		},
		{
			name: "knows of the log's growth that it was not told", state: "running", measures: control.Measures{Lag: 50, OldestSeconds: 7},
			given: func(b *bench) {
				b.orders.positions = []control.Position{done(0)}
				b.log.ends[0], b.log.firsts[100] = 150, ago(7*time.Second)
			},
		},
		{
			name: "has no lag where only markers are left", state: "running", measures: none,
			given: func(b *bench) {
				b.orders.positions = []control.Position{done(0)}
				b.log.ends[0] = 102
			},
		},
		{
			name: "has no age while nobody can tell it", state: "running", measures: control.Measures{Lag: 5, OldestSeconds: -1},
			given: func(b *bench) {
				b.log.away = true
				b.orders.positions = []control.Position{{Topic: topic, Next: 95, Frontier: 95, HighWater: 100}, done(1)}
			},
		},
		{
			name: "has no negative age", state: "running", measures: control.Measures{Lag: 1},
			given: func(b *bench) {
				b.orders.positions = []control.Position{{Topic: topic, Next: 100, HighWater: 100, Pending: 1, Oldest: ago(-time.Hour)}}
			},
		},
		{
			name: "is held", state: "held", reason: "the store is away",
			given: func(b *bench) {
				b.orders.positions = []control.Position{done(0)}
				b.Health.Hold("orders", topic, 0, "the store is away")
			},
		},
		{
			name: "is held in part", state: "held", reason: "the store is away (1 of 2 partitions)",
			given: func(b *bench) {
				b.orders.positions = []control.Position{done(0), done(1)}
				b.Health.Hold("orders", topic, 1, "the store is away")
				b.Health.Hold("archive", topic, 0, "not of orders")
			},
		},
		{
			name: "is full in part", state: "running", reason: "1 of 2 partitions full",
			given: func(b *bench) {
				full := done(0)
				full.Full = true
				b.orders.positions = []control.Position{full, done(1)}
			},
		},
		{
			name: "stopped for good", state: "stopped", reason: "another process has joined",
			given: func(b *bench) { b.orders.failure = errors.New("another process has joined") },
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			test.given(b)
			got := b.Status(t.Context(), false).Consumers[0]
			if got.State != test.state || got.Reason != test.reason {
				t.Errorf("got %s: %q, want %s: %q", got.State, got.Reason, test.state, test.reason)
			}
			if got.Measures != test.measures {
				t.Errorf("got %+v, want %+v", got.Measures, test.measures)
			}
		})
	}
}

func TestStatusOfPauses(t *testing.T) {
	paused(t, func(t *testing.T, b *bench, _ func(time.Duration)) {
		want := func(when, state, reason string, until time.Duration) {
			t.Helper()
			got := b.Status(t.Context(), false).Consumers[0]
			if got.State != state || got.Reason != reason {
				t.Errorf("%s: got %s: %q, want %s: %q", when, got.State, got.Reason, state, reason)
			}
			if (got.PausedUntil != nil) != (until > 0) || until > 0 && !got.PausedUntil.Equal(time.Now().Add(until)) {
				t.Errorf("%s: got until %v, want %s from now", when, got.PausedUntil, until)
			}
		}
		b.pause(t, time.Hour, "", -1)
		want("without partitions", "paused", "", time.Hour)
		b.orders.positions = []control.Position{{Topic: "eu.order-events"}, {Topic: "eu.order-events", Partition: 1}}
		b.Health.Hold("orders", "eu.order-events", 1, "the store is away")
		want("held too", "paused", "", time.Hour)
		b.Health.ReleaseAll("orders", "eu.order-events", 1)
		if _, err := b.Resume(t.Context(), control.Target{Consumer: "orders", Partition: -1}); err != nil {
			t.Fatalf("Resume: %v", err)
		}
		want("resumed", "running", "", 0)
		b.pause(t, time.Hour, "order-events", 1)
		want("in part", "running", "1 of 2 partitions paused (1h0m0s)", 0)
		b.pause(t, time.Minute, "order-events", 0)
		want("part by part", "paused", "", time.Minute)
		partitions := b.Status(t.Context(), true).Consumers[0].Partitions
		if len(partitions) != 2 || partitions[1].State != "paused" || !partitions[1].PausedUntil.Equal(time.Now().Add(time.Hour)) {
			t.Errorf("got partitions %+v, want the second paused for an hour", partitions)
		}
	})
}

func TestStatusOfAnEngineThatTellsNothing(t *testing.T) {
	t.Parallel()
	got := setup(t).Status(t.Context(), true).Consumers[1]
	if unknown := (control.Measures{Lag: -1, OldestSeconds: -1, InFlight: -1, WaitingKeys: -1}); got.State != "running" || got.Measures != unknown {
		t.Errorf("got %s and %+v, want running and nothing known", got.State, got.Measures)
	}
}

func TestStatusHasRatesLettersAndAlarms(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t)
		metrics := b.Metrics.Consumer("orders", "orders", "eu.order-events")
		for range 15 {
			metrics.Finished()
		}
		metrics.DeadLettered(record.ClassMalformed)
		b.Alarms.Begin("held", "orders", "eu.order-events", 1, "the store is away")
		<-time.After(10 * time.Second)
		got := b.Status(t.Context(), false)
		if orders := got.Consumers[0]; orders.PerSecond != 1.5 || orders.DeadLetters != 1 {
			t.Errorf("got %v a second and %d dead letters, want 1.5 and 1", orders.PerSecond, orders.DeadLetters)
		}
		if len(got.Alarms) != 1 || got.Alarms[0].Text != "the store is away" {
			t.Errorf("got alarms %+v, want one", got.Alarms)
		}
	})
}

// Ensure what there is none of is an empty list to a script, not null.
func TestStatusHasNoNullLists(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Consumers = nil
	got := b.Status(t.Context(), false)
	if got.Consumers == nil || got.Alarms == nil {
		t.Errorf("got %+v, want empty lists", got)
	}
}
