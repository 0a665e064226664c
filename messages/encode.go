package messages

import (
	"errors"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// nullForEmptyText writes null for text that is not set, as Java writes a field that is null.
var nullForEmptyText = json.MarshalToFunc(func(encoder *jsontext.Encoder, text string) error {
	if text != "" {
		return errors.ErrUnsupported
	}
	return encoder.WriteToken(jsontext.Null)
})

// Encode writes the event as Jackson does, so that every Java consumer reads it, whatever its settings: fields in the order of the
// struct, dates in ISO 8601, null for what is not set but numbers for quantity and price, and no escapes that JSON does not ask for.
//
// It refuses what Decode or Check would refuse of it: a consumer in Java that cannot read a record may try it for ever. The error
// is an [*Error].
func Encode[T any](t *Topic[T], event *T) ([]byte, error) {
	if event == nil {
		return nil, t.unwritable(classMissingField, "", "there is no event")
	}
	if err := t.Check(event); err != nil {
		return nil, err
	}
	value, err := json.Marshal(event, json.WithMarshalers(nullForEmptyText), json.FormatNilSliceAsNull(true), json.FormatNilMapAsNull(true))
	if err != nil {
		return nil, t.explainWriting(err)
	}
	decoded, err := t.Decode(value)
	if refused := (*Error)(nil); errors.As(err, &refused) {
		return nil, t.unwritable(refused.Class, refused.Field, refused.Reason)
	}
	if decoded.Normalised {
		return nil, t.unwritable(classUnknownAction, "", "the action is not one of "+t.actionNames())
	}
	return value, nil
}

func (t *Topic[T]) explainWriting(err error) error {
	if wrong := (*json.SemanticError)(nil); errors.As(err, &wrong) {
		return t.unwritable(classInvalidValue, t.fields.path(wrong.JSONPointer), wanted(wrong))
	}
	field := ""
	if wrong := (*jsontext.SyntacticError)(nil); errors.As(err, &wrong) {
		field = t.fields.path(wrong.JSONPointer)
	}
	return t.unwritable(classInvalidValue, field, "want valid UTF-8, and no name twice")
}

func (t *Topic[T]) unwritable(class, field, reason string) error {
	return &Error{Class: class, Type: t.name, Field: field, Reason: reason, tried: "writing"}
}
