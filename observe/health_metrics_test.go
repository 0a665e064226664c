package observe_test

import (
	"strings"
	"testing"
	"time"

	"github.com/prantikov/millrace/observe"
)

// shownHealth is a health that metrics show, with a clock that the test sets.
func shownHealth() (*observe.Health, *observe.Metrics, *time.Time) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	health := observe.NewHealth(observe.HealthSettings{Now: func() time.Time { return now }})
	metrics := observe.NewMetrics("test")
	metrics.Show(health)
	return health, metrics, &now
}

func TestFrontierAge(t *testing.T) {
	t.Parallel()
	health, metrics, now := shownHealth()
	health.Progress("orders", "order-events", 0, 10, 2, now.Add(-90*time.Second))
	health.Progress("orders", "order-events", 1, 10, 0, now.Add(-time.Hour))
	health.Progress("orders", "order-events", 2, 10, 1, now.Add(time.Hour))
	health.Progress("orders", "order-events", 3, 10, 1, time.Time{})
	*now = now.Add(10 * time.Second)
	wantLines(t, scrape(t, metrics),
		`millrace_frontier_age_seconds{consumer="orders",partition="0",topic="order-events"} 100`,
		`millrace_frontier_age_seconds{consumer="orders",partition="1",topic="order-events"} 0`,
		`millrace_frontier_age_seconds{consumer="orders",partition="2",topic="order-events"} 0`,
		`millrace_frontier_age_seconds{consumer="orders",partition="3",topic="order-events"} 10`,
	)
}

// Ensure the metrics say stuck, held and ready as /healthz and /readyz do, for an alert sees the metrics alone.
func TestMetricsSayWhatHealthSays(t *testing.T) {
	t.Parallel()
	health, metrics, now := shownHealth()
	health.Expect("orders", "orders-group")
	wantLines(t, scrape(t, metrics), "millrace_kafka_answers 0", `millrace_joined{consumer="orders",group="orders-group"} 0`)

	health.Kafka(true)
	health.Joined("orders", true)
	health.Progress("orders", "order-events", 4, 20, 1, time.Time{})
	health.Progress("orders", "order-events", 5, 30, 1, time.Time{})
	health.Hold("orders", "order-events", 5, "the pharmacy is away")
	*now = now.Add(2 * time.Minute)
	wantLines(t, scrape(t, metrics),
		"millrace_kafka_answers 1", `millrace_joined{consumer="orders",group="orders-group"} 1`,
		`millrace_stuck{consumer="orders",partition="4",topic="order-events"} 1`,
		`millrace_stuck{consumer="orders",partition="5",topic="order-events"} 0`,
		`millrace_held{consumer="orders",partition="4",topic="order-events"} 0`,
		`millrace_held{consumer="orders",partition="5",topic="order-events"} 1`,
	)

	health.Hold("orders", "", -1, "the store is away")
	wantLines(t, scrape(t, metrics),
		`millrace_held{consumer="orders",partition="",topic=""} 1`,
		`millrace_stuck{consumer="orders",partition="4",topic="order-events"} 0`,
	)
}

// Ensure a partition that another member has taken leaves no series behind that would keep an alert burning.
func TestLostPartitionLeavesTheMetrics(t *testing.T) {
	t.Parallel()
	health, metrics, _ := shownHealth()
	health.Progress("orders", "order-events", 4, 20, 1, time.Time{})
	health.Hold("orders", "order-events", 4, "away")
	health.Lost("orders", "order-events", 4)
	if text := scrape(t, metrics); strings.Contains(text, `partition="4"`) {
		t.Errorf("got a series of a lost partition in\n%s", text)
	}
}
