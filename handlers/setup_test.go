package handlers_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/prantikov/millrace/handlers"
	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/store"
	"github.com/prantikov/millrace/store/storetest"
)

// platform is all built-in consumers as the list has them, on a real store, without brokers. Its methods are for one goroutine.
type platform struct {
	t       testing.TB
	store   *store.Store
	dataDir string
	walkers map[string]*router.Walker
	// replayers are the consumers as they take part in a replay.
	replayers map[string]*router.Walker
	letters   *letters
	clock     *clock
	log       bytes.Buffer
	// firstSeen and accepted count what the consumers tell, by consumer and topic.
	firstSeen, accepted map[string]int
	next                map[string]int64
	redrive             string
}

// options changes a platform. The zero value is the defaults.
type options struct {
	// dataDir is that of an earlier platform, for a restart.
	dataDir string
	// accept is the policy that lets every status pass.
	accept    bool
	pseudonym func(string) string
	use       []message.HandlerMiddleware
	// redrive is the topic on which dead letters come back; empty for none.
	redrive string
}

func setup(t testing.TB, o options) *platform {
	t.Helper()
	if o.dataDir == "" {
		o.dataDir = t.TempDir()
	}
	if o.pseudonym == nil {
		o.pseudonym = func(string) string { return "pseudonym" }
	}
	p := &platform{
		t: t, dataDir: o.dataDir, walkers: map[string]*router.Walker{}, replayers: map[string]*router.Walker{}, letters: &letters{}, clock: &clock{now: at},
		firstSeen: map[string]int{}, accepted: map[string]int{}, next: map[string]int64{}, redrive: o.redrive,
	}
	opened, err := store.Open(t.Context(), storetest.Place(t, o.dataDir), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	p.store = opened
	t.Cleanup(p.close)
	consumers, err := handlers.Consumers(handlers.Dependencies{
		Store: func() *store.Store { return opened }, DataDir: o.dataDir, Pseudonym: o.pseudonym,
		AcceptTransition:   func(string, messages.Type) bool { return o.accept },
		FirstSeen:          func(consumer, topic string) { p.firstSeen[consumer+" "+topic]++ },
		TransitionAccepted: func(consumer, topic string) { p.accepted[consumer+" "+topic]++ },
	})
	if err != nil {
		t.Fatal(err)
	}
	p.walk(consumers, o)
	return p
}

// walk makes the walker of each consumer, with the defaults of a router.
func (p *platform) walk(consumers []*router.Consumer, o options) {
	p.t.Helper()
	made, err := router.New(router.Settings{
		DeadLetters: p.letters, Types: messages.Types(), Clock: p.clock, Logger: slog.New(slog.NewJSONHandler(&p.log, &slog.HandlerOptions{ReplaceAttr: timeless})),
		Observe: func(router.Handler) router.Observer {
			// What an operator is told of a wait is as public as the log.
			return router.Observer{Held: func(_ *record.Record, hold router.Hold) { p.log.WriteString(hold.Cause + "\n") }}
		},
	}, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	made.Use(o.use...)
	for _, consumer := range consumers {
		if p.walkers[consumer.Name()], err = made.Walker(consumer, router.ConsumerSettings{Redrive: o.redrive}); err != nil {
			p.t.Fatal(err)
		}
		replaying, err := consumer.Replaying()
		if err != nil {
			p.t.Fatal(err)
		}
		if p.replayers[consumer.Name()], err = made.Walker(replaying, router.ConsumerSettings{Replay: true}); err != nil {
			p.t.Fatal(err)
		}
	}
}

// timeless leaves the time of a log line out, which could hold any digits.
func timeless(_ []string, attribute slog.Attr) slog.Attr {
	if attribute.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return attribute
}

func (p *platform) close() {
	if err := p.store.Close(); err != nil {
		p.t.Errorf("closing the store: %v", err)
	}
}

// restart is a new process on the same data directory.
func (p *platform) restart() *platform {
	p.t.Helper()
	again := setup(p.t, options{dataDir: p.dataDir, redrive: p.redrive})
	again.next = p.next
	return again
}

// place gives records their places: the next offsets of their topic, in partition 0.
func (p *platform) place(records ...*record.Record) []*record.Record {
	placed := make([]*record.Record, len(records))
	for i, r := range records {
		next := *r
		next.Offset = p.next[r.Topic]
		p.next[r.Topic]++
		placed[i] = &next
	}
	return placed
}

// deliver hands a consumer records of one topic in one batch and returns how each ended.
func (p *platform) deliver(consumer string, records ...*record.Record) []record.Result {
	p.t.Helper()
	return p.redeliver(consumer, "claim", p.place(records...)...)
}

// redeliver hands a consumer records that have their places, as the owner of a claim.
func (p *platform) redeliver(consumer, claim string, records ...*record.Record) []record.Result {
	p.t.Helper()
	return p.hand(p.walkers[consumer], claim, records)
}

// replay hands a consumer records that have their places, as a replay does.
func (p *platform) replay(consumer string, records ...*record.Record) []record.Result {
	p.t.Helper()
	return p.hand(p.replayers[consumer], "replay", records)
}

func (p *platform) hand(walker *router.Walker, claim string, records []*record.Record) []record.Result {
	p.t.Helper()
	results := make([]record.Result, len(records))
	stopping := make(chan struct{})
	p.clock.waits, p.clock.stop = 0, func() { close(stopping) }
	batch := &record.Batch{
		Records: records, Claim: claim, Stopping: stopping, Report: func(i int, result record.Result) { results[i] = result },
	}
	if err := walker.Walk(p.t.Context(), batch); err != nil {
		p.t.Fatal(err)
	}
	return results
}

// entity is the committed state of an entity that must be there.
func (p *platform) entity(declared messages.Type, id string) store.State {
	p.t.Helper()
	state, ok, err := p.store.Entity(p.t.Context(), declared.Name(), id)
	if err != nil {
		p.t.Fatal(err)
	}
	if !ok {
		p.t.Fatalf("%s %s: got no state, want one", declared.Name(), id)
	}
	return state
}

// at is when the records of these tests were written.
var at = time.Date(2024, time.December, 25, 10, 30, 0, 123_000_000, time.UTC)

// domain is one domain consumer and what its type calls things.
type domain struct {
	consumer string
	declared messages.Type
	id       string // the field with the entity's id
	// statuses are all that the type has.
	statuses []string
	// allowed are the transitions that the contract allows, but those to the same status.
	allowed []string
}

// domains is the contract of the four domain consumers.
func domains() []domain {
	return []domain{
		{
			consumer: "appointments", declared: messages.Appointments, id: "appointmentId",
			statuses: []string{"scheduled", "confirmed", "completed", "cancelled"},
			allowed: []string{
				"scheduled confirmed", "confirmed completed", "scheduled completed",
				"confirmed scheduled", // a rescheduling
				"scheduled cancelled", "confirmed cancelled",
			},
		},
		{
			consumer: "prescriptions", declared: messages.Prescriptions, id: "prescriptionId",
			statuses: []string{"active", "inactive", "completed"},
			allowed:  []string{"active inactive", "inactive active", "active completed", "inactive completed"},
		},
		{
			consumer: "orders", declared: messages.Orders, id: "orderId",
			statuses: []string{"pending", "processing", "shipped", "delivered"},
			allowed: []string{
				"pending processing", "processing shipped", "shipped delivered",
				"pending shipped", "pending delivered", "processing delivered", // steps are left out
			},
		},
		{consumer: "health-records", declared: messages.HealthRecords, id: "recordId"},
	}
}

// event is a record as a producer would write it; a status of "" is null.
func (d domain) event(id string, action messages.Action, status string) *record.Record {
	field := ""
	if d.statuses != nil {
		field = `,"status":null`
		if status != "" {
			field = fmt.Sprintf(`,"status":%q`, status)
		}
	}
	value := fmt.Sprintf(`{%q:%q,"patientId":"pat-1"%s,"action":%q}`, d.id, id, field, action)
	return d.raw(id, []byte(value))
}

// raw is a record of the domain's topic with any value.
func (d domain) raw(key string, value []byte) *record.Record {
	return &record.Record{Position: record.Position{Topic: d.declared.Topic()}, Key: []byte(key), Value: value, Timestamp: at}
}

// letters keeps dead letters in memory.
type letters struct{ written []record.Letter }

func (l *letters) Write(_ context.Context, letter record.Letter) error {
	l.written = append(l.written, letter)
	return nil
}

// clock jumps over pauses. Whoever waits for something that does not come back is stopped after a while.
type clock struct {
	now   time.Time
	waits int
	stop  func()
}

func (c *clock) Now() time.Time { return c.now }

func (c *clock) Wait(_ context.Context, _ <-chan struct{}, until time.Time) {
	if until.After(c.now) {
		c.now = until
	}
	if c.waits++; c.waits == 20 {
		c.stop()
	}
}

// done fails the test unless every record ended as done.
func done(t testing.TB, results []record.Result) {
	t.Helper()
	for i, result := range results {
		if result.Outcome != record.Done {
			t.Errorf("record %d: got %s (class %q), want done", i, result.Outcome, result.Class)
		}
	}
}
