package analytics_test

import (
	"fmt"
	"slices"
	"testing"
	"time"
	_ "time/tzdata" // the zone of these tests, wherever they run

	"github.com/prantikov/millrace/handlers"
	"github.com/prantikov/millrace/handlers/analytics"
	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/router/routertest"
	"github.com/prantikov/millrace/store"
	"github.com/prantikov/millrace/store/storetest"
)

// setup is the consumer on a store of its own, and the store.
func setup(t testing.TB, zone *time.Location) (*routertest.Kit, *store.Store) {
	t.Helper()
	opened, err := store.Open(t.Context(), storetest.Place(t, t.TempDir()), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = opened.Close() })
	return consumer(t, opened, zone), opened
}

func consumer(t testing.TB, opened *store.Store, zone *time.Location) *routertest.Kit {
	t.Helper()
	return routertest.New(t, "analytics", handlers.Durable(handlers.Storage{Store: func() *store.Store { return opened }}, "analytics"),
		router.OnAny(messages.Types(), analytics.New(zone).Note))
}

// checkCounts compares the counts as lines of day, topic, action, status and number.
func checkCounts(t *testing.T, opened *store.Store, want ...string) {
	t.Helper()
	counts, err := opened.Counts(t.Context(), store.CountFilter{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range counts {
		got = append(got, fmt.Sprintf("%s %s %s %q %d", c.Day, c.Topic, c.Action, c.Status, c.N))
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}

func order(t *testing.T, kind messages.Kind[messages.OrderEvent], id, status string, at time.Time) *record.Record {
	t.Helper()
	r := routertest.Record(t, kind, messages.OrderEvent{OrderID: id, Status: status})
	r.Timestamp = at
	return r
}

func TestEventsAreCountedByTopicActionStatusAndDay(t *testing.T) {
	t.Parallel()
	kit, opened := setup(t, nil)
	day := time.Date(2024, 12, 25, 10, 30, 0, 0, time.UTC)
	kit.DeliverRecords(
		order(t, messages.OrderCreated, "ord-1", "pending", day), order(t, messages.OrderCreated, "ord-2", "pending", day),
		order(t, messages.OrderCreated, "ord-3", "processing", day), order(t, messages.OrderShipped, "ord-1", "shipped", day),
		order(t, messages.OrderUpdated, "ord-1", "", day), order(t, messages.OrderCreated, "ord-4", "pending", day.AddDate(0, 0, 1)),
	)
	record := routertest.Record(t, messages.HealthRecordCreated, messages.HealthRecordEvent{RecordID: "hr-1", RecordType: "diagnosis"})
	record.Timestamp = day
	kit.DeliverRecords(record)
	checkCounts(t, opened,
		`2024-12-25 health-record-events created "" 1`,
		`2024-12-25 order-events created "pending" 2`,
		`2024-12-25 order-events created "processing" 1`,
		`2024-12-25 order-events shipped "shipped" 1`,
		`2024-12-25 order-events updated "" 1`,
		`2024-12-26 order-events created "pending" 1`,
	)
}

func TestEveryActionOfEveryTypeIsCounted(t *testing.T) {
	t.Parallel()
	kit, opened := setup(t, nil)
	want := 0
	for _, declared := range messages.Types() {
		for _, action := range declared.Actions() {
			kit.DeliverRecords(&record.Record{Position: record.Position{Topic: declared.Topic()}, Value: declared.Sample(action)})
			want++
		}
	}
	counts, err := opened.Counts(t.Context(), store.CountFilter{})
	if err != nil {
		t.Fatal(err)
	}
	if len(counts) != want || len(kit.Letters()) != 0 {
		t.Errorf("got %d counts and %d dead letters, want %d and none", len(counts), len(kit.Letters()), want)
	}
}

// Ensure the day is the record's timestamp's, in UTC unless there is another zone.
func TestDayOfTheZone(t *testing.T) {
	t.Parallel()
	newYork, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	local := time.FixedZone("", 2*60*60)
	tests := []struct {
		name string
		zone *time.Location // nil for the default
		at   time.Time
		want string
	}{
		{"the last millisecond of a day in UTC", nil, time.Date(2024, 12, 25, 23, 59, 59, 999_000_000, time.UTC), "2024-12-25"},
		{"midnight in UTC begins a day", nil, time.Date(2024, 12, 26, 0, 0, 0, 0, time.UTC), "2024-12-26"},
		{"the timestamp's own zone says nothing", nil, time.Date(2024, 12, 26, 1, 0, 0, 0, local), "2024-12-25"},
		{"east of Greenwich the day begins before", local, time.Date(2024, 12, 25, 22, 0, 0, 0, time.UTC), "2024-12-26"},
		{"west of Greenwich the day begins after", newYork, time.Date(2024, 12, 26, 4, 59, 59, 0, time.UTC), "2024-12-25"},
		{"in summer it begins an hour earlier", newYork, time.Date(2024, 7, 26, 4, 0, 0, 0, time.UTC), "2024-07-26"},
		{"a record without a timestamp has a day too", nil, time.Time{}, "0001-01-01"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			kit, opened := setup(t, test.zone)
			kit.DeliverRecords(order(t, messages.OrderCreated, "ord-1", "pending", test.at))
			checkCounts(t, opened, test.want+` order-events created "pending" 1`)
		})
	}
}

// Ensure a repeat counts once: a kit begins at offset 0, so a second one on the same store delivers the same records again.
func TestRepeatCountsOnce(t *testing.T) {
	t.Parallel()
	kit, opened := setup(t, nil)
	day := time.Date(2024, 12, 25, 10, 30, 0, 0, time.UTC)
	records := []*record.Record{order(t, messages.OrderCreated, "ord-1", "pending", day), order(t, messages.OrderCreated, "ord-2", "pending", day)}
	kit.DeliverRecords(records...)
	for _, result := range consumer(t, opened, nil).DeliverRecords(records...) {
		if result.Outcome != record.Done {
			t.Errorf("got %s for a repeat, want done", result.Outcome)
		}
	}
	checkCounts(t, opened, `2024-12-25 order-events created "pending" 2`)
}

// Ensure an event with a status that nobody knows is counted as what it says: the domain consumer is the one that refuses it.
func TestUnknownStatusIsCounted(t *testing.T) {
	t.Parallel()
	kit, opened := setup(t, nil)
	kit.DeliverRecords(&record.Record{
		Position: record.Position{Topic: "order-events"}, Value: []byte(`{"orderId":"ord-1","status":"lost","action":"created"}`),
		Timestamp: time.Date(2024, 12, 25, 10, 30, 0, 0, time.UTC),
	})
	checkCounts(t, opened, `2024-12-25 order-events created "lost" 1`)
}

// Ensure what cannot be read is not counted.
func TestDeadLetterIsNotCounted(t *testing.T) {
	t.Parallel()
	kit, opened := setup(t, nil)
	kit.DeliverRecords(&record.Record{Position: record.Position{Topic: "order-events"}, Value: []byte(`{"orderId":"ord-1"`)})
	checkCounts(t, opened)
	if got := len(kit.Letters()); got != 1 {
		t.Errorf("got %d dead letters, want 1", got)
	}
}
