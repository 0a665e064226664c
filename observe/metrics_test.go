package observe_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prantikov/millrace/observe"
	"github.com/prantikov/millrace/record"
)

// scrape returns what /metrics shows.
func scrape(t *testing.T, metrics *observe.Metrics) string {
	t.Helper()
	answer := httptest.NewRecorder()
	metrics.Handler(slog.New(slog.DiscardHandler)).ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody))
	if answer.Code != http.StatusOK {
		t.Fatalf("/metrics: got %d, want 200: %s", answer.Code, answer.Body)
	}
	return answer.Body.String()
}

func wantLines(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains(text, "\n"+line+"\n") {
			t.Errorf("got no line %s in\n%s", line, text)
		}
	}
}

func TestMetricsHaveTheirNames(t *testing.T) {
	t.Parallel()
	metrics := observe.NewMetrics("1.2.3")
	orders := metrics.Consumer("orders", "orders-group", "order-events")
	orders.Consumed(10)
	orders.InFlight(4)
	orders.InFlight(3)
	orders.Processed(record.Done, "", 2*time.Microsecond)
	orders.Processed(record.Parked, record.ClassTimeout, 10*time.Second)
	orders.Retried()
	orders.DeadLettered(record.ClassMalformed)
	orders.Skipped("no_route")
	orders.Skipped("no_route")
	orders.Gap(7)
	orders.FirstSeen()
	orders.TransitionAccepted()
	orders.Normalised()
	orders.Abandoned(2)
	metrics.Sent("order-events", 3)
	metrics.SendFailed("order-events", "timeout", 1)

	wantLines(t, scrape(t, metrics),
		`millrace_abandoned_records_total{consumer="orders",topic="order-events"} 2`,
		`messaging_client_consumed_messages_total{group="orders-group",topic="order-events"} 10`,
		`messaging_client_sent_messages_total{error_type="",topic="order-events"} 3`,
		`messaging_client_sent_messages_total{error_type="timeout",topic="order-events"} 1`,
		`messaging_process_duration_seconds_bucket{error_type="",group="orders-group",outcome="done",topic="order-events",le="0.0001"} 1`,
		`messaging_process_duration_seconds_count{error_type="timeout",group="orders-group",outcome="parked",topic="order-events"} 1`,
		`millrace_retries_total{consumer="orders",topic="order-events"} 1`,
		`millrace_dead_letters_total{class="malformed",consumer="orders",topic="order-events"} 1`,
		`millrace_skipped_total{consumer="orders",reason="no_route",topic="order-events"} 2`,
		`millrace_gap_records_total{consumer="orders",topic="order-events"} 7`,
		`millrace_first_seen_total{consumer="orders",topic="order-events"} 1`,
		`millrace_transitions_accepted_total{consumer="orders",topic="order-events"} 1`,
		`millrace_normalised_total{consumer="orders",topic="order-events"} 1`,
		`millrace_in_flight{consumer="orders",topic="order-events"} 3`,
	)
	if text := scrape(t, metrics); !strings.Contains(text, `millrace_build_info{go_version="go1.`) || !strings.Contains(text, `version="1.2.3"} 1`) {
		t.Errorf("got no build info in\n%s", text)
	}
}

func TestMetricsAreKeptPerConsumerAndTopic(t *testing.T) {
	t.Parallel()
	metrics := observe.NewMetrics("test")
	first := metrics.Consumer("orders", "g", "order-events")
	if again := metrics.Consumer("orders", "g", "order-events"); again != first {
		t.Error("got two metrics of one consumer and topic, want one")
	}
	if other := metrics.Consumer("archive", "g", "order-events"); other == first {
		t.Error("got one metrics of two consumers, want two")
	}
}

func TestLagShowsTheLastRows(t *testing.T) {
	t.Parallel()
	metrics := observe.NewMetrics("test")
	metrics.Lag([]observe.Lag{
		{Group: "orders", Topic: "order-events", Partition: 1, Committed: 40, Oldest: 5, End: 50, Lag: 10},
		{Group: "archive", Topic: "order-events", Partition: 1, Committed: -1, Oldest: 5, End: 50, Lag: 45},
		{Group: "archive", Topic: "order-events", Partition: 1, Committed: -1, Oldest: 5, End: 50, Lag: 45},
	})
	text := scrape(t, metrics)
	wantLines(t, text,
		`kafka_consumergroup_lag{consumergroup="orders",partition="1",topic="order-events"} 10`,
		`kafka_consumergroup_lag{consumergroup="archive",partition="1",topic="order-events"} 45`,
		`kafka_consumergroup_current_offset{consumergroup="orders",partition="1",topic="order-events"} 40`,
		`kafka_topic_partition_current_offset{partition="1",topic="order-events"} 50`,
		`kafka_topic_partition_oldest_offset{partition="1",topic="order-events"} 5`,
	)
	if unknown := `kafka_consumergroup_current_offset{consumergroup="archive"`; strings.Contains(text, unknown) {
		t.Errorf("got %s, want nothing of an offset that is unknown", unknown)
	}
	metrics.Lag(nil)
	if text := scrape(t, metrics); strings.Contains(text, "kafka_") {
		t.Errorf("got rows after they were taken away:\n%s", text)
	}
}

func TestMetricsAreCountedFromManyGoroutines(t *testing.T) {
	t.Parallel()
	metrics := observe.NewMetrics("test")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 1000 {
				consumer := metrics.Consumer("orders", "orders", "order-events")
				consumer.Skipped("no_route")
				consumer.DeadLettered(record.Classes()[i%4])
				consumer.Processed(record.Done, "", time.Millisecond)
				metrics.Sent("order-events", 1)
			}
		})
	}
	all.Wait()
	wantLines(t, scrape(t, metrics),
		`millrace_skipped_total{consumer="orders",reason="no_route",topic="order-events"} 8000`,
		`millrace_dead_letters_total{class="tombstone",consumer="orders",topic="order-events"} 2000`,
		`messaging_process_duration_seconds_count{error_type="",group="orders",outcome="done",topic="order-events"} 8000`,
		`messaging_client_sent_messages_total{error_type="",topic="order-events"} 8000`,
	)
}

func TestAGoodRecordIsCountedWithoutAllocation(t *testing.T) {
	consumer := observe.NewMetrics("test").Consumer("orders", "orders", "order-events")
	consumer.Skipped("no_route")
	consumer.Processed(record.Skipped, "", time.Microsecond)
	got := testing.AllocsPerRun(100, func() {
		consumer.Processed(record.Done, "", time.Microsecond)
		consumer.Processed(record.Skipped, "", time.Microsecond)
		consumer.Skipped("no_route")
		consumer.InFlight(1)
		consumer.InFlight(0)
	})
	if got != 0 {
		t.Errorf("got %v allocations, want 0", got)
	}
}

func BenchmarkProcessedDone(b *testing.B) {
	consumer := observe.NewMetrics("bench").Consumer("orders", "orders", "order-events")
	b.ReportAllocs()
	for b.Loop() {
		consumer.Processed(record.Done, "", 2*time.Microsecond)
	}
}

func BenchmarkProcessedSkipped(b *testing.B) {
	consumer := observe.NewMetrics("bench").Consumer("orders", "orders", "order-events")
	b.ReportAllocs()
	for b.Loop() {
		consumer.Processed(record.Skipped, "", 2*time.Microsecond)
		consumer.Skipped("no_route")
	}
}
