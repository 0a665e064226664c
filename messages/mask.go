package messages

import (
	"bytes"
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// Mask stands for what is hidden.
const Mask = "•••"

// Masked is the event in a record's value with every field hidden that is not known to be free of patient data: those tagged phi,
// those that the type does not have (their names as well), and those with another shape than the type's. It is JSON; nil when the
// value is not one readable object.
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
	masking := masking{decoder: jsontext.NewDecoder(bytes.NewReader(document)), encoder: jsontext.NewEncoder(&masked)}
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
	case !list && member.leaf && kind != '{' && kind != '[':
		return m.copyToken()
	default:
		return m.hide()
	}
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
