package router

import (
	"context"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
)

// delivery is a record on its way through the chain of middleware, with what the links tell each other about it. It lives as long as the
// record is in memory, through all its tries: a parked record comes back with it. There is one for each record, so what nearly none
// needs is in trouble.
type delivery struct {
	record *record.Record
	// handled is what the function, the log and the dead letter see: the record itself, or what it was when its consumer gave it up.
	handled *record.Record
	// redriven is set for a record that comes back from a dead letter.
	redriven *redriven
	id       string
	// base is the context of the batch: it ends when work in flight is to be given up.
	base context.Context
	// action and route are known once the record was decoded.
	action messages.Action
	route  *Route
	// seat is where the lookout sees the running try; began is when that began, by the router's clock.
	seat  *seat
	began time.Time
	try   *try
	// made counts the tries that have ended, or run.
	made int
	// settle, when set, says whether the dead letter may be written now, or others would wait for something that is held meanwhile.
	settle    func() bool
	trouble   *trouble
	noHeaders message.Metadata

	// first is the memory of the first try: most records need no other.
	first struct {
		used    bool
		message message.Message
		try     try
	}
}

// trouble is what is known of a record that was not finished at its first try.
type trouble struct {
	// first is when the first try began, firstFailure when the first one failed.
	first, firstFailure time.Time
	// letter is set when the record was given up; lettered once its dead letter is acknowledged.
	letter   *record.Letter
	lettered bool
	// heldSince is when the record began to wait for something outside; held counts the tries since. waited is how long that took in all:
	// none of it is the retry's time.
	heldSince time.Time
	held      int
	waited    time.Duration
}

// inTrouble returns the record's trouble, which begins here when it has none.
func (d *delivery) inTrouble() *trouble {
	if d.trouble == nil {
		d.trouble = &trouble{first: d.began}
	}
	return d.trouble
}

// givenUp says whether the record has its dead letter, written or not.
func (d *delivery) givenUp() bool { return d.trouble != nil && d.trouble.letter != nil }

// retrying is for how long the record is tried, without the time in which it waited for something outside.
func (d *delivery) retrying(now time.Time) time.Duration {
	took := now.Sub(d.attempts().First)
	if d.trouble != nil {
		took -= d.trouble.waited
		if !d.trouble.heldSince.IsZero() {
			took -= now.Sub(d.trouble.heldSince)
		}
	}
	return took
}

// attempts is what was tried so far.
func (d *delivery) attempts() record.Attempts {
	if d.trouble == nil {
		return record.Attempts{Made: d.made, First: d.began}
	}
	return record.Attempts{Made: d.made, First: d.trouble.first, FirstFailure: d.trouble.firstFailure}
}

// around is the context around the running try: it has the try's span and does not end with the try.
func (d *delivery) around() context.Context {
	if d.try == nil {
		return d.base
	}
	return d.try.parent
}

type deliveryKey struct{}

// deliveryOf returns what travels with a message. A message that was not made here has none: middleware of ours is of no use outside.
func deliveryOf(msg *message.Message) *delivery {
	if t, ok := msg.Context().(*try); ok {
		return t.delivery
	}
	d, _ := msg.Context().Value(deliveryKey{}).(*delivery)
	if d == nil {
		r := record.FromContext(msg.Context())
		d = &delivery{record: r, handled: r, base: msg.Context()}
	}
	return d
}

// deliveries makes deliveries in blocks: an allocation for each record is a good part of what a record costs.
type deliveries struct {
	block []delivery
	// noHeaders is the metadata of all messages that only our own middleware sees, which looks at none.
	noHeaders message.Metadata
}

const deliveriesPerBlock = 16

// of returns the delivery of a batch's record: what came back with it, or a new one.
func (ds *deliveries) of(ctx context.Context, h *handler, batch *record.Batch, index int, s *seat) *delivery {
	d, back := batch.Memo(index).(*delivery)
	if !back {
		if len(ds.block) == 0 {
			ds.block = make([]delivery, deliveriesPerBlock)
		}
		d, ds.block = &ds.block[0], ds.block[1:]
	}
	if ds.noHeaders == nil {
		ds.noHeaders = message.Metadata{}
	}
	d.record, d.base, d.seat, d.settle, d.noHeaders = batch.Records[index], ctx, s, nil, ds.noHeaders
	d.handled = d.record
	if h.redriven != nil {
		h.recognise(d)
	}
	if !back {
		d.id = d.handled.ID()
	}
	return d
}

// forLater is the delivery without the memory of its block and of its tries.
func (d *delivery) forLater() *delivery {
	return &delivery{id: d.id, action: d.action, route: d.route, made: d.made, trouble: d.trouble}
}

// message makes the Watermill message of one try. Its outcome is the chain's return value and nobody waits for its ack, so a literal
// does without the channels that message.NewMessage makes. Headers are only copied where somebody else's middleware may look at them.
func (d *delivery) message(ctx context.Context, bare bool) *message.Message {
	msg, t := &d.first.message, &d.first.try
	if d.first.used {
		msg, t = &message.Message{}, &try{}
	}
	d.first.used = true
	t.parent, t.delivery = ctx, d
	d.try = t
	msg.UUID, msg.Payload = d.id, d.handled.Value
	if bare {
		msg.Metadata = d.noHeaders
	} else {
		msg.Metadata = make(message.Metadata, len(d.handled.Headers))
		for _, header := range d.handled.Headers {
			msg.Metadata[header.Key] = string(header.Value)
		}
	}
	msg.SetContext(t)
	return msg
}
