package router

import (
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/prantikov/millrace/messages"
)

// handler is one consumer on one topic: what Watermill's router knows under the name consumer/topic.
type handler struct {
	name Handler
	// declared, table and topic are those of one topic, and not set where records come back from dead letters.
	declared      messages.Type
	types         []messages.Type
	table         *routeTable
	unit          UnitOfWork
	strict        bool
	topic         TopicSettings
	limits        Limits
	retrySettings RetrySettings
	tryTimeout    time.Duration
	// together keeps all records of a partition in order, not only those of a key.
	together bool
	// replay tells the functions that the records are read again.
	replay bool
	// pool and pace are the consumer's, shared by its handlers; lookout is the router's.
	pool    *pool
	pace    *pace
	lookout *lookout
	// accepted is the type header that was accepted last: nearly all records of a topic have the same.
	accepted atomic.Pointer[typeHeader]
	// bare is true when no middleware but ours sees the messages; realTime when the clock is the system's.
	bare, realTime bool
	deadLetters    DeadLetters
	observer       Observer
	// span is nil when nobody traces.
	span   Span
	clock  Clock
	logger *slog.Logger
	run    message.HandlerFunc
	// redriven has the handlers of the consumer's other topics by name, where this one takes what comes back from dead letters.
	redriven map[string]*handler
	// claim names this process's ownership of whatever a subscriber hands over that knows no claims.
	claim string
}

// dispatch is the innermost link: decode the payload once, find the route by action, call the function.
func (h *handler) dispatch(msg *message.Message) ([]*message.Message, error) {
	d := deliveryOf(msg)
	if h.redriven != nil {
		return dispatchRedriven(msg, d)
	}
	if route := h.table.raw; route != nil {
		d.begin(route)
		return nil, route.raw(msg.Context(), d.handled)
	}
	decoded, err := h.decode(d.handled)
	if err != nil {
		return nil, err
	}
	if h.strict {
		if err := h.checkContent(d.handled, decoded); err != nil {
			return nil, err
		}
	}
	route := h.table.find(decoded.Action)
	if route == nil {
		return nil, Skip("no_route")
	}
	if decoded.Normalised && d.route == nil && h.observer.Normalised != nil {
		h.observer.Normalised()
	}
	d.action = decoded.Action
	d.begin(route)
	return nil, route.decoded(msg.Context(), decoded.Body, h.meta(d, decoded))
}

// begin notes the route and gives the running try the route's own timeout, where it has one.
func (d *delivery) begin(route *Route) {
	d.route = route
	if route.timeout > 0 && d.try != nil {
		d.try.limit.Store(int64(route.timeout))
	}
}

func (h *handler) meta(d *delivery, decoded messages.Decoded) messages.Meta {
	r := d.handled
	return messages.Meta{
		Type: h.declared.Name(), Action: decoded.Action, ID: d.id, EntityID: decoded.EntityID,
		Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Timestamp: r.Timestamp, Key: r.Key,
		Replayed: h.replay, Redriven: d.redriven != nil,
	}
}
