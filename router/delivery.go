package router

import (
	"context"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
)

// delivery is a record on its way through the chain of middleware, with what the links tell each other about it. It lives as long as the
// record is in memory, through all its tries.
type delivery struct {
	record   *record.Record
	attempts record.Attempts
	// base is the context of the batch: it ends when work in flight is to be given up.
	base context.Context
	// meta and route are known once the record was decoded.
	meta  messages.Meta
	route *Route
	// timer is the running try's timeout.
	timer *time.Timer
	// letter is set when the record was given up; lettered once its dead letter is acknowledged.
	letter   *record.Letter
	lettered bool
	// heldSince is when the record began to wait for something outside; held counts the tries since.
	heldSince time.Time
	held      int
	// settle, when set, says whether the dead letter may be written now, or others would wait for something that is held meanwhile.
	settle func() bool
}

type deliveryKey struct{}

// deliveryOf returns what travels with a message. A message that was not made here has none: middleware of ours is of no use outside.
func deliveryOf(msg *message.Message) *delivery {
	d, _ := msg.Context().Value(deliveryKey{}).(*delivery)
	if d == nil {
		d = &delivery{record: record.FromContext(msg.Context()), base: msg.Context()}
	}
	return d
}

// message makes the Watermill message of one record. Its outcome is the chain's return value and nobody waits for its ack, so a literal
// does without the channels that message.NewMessage makes.
func (d *delivery) message(ctx context.Context) *message.Message {
	metadata := make(message.Metadata, len(d.record.Headers))
	for _, header := range d.record.Headers {
		metadata[header.Key] = string(header.Value)
	}
	msg := &message.Message{UUID: d.record.ID(), Metadata: metadata, Payload: d.record.Value}
	msg.SetContext(context.WithValue(record.NewContext(ctx, d.record), deliveryKey{}, d))
	return msg
}
