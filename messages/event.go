package messages

import (
	"time"
)

// Event is what a handler gets: the body, decoded, and where it comes from.
//
// Printed with fmt or slog it shows only what is not tagged as patient data, and never the record's key.
type Event[T any] struct {
	Body T
	Meta
}

// Meta is what is known of an event besides its body.
type Meta struct {
	// Type is the event type's name, for example OrderEvent.
	Type string
	// Action is what happened to the entity.
	Action Action
	// ID names the event: its CloudEvents id, or topic/partition/offset. It is the same when the record is delivered again.
	ID string
	// EntityID is the id of the entity.
	EntityID string
	// Topic is the record's topic on the brokers; with Partition and Offset it is the record's position.
	Topic     string
	Partition int32
	Offset    int64
	// Timestamp is the record's, in milliseconds.
	Timestamp time.Time
	// Key is the record's key: nil when it has none. It may name a patient.
	Key []byte
	// Replayed and Redriven say why the event comes later than its time; see [Meta.Replay] and [Meta.Redrive].
	Replayed, Redriven bool
}

// Replay says that the event is read again in a replay of the log.
func (m Meta) Replay() bool { return m.Replayed }

// Redrive says that the event comes from a dead letter that was given back, so later events of its entity may have been handled before.
func (m Meta) Redrive() bool { return m.Redriven }

// Subject is a body that names its patient.
type Subject interface {
	// Patient is the patient's id, which is patient data; empty when the event has none.
	Patient() string
}

// Counterparty is a body that names who else has part in the event.
type Counterparty interface {
	// Counterpart is the role, doctor or pharmacy, and the id; the id is empty when the event has none.
	Counterpart() (role, id string)
}

// Stateful is a body that has a status.
type Stateful interface {
	// StatusName is the entity's status; empty when the event has none.
	StatusName() string
}
