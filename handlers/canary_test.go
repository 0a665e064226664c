package handlers_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/prantikov/millrace/record"
)

// canaryEvents has an event for each topic whose patient data, and whatever else is not known to be harmless, is a magpie, or a
// number or date that stands nowhere else.
var canaryEvents = map[string]string{
	"appointment-events":   `{"appointmentId":"e-1","patientId":"magpie","doctorId":"d-1","date":"1999-12-25","time":"03:33","reason":"magpie","status":"scheduled","visitType":"virtual","note":"magpie","action":"created"}`,
	"prescription-events":  `{"prescriptionId":"e-1","patientId":"magpie","doctorId":"d-1","medication":"magpie","dosage":"magpie","frequency":"magpie","startDate":"1999-12-25","endDate":"1999-12-25","status":"active","note":"magpie","action":"created"}`,
	"order-events":         `{"orderId":"e-1","patientId":"magpie","pharmacyId":"p-1","totalPrice":66613.13,"status":"pending","orderDate":"1999-12-25T03:33:33","deliveryDate":"1999-12-25T03:33:33","items":[{"productId":"magpie","quantity":66613,"price":66613.13}],"note":"magpie","action":"created"}`,
	"health-record-events": `{"recordId":"e-1","patientId":"magpie","doctorId":"d-1","recordType":"diagnosis","description":"magpie","recordDate":"1999-12-25","note":"magpie","action":"created"}`,
}

// spoilt are ways to break an event so that its canaries might get into an error's text.
var spoilt = []struct {
	name  string
	spoil func(r *record.Record)
}{
	{"a good event", func(*record.Record) {}},
	{"truncated", func(r *record.Record) { r.Value = r.Value[:len(r.Value)-3] }},
	{"text after the event", func(r *record.Record) { r.Value = append(r.Value, "magpie"...) }},
	{"no JSON", func(r *record.Record) { r.Value = []byte("magpie") }},
	{"an unknown action", replacing(`"created"`, `"magpie"`)},
	{"an action of another type", replacing(`"created"`, `{"magpie":"magpie"}`)},
	{"an impossible date", replacing("1999-12-25", "1999-12-magpie")},
	{"a number that is none", replacing("66613.13", `"magpie"`)},
	{"a repeated name", replacing(`"note"`, `"patientId"`)},
	{"invalid UTF-8", replacing("magpie", "magpie\xff")},
	{"no entity", replacing(`"e-1"`, `null`)},
	{"an unknown status", replacing(`"scheduled"`, `"magpie"`, `"active"`, `"magpie"`, `"pending"`, `"magpie"`, `"diagnosis"`, `"magpie"`)},
	{"the patient as the key", func(r *record.Record) { r.Key = []byte("magpie") }},
	{"a tombstone of a patient", func(r *record.Record) { r.Key, r.Value = []byte("magpie"), nil }},
	{"headers that name the patient", func(r *record.Record) {
		r.Headers = []record.Header{
			{Key: "magpie", Value: []byte("magpie")}, {Key: "ce_type", Value: []byte("magpie.OrderEvent.shipped")},
			{Key: "__TypeId__", Value: []byte("magpie.AppointmentEvent")}, {Key: "content-type", Value: []byte("magpie")},
		}
	}},
	{"an envelope that is none", func(r *record.Record) {
		r.Headers = []record.Header{{Key: "content-type", Value: []byte("application/cloudevents+json")}}
		r.Value = []byte(`{"data_base64":"magpie!"}`)
	}},
}

func replacing(pairs ...string) func(*record.Record) {
	replacer := strings.NewReplacer(pairs...)
	return func(r *record.Record) { r.Value = []byte(replacer.Replace(string(r.Value))) }
}

// canary is a fresh record of a topic.
func canary(topic string) *record.Record {
	return &record.Record{Position: record.Position{Topic: topic}, Key: []byte("e-1"), Value: []byte(canaryEvents[topic]), Timestamp: at}
}

// takes says whether a consumer takes a topic.
func takes(consumer, topic string) bool {
	for _, d := range domains() {
		if d.consumer == consumer {
			return d.declared.Topic() == topic
		}
	}
	return true
}

// eachPair runs a function for each consumer with each topic that it takes.
func eachPair(p *platform, run func(consumer, topic string)) {
	for consumer := range p.walkers {
		for topic := range canaryEvents {
			if takes(consumer, topic) {
				run(consumer, topic)
			}
		}
	}
}

// checkLog looks for canaries in all that was logged, and forgets it.
func checkLog(t *testing.T, p *platform, name string) {
	t.Helper()
	for line := range strings.Lines(p.log.String()) {
		for _, hidden := range []string{"magpie", "1999-12", "03:33", "66613.13", "bWFncGll", "6d6167706965"} { // in base64 and in hexadecimal too
			if strings.Contains(line, hidden) {
				t.Errorf("%s: got %q in the log, want nothing of %q", name, line, hidden)
				break
			}
		}
	}
	p.log.Reset()
}

func TestLogOfBadRecordsHasNoPatientData(t *testing.T) {
	t.Parallel()
	p := setup(t, options{})
	for _, way := range spoilt {
		eachPair(p, func(consumer, topic string) {
			name := way.name + " at " + consumer + " on " + topic
			r := canary(topic)
			way.spoil(r)
			result := p.deliver(consumer, r)[0]
			if !result.Outcome.Finished() {
				t.Errorf("%s: got %s, want the next record to flow on", name, result.Outcome)
			}
			if result.Outcome == record.DeadLettered && p.log.Len() == 0 {
				t.Errorf("%s: got no line in the log, want one of the dead letter", name)
			}
			checkLog(t, p, name)
		})
	}
}

// quoting is a plugin's middleware whose error quotes the event.
func quoting(message.HandlerFunc) message.HandlerFunc {
	return func(msg *message.Message) ([]*message.Message, error) {
		return nil, fmt.Errorf("sending %s of %v: %w", msg.Payload, msg.Metadata, errors.New(string(msg.Payload)))
	}
}

func TestLogOfErrorsHasNoPatientData(t *testing.T) {
	t.Parallel()
	p := setup(t, options{use: []message.HandlerMiddleware{quoting}})
	eachPair(p, func(consumer, topic string) {
		name := consumer + " on " + topic
		want := record.Result{Outcome: record.DeadLettered, Class: record.ClassFailed, Attempts: 4}
		if got := p.deliver(consumer, canary(topic))[0]; got != want {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
		if got := strings.Count(p.log.String(), "\n"); got != 4 {
			t.Errorf("%s: got %d lines in the log, want 4: three tries and the dead letter", name, got)
		}
		checkLog(t, p, name)
	})
}

// panicking makes each function panic with the whole event, when it asks its context for the unit of work.
func panicking(next message.HandlerFunc) message.HandlerFunc {
	return func(msg *message.Message) ([]*message.Message, error) {
		msg.SetContext(&panickingContext{Context: msg.Context(), value: string(msg.Payload)})
		return next(msg)
	}
}

type panickingContext struct {
	context.Context
	value string
}

func (c *panickingContext) Value(key any) any {
	if strings.HasPrefix(fmt.Sprintf("%T", key), "store.") {
		panic(c.value)
	}
	return c.Context.Value(key)
}

func TestLogOfPanicsHasNoPatientData(t *testing.T) {
	t.Parallel()
	p := setup(t, options{use: []message.HandlerMiddleware{panicking}})
	eachPair(p, func(consumer, topic string) {
		name := consumer + " on " + topic
		want := record.Result{Outcome: record.DeadLettered, Class: record.ClassPanic, Attempts: 4}
		if got := p.deliver(consumer, canary(topic))[0]; got != want {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
		if !strings.Contains(p.log.String(), `"stack":"goroutine`) {
			t.Errorf("%s: got no stack in the log, want one: %s", name, p.log.String())
		}
		checkLog(t, p, name)
	})
}

func TestLogOfAPseudonymThatPanicsHasNoPatientData(t *testing.T) {
	t.Parallel()
	p := setup(t, options{pseudonym: func(patient string) string { panic(errors.New("no key for " + patient)) }})
	for topic := range canaryEvents {
		if got := p.deliver("logging", canary(topic))[0]; got.Class != record.ClassPanic {
			t.Errorf("%s: got %s of class %q, want class panic", topic, got.Outcome, got.Class)
		}
		checkLog(t, p, topic)
	}
}

// Ensure a store that is away costs no record and tells nothing of one: all consumers hold until it is back.
func TestStoreThatIsAwayHoldsAndTellsNothing(t *testing.T) {
	t.Parallel()
	p := setup(t, options{})
	if err := p.store.Close(); err != nil {
		t.Fatal(err)
	}
	eachPair(p, func(consumer, topic string) {
		name := consumer + " on " + topic
		if got := p.deliver(consumer, canary(topic))[0]; got.Outcome != record.Unfinished {
			t.Errorf("%s: got %s, want the record unfinished", name, got.Outcome)
		}
		if p.log.Len() == 0 {
			t.Errorf("%s: got silence, want somebody to be told", name)
		}
		checkLog(t, p, name)
	})
	if got := len(p.letters.written); got != 0 {
		t.Errorf("got %d dead letters, want none", got)
	}
}

// Ensure the same of a function that finds no unit of work, which is a mistake in the wiring: it costs no record either.
func TestMissingUnitOfWorkHoldsAndTellsNothing(t *testing.T) {
	t.Parallel()
	p := setup(t, options{use: []message.HandlerMiddleware{withoutStore}})
	eachPair(p, func(consumer, topic string) {
		name := consumer + " on " + topic
		if got := p.deliver(consumer, canary(topic))[0]; got.Outcome != record.Unfinished {
			t.Errorf("%s: got %s, want the record unfinished", name, got.Outcome)
		}
		checkLog(t, p, name)
	})
}

// withoutStore hides the unit of work from the functions.
func withoutStore(next message.HandlerFunc) message.HandlerFunc {
	return func(msg *message.Message) ([]*message.Message, error) {
		msg.SetContext(storelessContext{msg.Context()})
		return next(msg)
	}
}

type storelessContext struct{ context.Context }

func (c storelessContext) Value(key any) any {
	if strings.HasPrefix(fmt.Sprintf("%T", key), "store.") {
		return nil
	}
	return c.Context.Value(key)
}
