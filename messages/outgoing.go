package messages

import "fmt"

// Outgoing is a kind whose Go type is not known at compile time: what a producer of any event takes. [Kind] implements it.
type Outgoing interface {
	// Outgoing encodes an event, the kind's struct or a pointer to it, with the kind's action. It returns what a record needs, or
	// an error for an event of another type and for one that a consumer would refuse.
	Outgoing(event any) (Encoded, error)
}

// Encoded is an event as it goes into a record.
type Encoded struct {
	Type   Type
	Action Action
	// EntityID is the entity's id, which is the record's key.
	EntityID string
	Value    []byte
}

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
	return Encoded{Type: k.topic, Action: k.action, EntityID: string(key), Value: value}, nil
}
