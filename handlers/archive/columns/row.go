package columns

import (
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
)

// row appends the row of a record.
func (s *Settings) row(row parquet.Row, form *shape, r *record.Record) parquet.Row {
	var decoded messages.Decoded
	var class record.Class
	if form.reading != nil {
		decoded, class = form.reading.Decode(r)
	}
	add := func(value parquet.Value) { row = append(row, value.Level(0, 0, len(row))) }
	// maybe adds the value of a column that may have none.
	maybe := func(value parquet.Value, has bool) {
		if has {
			row = append(row, value.Level(0, 1, len(row)))
		} else {
			add(parquet.NullValue())
		}
	}
	add(parquet.ByteArrayValue([]byte(r.Topic)))
	add(parquet.Int32Value(r.Partition))
	add(parquet.Int64Value(r.Offset))
	add(parquet.Int64Value(r.Timestamp.UnixMicro()))
	key, has := s.key(r, decoded)
	maybe(parquet.ByteArrayValue([]byte(key)), has)
	maybe(parquet.ByteArrayValue([]byte(class)), class != "")

	var values []any
	if decoded.Body != nil {
		values = decoded.Values()
	}
	for i, c := range form.columns[form.fields:] {
		if i < len(values) && values[i] != nil {
			maybe(s.value(c, values[i], decoded))
		} else {
			maybe(parquet.Value{}, false)
		}
	}
	return row
}

// value is what is shown of a field.
func (s *Settings) value(c column, value any, decoded messages.Decoded) (parquet.Value, bool) {
	if !c.phi || s.PHI {
		return c.value(value)
	}
	if written, isText := value.(string); isText && written == patientOf(decoded) && s.Pseudonym != nil {
		return parquet.ByteArrayValue([]byte(s.Pseudonym(written))), true
	}
	return parquet.Value{}, false
}

// key is what is shown of a record's key. One that is the id of the event's entity is no patient data; of any other nobody knows.
func (s *Settings) key(r *record.Record, decoded messages.Decoded) (string, bool) {
	key := string(r.Key)
	switch {
	case r.Key == nil || !utf8.Valid(r.Key) && s.PHI:
		return "", false
	case s.PHI, key == "", decoded.Body != nil && key == decoded.EntityID && key != patientOf(decoded):
		return key, true
	case s.Pseudonym == nil:
		return "", false
	}
	return s.Pseudonym(key), true
}

// patientOf is the id of an event's patient, empty where there is none.
func patientOf(decoded messages.Decoded) string {
	if subject, ok := decoded.Body.(messages.Subject); ok {
		return subject.Patient()
	}
	return ""
}
