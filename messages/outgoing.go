package messages

import (
	"fmt"
	"log/slog"
)

// Outgoing is a kind whose Go type is not known at compile time: what a producer of any event takes. [Kind] implements it.
type Outgoing interface {
	// Outgoing encodes an event, the kind's struct or a pointer to it, with the kind's action. It returns what a record needs, or
	// an error for an event of another type and for one that a consumer would refuse.
	Outgoing(event any) (Encoded, error)
}

// Encoded is an event as it goes into a record. Printed with fmt or slog it shows nothing of the value.
type Encoded struct {
	Type   Type
	Action Action
	// EntityID is the entity's id, which is the record's key unless the topic has another rule.
	EntityID string
	// PatientID is patient data: for the key of a topic that is keyed by patient. Empty when the type names no patient.
	PatientID string
	Value     []byte
}

// LogValue shows slog what was encoded, and of the value only its length.
func (e Encoded) LogValue() slog.Value {
	name := ""
	if e.Type != nil {
		name = e.Type.Name()
	}
	return slog.GroupValue(
		slog.String("type", name),
		slog.String("action", string(e.Action)),
		slog.String("entityId", e.EntityID),
		slog.Int("bytes", len(e.Value)),
	)
}

// Format prints what was encoded, and of the value only its length, whatever the verb.
func (e Encoded) Format(state fmt.State, _ rune) { show(state, "Encoded", e.LogValue()) }

// Outgoing implements [Outgoing].
func (k Kind[T]) Outgoing(event any) (Encoded, error) {
	var body T
	switch event := event.(type) {
	case T:
		body = event
	case *T:
		if event == nil {
			return Encoded{}, fmt.Errorf("encoding %s: the event is nil", k.topic.name)
		}
		body = *event
	default:
		return Encoded{}, fmt.Errorf("encoding %s: the event is a %T", k.topic.name, event)
	}
	key, value, err := k.Encode(body)
	if err != nil {
		return Encoded{}, err
	}
	encoded := Encoded{Type: k.topic, Action: k.action, EntityID: string(key), Value: value}
	if subject, ok := any(&body).(Subject); ok {
		encoded.PatientID = subject.Patient()
	}
	return encoded, nil
}
