package messages

import (
	"bytes"
	"errors"
	"reflect"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// maxDepth is how deep objects and arrays may lie in each other. The contract needs three; the decoder itself stops at 10,000.
const maxDepth = 64

// blanks are JSON's white space.
const blanks = " \t\r\n"

var byteOrderMark = []byte("\xef\xbb\xbf")

// Decode reads one event of the type; see [Type]. It reads every dialect of Spring's serialisers, and strictly: a repeated name,
// invalid UTF-8, text after the object and too deep nesting are malformed; unknown properties are passed over; names are
// case-sensitive; null is good in every field but the id of the entity and the action.
func (t *Topic[T]) Decode(payload []byte) (Decoded, error) {
	document, class := jsonObject(payload)
	if class != "" {
		return Decoded{}, t.refuse(class, "", reasons(class))
	}
	event := new(T)
	if err := t.unmarshal(document, event); err != nil {
		return Decoded{}, err
	}
	entity := t.key(event)
	if strings.TrimSpace(entity) == "" {
		return Decoded{}, t.refuse(classMissingField, "", "the id of the entity is missing")
	}
	action := t.action(event)
	if *action == "" {
		return Decoded{}, t.refuse(classMissingField, "", "the action is missing")
	}
	normalised := t.normalise(event)
	if !t.hasAction(*action) {
		known, respelled := t.knownAction(*action)
		if !respelled {
			return Decoded{}, t.refuse(classUnknownAction, "", "the action is not one of "+t.actionNames())
		}
		*action, normalised = known, true
	}
	return Decoded{Body: event, Action: *action, EntityID: entity, Normalised: normalised, checker: t}, nil
}

// jsonObject finds the JSON object in a payload, or the class of what is there instead.
func jsonObject(payload []byte) (document []byte, class string) {
	if payload == nil {
		return nil, classTombstone
	}
	if len(payload) == 0 {
		return nil, classEmptyValue
	}
	document = bytes.TrimPrefix(payload, byteOrderMark)
	start := bytes.TrimLeft(document, blanks)
	switch {
	case len(start) > 0 && start[0] == '{':
		if tooDeep(document) {
			return nil, classMalformed
		}
		return document, ""
	case string(bytes.TrimRight(start, blanks)) == "null":
		return nil, classTombstone
	default:
		return nil, classMalformed
	}
}

// reasons is what to say of a payload that is not one object.
func reasons(class string) string {
	switch class {
	case classTombstone:
		return "the value is null"
	case classEmptyValue:
		return "the value is empty"
	default:
		return "want one JSON object, in valid UTF-8, without repeated names, and nothing after it"
	}
}

// tooDeep says whether objects and arrays lie deeper in each other than maxDepth. Nearly every event has too few of them at all.
func tooDeep(document []byte) bool {
	if bytes.Count(document, []byte("{"))+bytes.Count(document, []byte("[")) <= maxDepth {
		return false
	}
	depth, inText := 0, false
	for i := 0; i < len(document); i++ {
		switch c := document[i]; {
		case inText && c == '\\':
			i++
		case c == '"':
			inText = !inText
		case inText:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

// unmarshal reads the document. Only when a number or a truth value stands where text belongs does it begin again, as Java takes
// those for text: so nearly every event is decoded once, on the fast path.
func (t *Topic[T]) unmarshal(document []byte, event *T) error {
	err := json.Unmarshal(document, event)
	if err == nil {
		return nil
	}
	if wrong := (*json.SemanticError)(nil); errors.As(err, &wrong) && isScalarForText(wrong) {
		*event = *new(T)
		if err = json.Unmarshal(document, event, json.WithUnmarshalers(lenientText)); err == nil {
			return nil
		}
	}
	return t.explain(document, err)
}

func isScalarForText(err *json.SemanticError) bool {
	return err.Err == nil && err.GoType != nil && err.GoType.Kind() == reflect.String &&
		(err.JSONKind == '0' || err.JSONKind == 't' || err.JSONKind == 'f')
}

// lenientText reads numbers and truth values into text, with their own text kept (1.50 stays 1.50).
var lenientText = json.UnmarshalFromFunc(func(decoder *jsontext.Decoder, target any) error {
	kind := decoder.PeekKind()
	if kind != '0' && kind != 't' && kind != 'f' {
		return errors.ErrUnsupported
	}
	place := reflect.ValueOf(target).Elem()
	if place.Kind() != reflect.String || readsItself(place.Type()) {
		return errors.ErrUnsupported
	}
	value, err := decoder.ReadValue()
	if err != nil {
		return err
	}
	place.SetString(string(value))
	return nil
})

// explain makes an [Error] of the decoder's, whose own text may quote the payload.
func (t *Topic[T]) explain(document []byte, err error) error {
	wrong := (*json.SemanticError)(nil)
	// A value that does not fit may stand before a place that is no JSON at all, which says more.
	if !errors.As(err, &wrong) || !jsontext.Value(document).IsValid() {
		return t.refuse(classMalformed, "", reasons(classMalformed))
	}
	return t.refuse(classInvalidValue, t.fields.path(wrong.JSONPointer), wanted(wrong))
}

// wanted is what the field takes, in the words of its type.
func wanted(err *json.SemanticError) string {
	if own := expectation(""); errors.As(err.Err, &own) {
		return own.Error()
	}
	if err.GoType == nil {
		return "the value does not fit"
	}
	switch err.GoType.Kind() {
	case reflect.String:
		return "want text or null"
	case reflect.Slice, reflect.Array:
		return "want a list or null"
	case reflect.Struct, reflect.Map:
		return "want an object or null"
	case reflect.Bool:
		return "want true, false or null"
	default:
		return "want a number that fits, or null"
	}
}

func (t *Topic[T]) refuse(class, field, reason string) error {
	return &Error{Class: class, Type: t.name, Field: field, Reason: reason, tried: "reading"}
}
