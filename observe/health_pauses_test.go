package observe_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/prantikov/millrace/observe"
)

// Ensure what an operator has paused is shown as held and is not taken for stuck, whatever else is released or lost meanwhile.
func TestPauseIsAHold(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name      string
		topic     string
		partition int32
		covered   bool // whether the waiting partition order-events/3 is
	}{
		{name: "of the consumer covers all", partition: -1, covered: true},
		{name: "of the topic covers its partitions", topic: "order-events", partition: -1, covered: true},
		{name: "of the partition covers it", topic: "order-events", partition: 3, covered: true},
		{name: "of another topic does not", topic: "other-events", partition: -1},
		{name: "of another partition does not", topic: "order-events", partition: 4},
	}
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				health := observe.NewHealth(observe.HealthSettings{})
				health.Kafka(true)
				health.Progress("orders", "order-events", 3, 10, 5, time.Time{})
				until := time.Now().Add(time.Hour)
				health.Pause("orders", test.topic, test.partition, until)
				health.ReleaseAll("orders", "order-events", 3)
				<-time.After(5 * time.Minute)
				live := health.Live()
				if got := live.Status == "ok"; got != test.covered {
					t.Errorf("got ok %t, want %t", got, test.covered)
				}
				want := observe.Held{
					Consumer: "orders", Topic: test.topic, Partition: test.partition, Seconds: 300,
					Reason: "paused by an operator until " + until.UTC().Format(time.RFC3339),
				}
				if len(live.Held) != 1 || live.Held[0] != want {
					t.Errorf("held: got %+v, want %+v", live.Held, want)
				}
				if got := health.Held(); len(got) != 0 {
					t.Errorf("holds without pauses: got %+v, want none", got)
				}
			})
		})
	}
}

func TestResumedPartitionGetsItsFullTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		health := observe.NewHealth(observe.HealthSettings{})
		health.Kafka(true)
		health.Progress("orders", "order-events", 3, 10, 5, time.Time{})
		health.Pause("orders", "", -1, time.Now().Add(time.Hour))
		<-time.After(time.Hour)
		health.Resume("orders", "", -1)
		if live := health.Live(); live.Status != "ok" || len(live.Held) != 0 {
			t.Errorf("just resumed: got %+v, want ok and nothing held", live)
		}
		<-time.After(time.Minute)
		if got := health.Live().Status; got != "stuck" {
			t.Errorf("a minute later: got %q, want stuck", got)
		}
	})
}

func TestPauseOutlivesItsPartition(t *testing.T) {
	t.Parallel()
	health := observe.NewHealth(observe.HealthSettings{})
	health.Expect("orders", "orders")
	health.Pause("orders", "order-events", 3, time.Now().Add(time.Hour))
	health.Lost("orders", "order-events", 3)
	health.Joined("orders", false)
	if got := len(health.Live().Held); got != 1 {
		t.Errorf("got %d held, want the pause", got)
	}
}

func TestPausedGauge(t *testing.T) {
	t.Parallel()
	metrics := observe.NewMetrics("test")
	metrics.Paused("orders", "order-events", 3, true)
	metrics.Paused("archive", "", -1, true)
	metrics.Paused("archive", "", -1, false)
	wantLines(t, scrape(t, metrics),
		`millrace_paused{consumer="orders",partition="3",topic="order-events"} 1`,
		`millrace_paused{consumer="archive",partition="",topic=""} 0`)
}
