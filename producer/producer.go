// Package producer owns sending typed events: it sets action, key and headers, checks the event, and says where it was written.
// It never routes or consumes anything.
package producer

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
)

// Sender is the end of Kafka that events go to; kafka.Publisher is one.
type Sender interface {
	PublishRecords(ctx context.Context, records []*record.Record) ([]record.Position, error)
	Close() error
}

// Settings is how a producer sends.
type Settings struct {
	// Open connects, at the first event.
	Open func() (Sender, error)
	// TopicName is the name on the brokers of a type's own topic. Default: the same.
	TopicName func(own string) string
	// ByPatient says of a type's own topic whether its records are keyed by their patient. Default: none is, the key is the entity's id.
	ByPatient func(own string) bool
	// TypeIDs has the Java class or alias to send as __TypeId__, by type name. Default: none, for a Java consumer refuses a class
	// that it does not know.
	TypeIDs map[string]string
	// Source is the CloudEvents source. Default /millrace.
	Source string
	// Trace begins the span of sending a record, to which it may add headers; what it returns is called with where the record stands, or the
	// error. tracing.Tracing.Send is one. Default: none.
	Trace func(ctx context.Context, r *record.Record) (context.Context, func(record.Position, error))
}

// Producer sends events. Make one with [New]. It is safe for concurrent use, and events of several goroutines share batches.
type Producer struct {
	settings Settings
	now      func() time.Time

	mu     sync.Mutex
	sender Sender
	closed bool
}

// New makes a producer. It connects at the first event.
func New(settings Settings) *Producer {
	settings.Source = cmp.Or(settings.Source, "/millrace")
	return &Producer{settings: settings, now: time.Now}
}

// Publish sends one event of a kind, for example Publish(ctx, messages.OrderShipped, order): it sets the event's action, keys the record
// by the entity's id, adds CloudEvents headers in binary mode, and refuses an event that a consumer would dead-letter. It returns when
// the brokers have the record, with its position. After an error of the brokers the outcome is unknown.
func (p *Producer) Publish(ctx context.Context, kind messages.Outgoing, event any) (record.Position, error) {
	encoded, err := kind.Outgoing(event)
	if err != nil {
		return record.Position{}, err
	}
	sender, err := p.open()
	if err != nil {
		return record.Position{}, err
	}
	at, err := p.send(ctx, sender, p.record(encoded))
	if err != nil {
		return record.Position{}, fmt.Errorf("publishing %s %s: %w", encoded.Type.Name(), encoded.Action, err)
	}
	return at, nil
}

// send sends one record, in a span where there are any.
func (p *Producer) send(ctx context.Context, sender Sender, r *record.Record) (at record.Position, err error) {
	if p.settings.Trace != nil {
		var end func(record.Position, error)
		ctx, end = p.settings.Trace(ctx, r)
		defer func() { end(at, err) }()
	}
	positions, err := sender.PublishRecords(ctx, []*record.Record{r})
	if err != nil {
		return record.Position{}, err
	}
	return positions[0], nil
}

// Close sends what is on its way and disconnects. A closed producer publishes nothing more.
func (p *Producer) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	if p.sender == nil {
		return nil
	}
	sender := p.sender
	p.sender = nil
	return sender.Close()
}

func (p *Producer) open() (Sender, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, fmt.Errorf("publishing: the producer is closed")
	}
	if p.sender == nil {
		sender, err := p.settings.Open()
		if err != nil {
			return nil, fmt.Errorf("connecting the producer: %w", err)
		}
		p.sender = sender
	}
	return p.sender, nil
}

// key is what the topic's records are keyed by.
func (p *Producer) key(encoded messages.Encoded) []byte {
	if p.settings.ByPatient != nil && p.settings.ByPatient(encoded.Type.Topic()) {
		return []byte(encoded.PatientID)
	}
	return []byte(encoded.EntityID)
}

// record is the event as a record: binary mode of the CloudEvents Kafka binding, which a Spring consumer passes over. No header names
// a patient, for headers are logged and shown by tools that know nothing of patients.
func (p *Producer) record(encoded messages.Encoded) *record.Record {
	topic := encoded.Type.Topic()
	if p.settings.TopicName != nil {
		topic = p.settings.TopicName(topic)
	}
	now := p.now().Truncate(time.Millisecond)
	headers := []record.Header{
		{Key: "content-type", Value: []byte("application/json")},
		{Key: "ce_specversion", Value: []byte("1.0")},
		{Key: "ce_id", Value: []byte(uuid.NewString())},
		{Key: "ce_source", Value: []byte(p.settings.Source)},
		{Key: "ce_type", Value: []byte("millrace." + encoded.Type.Name() + "." + string(encoded.Action))},
		{Key: "ce_time", Value: []byte(now.UTC().Format(time.RFC3339Nano))},
		{Key: "ce_subject", Value: []byte(strings.TrimSuffix(encoded.Type.Name(), "Event") + "/" + encoded.EntityID)},
	}
	if id := p.settings.TypeIDs[encoded.Type.Name()]; id != "" {
		headers = append(headers, record.Header{Key: "__TypeId__", Value: []byte(id)})
	}
	return &record.Record{
		Position: record.Position{Topic: topic, Partition: -1}, Timestamp: now,
		Key: p.key(encoded), Value: encoded.Value, Headers: headers,
	}
}
