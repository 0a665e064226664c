package observe_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prantikov/millrace/observe"
)

func TestLive(t *testing.T) {
	t.Parallel()
	// Each case plays on a clock of its own; pass lets time go by.
	cases := []struct {
		name      string
		settings  observe.HealthSettings
		play      func(h *observe.Health, pass func(time.Duration))
		want      string
		wantHeld  string
		wantStuck int // seconds of the one stuck partition, 0 for none
	}{
		{
			name: "no partition is ok", want: "ok",
			play: func(_ *observe.Health, pass func(time.Duration)) { pass(time.Hour) },
		},
		{
			name: "nothing waiting for an hour is ok", want: "ok",
			play: func(h *observe.Health, pass func(time.Duration)) {
				h.Progress("orders", "order-events", 0, 10, 0, time.Time{})
				pass(time.Hour)
			},
		},
		{
			name: "waiting just below the limit is ok", want: "ok",
			play: func(h *observe.Health, pass func(time.Duration)) {
				h.Progress("orders", "order-events", 0, 10, 3, time.Time{})
				pass(59 * time.Second)
			},
		},
		{
			name: "waiting without movement is stuck", want: "stuck", wantStuck: 60,
			play: func(h *observe.Health, pass func(time.Duration)) {
				h.Progress("orders", "order-events", 0, 10, 3, time.Time{})
				pass(30 * time.Second)
				h.Progress("orders", "order-events", 0, 10, 5, time.Time{})
				pass(30 * time.Second)
			},
		},
		{
			name: "slow movement is ok", want: "ok",
			play: func(h *observe.Health, pass func(time.Duration)) {
				for frontier := range int64(10) {
					h.Progress("orders", "order-events", 0, frontier, 3, time.Time{})
					pass(50 * time.Second)
				}
			},
		},
		{
			name: "time counts from when records began to wait", want: "ok",
			play: func(h *observe.Health, pass func(time.Duration)) {
				h.Progress("orders", "order-events", 0, 10, 0, time.Time{})
				pass(time.Hour)
				h.Progress("orders", "order-events", 0, 10, 1, time.Time{})
				pass(10 * time.Second)
			},
		},
		{
			name: "a try may be longer than the limit", want: "ok", settings: observe.HealthSettings{LongestTry: 5 * time.Minute},
			play: func(h *observe.Health, pass func(time.Duration)) {
				h.Progress("orders", "order-events", 0, 10, 1, time.Time{})
				pass(5 * time.Minute)
			},
		},
		{
			name: "limit can be set", want: "stuck", wantStuck: 20, settings: observe.HealthSettings{StuckAfter: 20 * time.Second},
			play: func(h *observe.Health, pass func(time.Duration)) {
				h.Progress("orders", "order-events", 0, 10, 1, time.Time{})
				pass(20 * time.Second)
			},
		},
		{
			name: "a held partition is shown and not stuck", want: "ok", wantHeld: "dead letter cannot be written",
			play: func(h *observe.Health, pass func(time.Duration)) {
				h.Progress("orders", "order-events", 0, 10, 1, time.Time{})
				h.Hold("orders", "order-events", 0, "dead letter cannot be written")
				pass(time.Hour)
			},
		},
		{
			name: "a held consumer is shown and none of its partitions is stuck", want: "ok", wantHeld: "store is locked",
			play: func(h *observe.Health, pass func(time.Duration)) {
				h.Progress("orders", "order-events", 0, 10, 1, time.Time{})
				h.Hold("orders", "", -1, "store is locked")
				pass(time.Hour)
			},
		},
		{
			name: "one reason released leaves the other", want: "ok", wantHeld: "b",
			play: func(h *observe.Health, pass func(time.Duration)) {
				h.Progress("orders", "order-events", 0, 10, 1, time.Time{})
				h.Hold("orders", "order-events", 0, "a")
				h.Hold("orders", "order-events", 0, "b")
				pass(time.Hour)
				h.Release("orders", "order-events", 0, "a")
			},
		},
		{
			name: "after the release the full time is given again", want: "ok",
			play: func(h *observe.Health, pass func(time.Duration)) {
				h.Progress("orders", "order-events", 0, 10, 1, time.Time{})
				h.Hold("orders", "", -1, "away")
				pass(time.Hour)
				h.Release("orders", "", -1, "away")
				pass(59 * time.Second)
			},
		},
		{
			name: "after the release a partition that does not move is stuck", want: "stuck", wantStuck: 61,
			play: func(h *observe.Health, pass func(time.Duration)) {
				h.Progress("orders", "order-events", 0, 10, 1, time.Time{})
				h.Hold("orders", "", -1, "away")
				pass(time.Hour)
				h.Release("orders", "", -1, "away")
				pass(61 * time.Second)
			},
		},
		{
			name: "another consumer's hold excuses nobody", want: "stuck", wantHeld: "away", wantStuck: 60,
			play: func(h *observe.Health, pass func(time.Duration)) {
				h.Progress("orders", "order-events", 0, 10, 1, time.Time{})
				h.Hold("archive", "", -1, "away")
				pass(time.Minute)
			},
		},
		{
			name: "Kafka away is never stuck", want: "ok",
			play: func(h *observe.Health, pass func(time.Duration)) {
				h.Progress("orders", "order-events", 0, 10, 1, time.Time{})
				h.Kafka(false)
				pass(time.Hour)
			},
		},
		{
			name: "Kafka back gives the full time again", want: "ok",
			play: func(h *observe.Health, pass func(time.Duration)) {
				h.Progress("orders", "order-events", 0, 10, 1, time.Time{})
				h.Kafka(false)
				pass(time.Hour)
				h.Kafka(true)
				h.Kafka(true)
				pass(59 * time.Second)
			},
		},
		{
			name: "a lost partition is forgotten with its holds", want: "ok",
			play: func(h *observe.Health, pass func(time.Duration)) {
				h.Progress("orders", "order-events", 0, 10, 1, time.Time{})
				h.Hold("orders", "order-events", 0, "away")
				h.Lost("orders", "order-events", 0)
				pass(time.Hour)
			},
		},
		{
			name: "a consumer that left is forgotten with its holds", want: "ok",
			play: func(h *observe.Health, pass func(time.Duration)) {
				h.Progress("orders", "order-events", 0, 10, 1, time.Time{})
				h.Hold("orders", "", -1, "away")
				h.Joined("orders", false)
				pass(time.Hour)
			},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := observe.NewHealth(c.settings)
				h.Kafka(true)
				c.play(h, func(d time.Duration) { <-time.After(d) }) // on the bubble's clock
				live := h.Live()
				if live.Status != c.want {
					t.Errorf("status: got %s, want %s: %+v", live.Status, c.want, live)
				}
				held := ""
				for _, one := range live.Held {
					held += one.Reason
				}
				if held != c.wantHeld {
					t.Errorf("held: got %q, want %q", held, c.wantHeld)
				}
				stuck := 0
				for _, one := range live.Stuck {
					stuck += one.Seconds
				}
				if stuck != c.wantStuck {
					t.Errorf("stuck: got %d s, want %d s", stuck, c.wantStuck)
				}
			})
		})
	}
}

func TestReady(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		play func(h *observe.Health)
		want string
	}{
		{"before Kafka answered it is not ready", func(*observe.Health) {}, "not ready"},
		{"one consumer without its group is not ready", func(h *observe.Health) {
			h.Kafka(true)
			h.Joined("orders", true)
		}, "not ready"},
		{"all consumers in their groups are ready", func(h *observe.Health) {
			h.Kafka(true)
			h.Joined("orders", true)
			h.Joined("archive", true)
		}, "ready"},
		{"Kafka away is not ready", func(h *observe.Health) {
			h.Kafka(true)
			h.Joined("orders", true)
			h.Joined("archive", true)
			h.Kafka(false)
		}, "not ready"},
		{"a consumer that left is not ready", func(h *observe.Health) {
			h.Kafka(true)
			h.Joined("orders", true)
			h.Joined("archive", true)
			h.Joined("orders", false)
		}, "not ready"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := observe.NewHealth(observe.HealthSettings{})
			h.Expect("orders", "orders-group")
			h.Expect("archive", "archive")
			c.play(h)
			ready := h.Ready()
			if ready.Status != c.want {
				t.Errorf("got %s, want %s", ready.Status, c.want)
			}
			if len(ready.Consumers) != 2 || ready.Consumers[1].Group != "orders-group" {
				t.Errorf("got %+v, want both consumers with their groups", ready.Consumers)
			}
		})
	}
}

func TestHealthFromManyGoroutines(t *testing.T) {
	t.Parallel()
	h := observe.NewHealth(observe.HealthSettings{})
	h.Expect("orders", "orders")
	var all sync.WaitGroup
	for partition := range int32(8) {
		all.Go(func() {
			for offset := range int64(200) {
				h.Progress("orders", "order-events", partition, offset, 1, time.Time{})
				h.Hold("orders", "order-events", partition, "away")
				h.Live()
				h.Ready()
				h.Release("orders", "order-events", partition, "away")
				h.Kafka(offset%2 == 0)
			}
			h.Lost("orders", "order-events", partition)
		})
	}
	all.Wait()
	if live := h.Live(); len(live.Held) != 0 || live.Status != "ok" {
		t.Errorf("got %+v, want nothing held and ok", live)
	}
}
