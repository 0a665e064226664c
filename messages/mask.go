package messages

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Mask stands for what is hidden.
const Mask = "•••"

// Hidden is [Mask] with the length of what it stands for, where that was to be one of a few words and is not: free text, which may be anything.
func Hidden(text string) string {
	return fmt.Sprintf("%s (%d characters)", Mask, utf8.RuneCountInString(text))
}

// Masked is the event in a record's value with every field hidden that is not known to be free of patient data: those tagged phi,
// those that the type does not have (their names as well), those with another shape than the type's, and an action, a status or another fixed
// word that the type does not have. It is JSON; nil when the value is not one readable object.
func Masked(t Type, value []byte) []byte {
	payload, err := Payload(value, "")
	if err != nil {
		return nil
	}
	document, class := jsonObject(payload)
	if class != "" {
		return nil
	}
	var fields *fieldSet
	if known, ok := t.(interface{ knownFields() *fieldSet }); ok {
		fields = known.knownFields()
	}
	var masked bytes.Buffer
	masking := masking{decoder: jsontext.NewDecoder(bytes.NewReader(document)), encoder: jsontext.NewEncoder(&masked), actions: t.Actions()}
	if masking.object(fields) != nil {
		return nil
	}
	if _, err := masking.decoder.ReadToken(); !errors.Is(err, io.EOF) {
		return nil
	}
	return bytes.TrimSpace(masked.Bytes())
}

func (t *Topic[T]) knownFields() *fieldSet { return t.fields }

// masking copies JSON from one side to the other.
type masking struct {
	decoder *jsontext.Decoder
	encoder *jsontext.Encoder
	actions []Action
}

func (m masking) object(fields *fieldSet) error {
	if err := m.copyToken(); err != nil {
		return err
	}
	unknown := false
	for m.decoder.PeekKind() != '}' {
		name, err := m.decoder.ReadToken()
		if err != nil {
			return err
		}
		var member *field
		if fields != nil {
			member = fields.byName[name.String()]
		}
		if member == nil { // its very name may tell something, so all of them are one
			unknown = true
			if err := m.decoder.SkipValue(); err != nil {
				return err
			}
			continue
		}
		if err := m.encoder.WriteToken(jsontext.String(member.name)); err != nil {
			return err
		}
		if err := m.value(member, member.list); err != nil {
			return err
		}
	}
	if unknown {
		for range 2 { // the name and the value
			if err := m.encoder.WriteToken(jsontext.String(Mask)); err != nil {
				return err
			}
		}
	}
	return m.copyToken()
}

// value copies a value that has the shape of its field, and hides every other.
func (m masking) value(member *field, list bool) error {
	kind := m.decoder.PeekKind()
	switch {
	case member.phi:
		return m.hide()
	case kind == 'n':
		return m.copyToken()
	case list && kind == '[':
		return m.list(member)
	case !list && member.inner != nil && kind == '{':
		return m.object(member.inner)
	case !list && member.leaf != nil && kind != '{' && kind != '[':
		return m.leaf(member)
	default:
		return m.hide()
	}
}

// leaf copies a single value of its field's type, and of a field with fixed words one of those, in any spelling that is understood.
func (m masking) leaf(member *field) error {
	value, err := m.decoder.ReadValue()
	if err != nil {
		return err
	}
	into := reflect.New(member.leaf)
	if json.Unmarshal(value, into.Interface()) != nil {
		return m.encoder.WriteToken(jsontext.String(Mask))
	}
	if words := m.words(member); words != nil {
		spelled := into.Elem().String()
		if spelled != "" && !slices.ContainsFunc(words, func(word string) bool { return sameWord(spelled, word) }) {
			return m.encoder.WriteToken(jsontext.String(Hidden(spelled)))
		}
	}
	return m.encoder.WriteValue(value)
}

// words are the fixed ones of a field, nil where any text is good.
func (m masking) words(member *field) []string {
	if member.leaf != reflect.TypeFor[Action]() {
		return member.enum
	}
	words := make([]string, len(m.actions))
	for i, action := range m.actions {
		words[i] = string(action)
	}
	return words
}

func (m masking) list(member *field) error {
	if err := m.copyToken(); err != nil {
		return err
	}
	for m.decoder.PeekKind() != ']' {
		if err := m.value(member, false); err != nil {
			return err
		}
	}
	return m.copyToken()
}

func (m masking) copyToken() error {
	token, err := m.decoder.ReadToken()
	if err != nil {
		return err
	}
	return m.encoder.WriteToken(token)
}

func (m masking) hide() error {
	if err := m.decoder.SkipValue(); err != nil {
		return err
	}
	return m.encoder.WriteToken(jsontext.String(Mask))
}
