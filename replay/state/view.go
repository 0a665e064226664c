package state

import (
	"encoding/json"
	"time"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/store"
)

// View is one change of an entity, its state as one record left it, as far as it may be shown.
type View struct {
	Type string `json:"type"`
	ID   string `json:"id"`
	// Revision numbers the entity's changes from 1 on.
	Revision int64  `json:"revision"`
	Status   string `json:"status"`
	Action   string `json:"action"`
	Deleted  bool   `json:"deleted"`
	// Topic, Partition, Offset and Timestamp are the record's.
	Topic     string    `json:"topic"`
	Partition int32     `json:"partition"`
	Offset    int64     `json:"offset"`
	Timestamp time.Time `json:"timestamp"`
	// FirstSeen is the position of the entity's first record, of the current state alone.
	FirstSeen string        `json:"firstSeen,omitempty"`
	Body      messages.Body `json:"body"`
	// Event is the body, masked or revealed; null when there is none to show.
	Event json.RawMessage `json:"event"`
	// Raw is a revealed body that is no event; JSON has it in base64.
	Raw []byte `json:"raw,omitempty"`
}

// Position is where the record stands that made the change.
func (v View) Position() record.Position {
	return record.Position{Topic: v.Topic, Partition: v.Partition, Offset: v.Offset}
}

// Show returns what may be shown of a change: what is patient data, or may be, is hidden.
func Show(kind messages.Type, change store.Change) View {
	v := viewOf(change)
	v.Body, v.Event = messages.ShowBody(kind, body(change), "")
	return v
}

// Reveal is [Show] with nothing hidden: patient data too. Who shows it notes that first.
func Reveal(kind messages.Type, change store.Change) View {
	v := viewOf(change)
	v.Body, v.Event, v.Raw = messages.RevealBody(kind, body(change), "")
	return v
}

// body is never null: a state was made by an event.
func body(change store.Change) []byte {
	if change.Body == nil {
		return []byte{}
	}
	return change.Body
}

func viewOf(c store.Change) View {
	v := View{
		Type: c.Type, ID: c.ID, Revision: c.Revision, Status: c.Status, Action: c.Action, Deleted: c.Deleted,
		Topic: c.Topic, Partition: c.Partition, Offset: c.Offset, Timestamp: c.Timestamp.UTC(),
	}
	if c.FirstSeen.Topic != "" {
		v.FirstSeen = c.FirstSeen.String()
	}
	return v
}
