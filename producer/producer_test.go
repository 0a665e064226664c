package producer_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/producer"
	"github.com/prantikov/millrace/record"
)

// brokers keeps what was sent, and says where.
type brokers struct {
	mutex  sync.Mutex
	sent   []*record.Record
	refuse error
	closed int
}

func (b *brokers) PublishRecords(_ context.Context, records []*record.Record) ([]record.Position, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if b.refuse != nil {
		return nil, b.refuse
	}
	var positions []record.Position
	for _, r := range records {
		positions = append(positions, record.Position{Topic: r.Topic, Partition: 5, Offset: int64(len(b.sent))})
		b.sent = append(b.sent, r)
	}
	return positions, nil
}

func (b *brokers) Close() error {
	b.closed++
	return nil
}

func (b *brokers) open() (producer.Sender, error) { return b, nil }

// last is the record that was sent last.
func (b *brokers) last(t *testing.T) *record.Record {
	t.Helper()
	if len(b.sent) == 0 {
		t.Fatal("got no record, want one to be sent")
	}
	return b.sent[len(b.sent)-1]
}

func order() messages.OrderEvent {
	return messages.OrderEvent{OrderID: "ord-1", PatientID: "canary-patient", PharmacyID: "ph-3", Status: "shipped", TotalPrice: messages.NumberOf(66613.13)}
}

func TestPublishKeysByTheEntityAndSaysWhere(t *testing.T) {
	t.Parallel()
	sent := &brokers{}
	events := producer.New(producer.Settings{Open: sent.open})
	position, err := events.Publish(t.Context(), messages.OrderShipped, order())
	if err != nil {
		t.Fatal(err)
	}
	if want := (record.Position{Topic: "order-events", Partition: 5}); position != want {
		t.Errorf("got position %v, want %v", position, want)
	}
	r := sent.last(t)
	if got, want := string(r.Key), "ord-1"; got != want {
		t.Errorf("got key %q, want %q", got, want)
	}
	decoded, err := messages.Orders.Decode(r.Value)
	if err != nil {
		t.Fatal(err)
	}
	if decoded.Action != messages.Shipped {
		t.Errorf("got action %q, want that of the kind, shipped", decoded.Action)
	}
	if r.Timestamp.Nanosecond()%int(time.Millisecond) != 0 {
		t.Errorf("got timestamp %v, want whole milliseconds, as Kafka has", r.Timestamp)
	}
}

func TestPublishTakesAnEventOrAPointerAndChangesNeither(t *testing.T) {
	t.Parallel()
	sent := &brokers{}
	events := producer.New(producer.Settings{Open: sent.open})
	event := order()
	for _, given := range []any{event, &event} {
		if _, err := events.Publish(t.Context(), messages.OrderDelivered, given); err != nil {
			t.Fatalf("publishing a %T: %v", given, err)
		}
	}
	if string(sent.sent[0].Value) != string(sent.sent[1].Value) {
		t.Errorf("got %s from a pointer, want %s", sent.sent[1].Value, sent.sent[0].Value)
	}
	if event.Action != "" {
		t.Errorf("got action %q in the caller's event, want it untouched", event.Action)
	}
}

func TestHeadersAreThoseOfACloudEvent(t *testing.T) {
	t.Parallel()
	sent := &brokers{}
	events := producer.New(producer.Settings{
		Open: sent.open, Source: "/pharmacy", TypeIDs: map[string]string{"OrderEvent": "com.acme.OrderEvent"},
	})
	before := time.Now().Truncate(time.Millisecond)
	if _, err := events.Publish(t.Context(), messages.OrderShipped, order()); err != nil {
		t.Fatal(err)
	}
	r := sent.last(t)
	for key, want := range map[string]string{
		"content-type":   "application/json",
		"ce_specversion": "1.0",
		"ce_source":      "/pharmacy",
		"ce_type":        "millrace.OrderEvent.shipped",
		"ce_subject":     "Order/ord-1",
		"__TypeId__":     "com.acme.OrderEvent",
	} {
		if got, _ := r.Header(key); string(got) != want {
			t.Errorf("header %s: got %q, want %q", key, got, want)
		}
	}
	text, _ := r.Header("ce_time")
	at, err := time.Parse(time.RFC3339Nano, string(text))
	if err != nil || at.Before(before) || !at.Equal(r.Timestamp) {
		t.Errorf("header ce_time: got %q, want the record's timestamp, %v", text, r.Timestamp)
	}
	if named, ok := messages.TypeNamed("millrace.OrderEvent.shipped", messages.Types()); !ok || named.Name() != "OrderEvent" {
		t.Errorf("got %v for our own ce_type, want a consumer to find OrderEvent", named)
	}
	if got, want := r.ID(), headerText(r, "ce_id"); got != want || len(want) != 36 {
		t.Errorf("got id %q, want the UUID in ce_id, %q", got, want)
	}
}

func TestEachEventHasAnIDOfItsOwn(t *testing.T) {
	t.Parallel()
	sent := &brokers{}
	events := producer.New(producer.Settings{Open: sent.open})
	seen := map[string]bool{}
	for range 100 {
		if _, err := events.Publish(t.Context(), messages.OrderShipped, order()); err != nil {
			t.Fatal(err)
		}
		seen[sent.last(t).ID()] = true
	}
	if len(seen) != 100 {
		t.Errorf("got %d ids of 100 events, want 100", len(seen))
	}
}

func TestDefaultsSendNoJavaClass(t *testing.T) {
	t.Parallel()
	sent := &brokers{}
	if _, err := producer.New(producer.Settings{Open: sent.open}).Publish(t.Context(), messages.OrderShipped, order()); err != nil {
		t.Fatal(err)
	}
	if got, ok := sent.last(t).Header("__TypeId__"); ok {
		t.Errorf("header __TypeId__: got %q, want none", got)
	}
	if got, want := headerText(sent.last(t), "ce_source"), "/millrace"; got != want {
		t.Errorf("header ce_source: got %q, want %q", got, want)
	}
}

// Ensure no header names a patient: tools that know nothing of patients log and show them.
func TestHeadersHaveNoPatientData(t *testing.T) {
	t.Parallel()
	date, err := messages.ParseDate("1999-12-25")
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[messages.Outgoing]any{
		messages.AppointmentCreated:  messages.AppointmentEvent{AppointmentID: "apt-1", PatientID: "canary", Reason: "canary", Date: date},
		messages.PrescriptionUpdated: messages.PrescriptionEvent{PrescriptionID: "rx-1", PatientID: "canary", Medication: "canary", Dosage: "canary", Frequency: "canary", StartDate: date, EndDate: date},
		messages.OrderShipped:        messages.OrderEvent{OrderID: "ord-1", PatientID: "canary", TotalPrice: messages.NumberOf(66613.13), Items: []messages.OrderItemEvent{{ProductID: "canary", Quantity: 66613}}},
		messages.HealthRecordCreated: messages.HealthRecordEvent{RecordID: "hr-1", PatientID: "canary", Description: "canary", RecordDate: date},
	}
	sent := &brokers{}
	events := producer.New(producer.Settings{Open: sent.open, TypeIDs: map[string]string{"OrderEvent": "order"}})
	for kind, event := range kinds {
		if _, err := events.Publish(t.Context(), kind, event); err != nil {
			t.Fatal(err)
		}
		r := sent.last(t)
		for _, header := range r.Headers {
			if header.Key == "ce_id" || header.Key == "ce_time" {
				continue // a random number and the present time, which can hold any digits
			}
			for _, hidden := range []string{"canary", "1999", "66613"} {
				if strings.Contains(header.Key+string(header.Value), hidden) {
					t.Errorf("%s: got %q in header %s, want no patient data", r.Topic, header.Value, header.Key)
				}
			}
		}
	}
}

func TestTopicHasItsNameOnTheBrokers(t *testing.T) {
	t.Parallel()
	sent := &brokers{}
	events := producer.New(producer.Settings{Open: sent.open, TopicName: func(own string) string { return "clinic." + own }})
	position, err := events.Publish(t.Context(), messages.OrderShipped, order())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := sent.last(t).Topic, "clinic.order-events"; got != want || position.Topic != want {
		t.Errorf("got topic %q and position %v, want %q", got, position, want)
	}
}

func TestWhatAConsumerWouldRefuseIsNotSent(t *testing.T) {
	t.Parallel()
	changed := func(change func(*messages.OrderEvent)) messages.OrderEvent {
		event := order()
		change(&event)
		return event
	}
	tests := []struct {
		name  string
		event any
		want  string // part of the error
	}{
		{"an event of another type", messages.AppointmentEvent{AppointmentID: "canary"}, "the event is a messages.AppointmentEvent"},
		{"no event", nil, "the event is a <nil>"},
		{"a pointer to no event", (*messages.OrderEvent)(nil), "the event is nil"},
		{"text", "canary", "the event is a string"},
		{"no entity", changed(func(e *messages.OrderEvent) { e.OrderID = "" }), "the id of the entity is missing"},
		{"a blank entity", changed(func(e *messages.OrderEvent) { e.OrderID = " \t" }), "the id of the entity is missing"},
		{"an unknown status", changed(func(e *messages.OrderEvent) { e.Status = "canary" }), "status: the word is not one of"},
		{"invalid UTF-8", changed(func(e *messages.OrderEvent) { e.PatientID = "canary\xff" }), "want valid UTF-8"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			opened := false
			events := producer.New(producer.Settings{Open: func() (producer.Sender, error) {
				opened = true
				return &brokers{}, nil
			}})
			_, err := events.Publish(t.Context(), messages.OrderShipped, test.event)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got error %v, want one with %q", err, test.want)
			}
			if strings.Contains(err.Error(), "canary") {
				t.Errorf("got error %q, want nothing of the event in it", err)
			}
			if opened {
				t.Error("got a connection, want none for an event that is not sent")
			}
		})
	}
}

func TestErrorsOfTheBrokersAreReturned(t *testing.T) {
	t.Parallel()
	away := errors.New("no leader")
	refusing := &brokers{refuse: away}
	_, err := producer.New(producer.Settings{Open: refusing.open}).Publish(t.Context(), messages.OrderShipped, order())
	if !errors.Is(err, away) || !strings.Contains(err.Error(), "publishing OrderEvent shipped") || strings.Contains(err.Error(), "canary") {
		t.Errorf("got error %v, want what was published and why not, without the event", err)
	}
}

func TestConnectingIsTriedAgainAtTheNextEvent(t *testing.T) {
	t.Parallel()
	away, sent := errors.New("connection refused"), &brokers{}
	tries := 0
	events := producer.New(producer.Settings{Open: func() (producer.Sender, error) {
		if tries++; tries == 1 {
			return nil, away
		}
		return sent, nil
	}})
	if _, err := events.Publish(t.Context(), messages.OrderShipped, order()); !errors.Is(err, away) {
		t.Errorf("got error %v, want %v", err, away)
	}
	for range 2 {
		if _, err := events.Publish(t.Context(), messages.OrderShipped, order()); err != nil {
			t.Errorf("got error %v, want the next event to connect", err)
		}
	}
	if tries != 2 {
		t.Errorf("connected %d times, want 2: one that failed, one that lasts", tries)
	}
}

func TestClosedProducerPublishesNothing(t *testing.T) {
	t.Parallel()
	sent := &brokers{}
	events := producer.New(producer.Settings{Open: sent.open})
	if _, err := events.Publish(t.Context(), messages.OrderShipped, order()); err != nil {
		t.Fatal(err)
	}
	for range 2 { // closing twice is closing once
		if err := events.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if sent.closed != 1 {
		t.Errorf("the connection was closed %d times, want once", sent.closed)
	}
	if _, err := events.Publish(t.Context(), messages.OrderShipped, order()); err == nil || !strings.Contains(err.Error(), "the producer is closed") {
		t.Errorf("got error %v, want that the producer is closed", err)
	}
	if len(sent.sent) != 1 {
		t.Errorf("got %d records, want only the one before the end", len(sent.sent))
	}
}

func TestProducerThatNeverPublishedConnectsForNothing(t *testing.T) {
	t.Parallel()
	events := producer.New(producer.Settings{Open: func() (producer.Sender, error) {
		t.Error("connected, want no connection to close a producer")
		return nil, errors.New("not here")
	}})
	if err := events.Close(); err != nil {
		t.Errorf("got error %v, want none", err)
	}
}

func TestProducerIsForManyGoroutines(t *testing.T) {
	t.Parallel()
	sent := &brokers{}
	opened := 0
	events := producer.New(producer.Settings{Open: func() (producer.Sender, error) {
		opened++
		return sent, nil
	}})
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			if _, err := events.Publish(t.Context(), messages.OrderShipped, order()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if opened != 1 || len(sent.sent) != 16 {
		t.Errorf("got %d connections and %d records, want 1 and 16", opened, len(sent.sent))
	}
}

func headerText(r *record.Record, key string) string {
	value, _ := r.Header(key)
	return string(value)
}

func TestPublishKeysByThePatientWhereTheTopicAsksForIt(t *testing.T) {
	t.Parallel()
	sent := &brokers{}
	events := producer.New(producer.Settings{Open: sent.open, ByPatient: func(own string) bool { return own == "order-events" }})
	if _, err := events.Publish(t.Context(), messages.OrderShipped, order()); err != nil {
		t.Fatal(err)
	}
	if got, want := string(sent.last(t).Key), "canary-patient"; got != want {
		t.Errorf("got key %q, want the patient's id %q", got, want)
	}
}

type spanKey struct{}

// Ensure a program that traces gives each sending a span, which may add a header and learns the end.
func TestPublishIsTraced(t *testing.T) {
	t.Parallel()
	refused := errors.New("refused")
	tests := map[string]struct {
		refuse error
		want   record.Position
	}{
		"a record that is sent":    {nil, record.Position{Topic: "order-events", Partition: 5}},
		"a record that is refused": {refused, record.Position{}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sent, ends := &contextual{brokers: brokers{refuse: test.refuse}}, 0
			events := producer.New(producer.Settings{
				Open: func() (producer.Sender, error) { return sent, nil },
				Trace: func(ctx context.Context, r *record.Record) (context.Context, func(record.Position, error)) {
					r.Headers = append(r.Headers, record.Header{Key: "traceparent", Value: []byte("00-1-2-01")})
					return context.WithValue(ctx, spanKey{}, true), func(at record.Position, err error) {
						ends++
						if at != test.want || !errors.Is(err, test.refuse) {
							t.Errorf("got the end at %v with %v, want %v with %v", at, err, test.want, test.refuse)
						}
					}
				},
			})
			_, err := events.Publish(t.Context(), messages.OrderShipped, order())
			if !errors.Is(err, test.refuse) || ends != 1 || !sent.spanned {
				t.Errorf("got %v, %d ends, in the span %t, want %v, one, true", err, ends, sent.spanned, test.refuse)
			}
			if test.refuse == nil && headerText(sent.last(t), "traceparent") != "00-1-2-01" {
				t.Errorf("got headers %v, want the one that was added", sent.last(t).Headers)
			}
		})
	}
}

// contextual are brokers that look whether a record comes in its span.
type contextual struct {
	brokers
	spanned bool
}

func (c *contextual) PublishRecords(ctx context.Context, records []*record.Record) ([]record.Position, error) {
	c.spanned = ctx.Value(spanKey{}) != nil
	return c.brokers.PublishRecords(ctx, records)
}
