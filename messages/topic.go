package messages

import (
	"fmt"
	"io/fs"
	"reflect"
	"slices"
)

// Type is a topic with its event type, without the Go type: what routers, commands and readers of dead letters work with.
// [Topic] implements it. A Type is safe for concurrent use.
type Type interface {
	// Topic is our own name of the topic, for example order-events. Configuration may give it another on the brokers.
	Topic() string
	// Name is the event type's name, for example OrderEvent: the Go type's, and the last segment of the Java class's.
	Name() string
	// Actions lists the actions of the type, deleted last.
	Actions() []Action
	// Decode reads one event. The payload is a record's value after [Payload]; it is not kept. The error is an [*Error].
	Decode(payload []byte) (Decoded, error)
	// PHI lists the JSON names of the fields that are patient data; a field inside another one is written outer.inner.
	// Everything inside a listed field is patient data too.
	PHI() []string
	// Columns lists the fields at the top of the event, as the columns of a table.
	Columns() []Column
	// Sample is an example of the kind with this action, as one line of JSON, or nil when there is none.
	Sample(a Action) []byte
}

// Decoded is an event that was read.
type Decoded struct {
	// Body is a pointer to the event's struct, for example *OrderEvent.
	Body any
	// Action is one of the type's actions.
	Action Action
	// EntityID is the id of the entity, which is also what the record's key should be. It is not empty.
	EntityID string
	// Normalised says that an action, status or other fixed word was spelled otherwise than the contract has it (IN_PERSON for
	// in_person) and was brought to the contract's spelling.
	Normalised bool

	checker interface {
		checkAny(body any) error
		values(body any) []any
	}
}

// Check is the package's [Check] of the body, without the search for its type.
func (d Decoded) Check() error {
	if d.checker == nil {
		return Check(d.Body)
	}
	return d.checker.checkAny(d.Body)
}

// Topic is a topic whose records are events of type T. Make one with [NewTopic].
type Topic[T any] struct {
	topic   string
	name    string
	key     func(*T) string
	action  func(*T) *Action
	actions []Action
	fields  *fieldSet
	samples fs.FS
}

// NewTopic declares an event type: a struct whose fields carry json tags, and with them
//   - phi:"true" on every field that is patient data,
//   - enum:"scheduled confirmed" on a string field that has fixed words: the spelling is normalised in decoding, and [Check] refuses
//     other words.
//
// Key returns the id of the entity, action the place of the event's action; both are called with a non-nil event. The action deleted
// need not be named: every type has it. NewTopic panics when T is not a named struct or a function is missing: a mistake of
// wiring that shows at start.
func NewTopic[T any](topic string, key func(*T) string, action func(*T) *Action, actions ...Action) *Topic[T] {
	event := reflect.TypeFor[T]()
	if event.Kind() != reflect.Struct || event.Name() == "" {
		panic(fmt.Sprintf("declaring topic %q: its type is %s, want a named struct", topic, event))
	}
	if key == nil || action == nil {
		panic(fmt.Sprintf("declaring topic %q: the function for its key or its action is missing", topic))
	}
	actions = slices.DeleteFunc(slices.Clone(actions), func(a Action) bool { return a == Deleted })
	return &Topic[T]{
		topic:   topic,
		name:    event.Name(),
		key:     key,
		action:  action,
		actions: append(actions, Deleted),
		fields:  fieldsOf(event),
	}
}

// WithSamples returns a copy of the topic whose samples are the files <Name>.<action>.json of a folder.
func (t *Topic[T]) WithSamples(folder fs.FS) *Topic[T] {
	sampled := *t
	sampled.samples = folder
	return &sampled
}

// Topic is our own name of the topic.
func (t *Topic[T]) Topic() string { return t.topic }

// Name is the name of T.
func (t *Topic[T]) Name() string { return t.name }

// Actions lists the actions of the type, deleted last.
func (t *Topic[T]) Actions() []Action { return slices.Clone(t.actions) }

// PHI lists the JSON names of the fields that are tagged phi.
func (t *Topic[T]) PHI() []string { return t.fields.tagged("") }

// Key is the id of the entity, which is the key of the event's record.
func (t *Topic[T]) Key(event *T) string { return t.key(event) }

// Kind is the kind of this topic with this action.
func (t *Topic[T]) Kind(a Action) Kind[T] { return Kind[T]{topic: t, action: a} }

// Kind is a topic, its type and one action: what a handler is written for. Make one with [Topic.Kind].
type Kind[T any] struct {
	topic  *Topic[T]
	action Action
}

// Topic is the topic on which the kind travels.
func (k Kind[T]) Topic() *Topic[T] { return k.topic }

// Action is what happened to the entity.
func (k Kind[T]) Action() Action { return k.action }

// Encode is [Encode] of a copy of the event whose action is the kind's. It also returns the key for the record.
func (k Kind[T]) Encode(event T) (key, value []byte, err error) {
	*k.topic.action(&event) = k.action
	value, err = Encode(k.topic, &event)
	if err != nil {
		return nil, nil, err
	}
	return []byte(k.topic.key(&event)), value, nil
}
