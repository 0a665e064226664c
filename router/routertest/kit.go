// Package routertest owns a kit that runs a consumer's routes in memory, without a broker and without waiting, so that a handler's author
// tests retries, dead letters and order in milliseconds. It never replaces a test against a broker.
package routertest

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router"
)

// Kit is one consumer on a log of one partition per topic. Time stands still but for the pauses between tries, which pass at once.
// Its methods are for one goroutine.
type Kit struct {
	t       testing.TB
	walker  *router.Walker
	next    map[string]int64
	clock   *clock
	letters *letters
}

// New makes a kit for a consumer with these routes and options, as app.Consume takes them. Mistakes of wiring end the test.
func New(t testing.TB, name string, options ...router.Option) *Kit {
	t.Helper()
	return NewWith(t, router.Settings{}, router.ConsumerSettings{}, name, options...)
}

// NewWith is [New] with policies, limits and retries other than the defaults.
func NewWith(t testing.TB, settings router.Settings, consumerSettings router.ConsumerSettings, name string, options ...router.Option) *Kit {
	t.Helper()
	kit := &Kit{t: t, next: map[string]int64{}, clock: newClock(), letters: &letters{}}
	if settings.DeadLetters == nil {
		settings.DeadLetters = kit.letters
	}
	if settings.Types == nil {
		settings.Types = messages.Types()
	}
	settings.Clock = kit.clock
	consumer, err := router.Consume(name, options...)
	if err != nil {
		t.Fatalf("declaring the consumer: %v", err)
	}
	made, err := router.New(settings, watermill.NopLogger{})
	if err != nil {
		t.Fatalf("making the router: %v", err)
	}
	if kit.walker, err = made.Walker(consumer, consumerSettings); err != nil {
		t.Fatalf("making the walker: %v", err)
	}
	return kit
}

// Deliver gives the consumer one event of a kind, keyed by its entity, and returns how it ended.
func Deliver[T any](kit *Kit, kind messages.Kind[T], event T) record.Result {
	kit.t.Helper()
	return kit.DeliverRecords(Record(kit.t, kind, event))[0]
}

// Record is the record that a producer would make of an event of a kind.
func Record[T any](t testing.TB, kind messages.Kind[T], event T) *record.Record {
	t.Helper()
	key, value, err := kind.Encode(event)
	if err != nil {
		t.Fatalf("encoding the event: %v", err)
	}
	return &record.Record{
		Position: record.Position{Topic: kind.Topic().Topic()}, Key: key, Value: value, Timestamp: start,
	}
}

// DeliverRecords gives the consumer records of one topic in one batch, at the next offsets of partition 0, and returns how each ended.
func (k *Kit) DeliverRecords(records ...*record.Record) []record.Result {
	k.t.Helper()
	results := make([]record.Result, len(records))
	batch := &record.Batch{Claim: "routertest", Report: func(i int, result record.Result) { results[i] = result }}
	for _, r := range records {
		placed := *r
		placed.Offset = k.next[r.Topic]
		k.next[r.Topic]++
		batch.Records = append(batch.Records, &placed)
	}
	if err := k.walker.Walk(context.Background(), batch); err != nil {
		k.t.Fatal(err)
	}
	return results
}

// Letters returns the dead letters that the consumer wrote, in their order.
func (k *Kit) Letters() []record.Letter { return k.letters.all() }

// Waited is how much time passed in pauses between tries.
func (k *Kit) Waited() time.Duration { return k.clock.Now().Sub(start) }

// start is the time at which every kit begins.
var start = time.Date(2026, time.January, 5, 8, 0, 0, 0, time.UTC)

// clock jumps over every wait.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: start} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Wait(_ context.Context, _ <-chan struct{}, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if until.After(c.now) {
		c.now = until
	}
}

// letters keeps dead letters in memory.
type letters struct {
	mu      sync.Mutex
	written []record.Letter
}

func (l *letters) Write(_ context.Context, letter record.Letter) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.written = append(l.written, letter)
	return nil
}

func (l *letters) all() []record.Letter {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.written)
}
