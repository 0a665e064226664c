package archive

import (
	"time"
	"unicode/utf8"

	"github.com/prantikov/millrace/record"
)

// Line is one record in the archive, byte for byte. Bytes that are valid UTF-8 stand as text, others as base64 under the name that
// ends so; both are null for a null. A line names patients.
type Line struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"`
	// Timestamp has milliseconds, as the record's has.
	Timestamp   record.Timestamp `json:"timestamp"`
	Key         *string          `json:"key"`
	KeyBase64   []byte           `json:"keyBase64,omitempty"`
	Value       *string          `json:"value"`
	ValueBase64 []byte           `json:"valueBase64,omitempty"`
	Headers     []Header         `json:"headers"`
}

// Header is one header; they stand in the order of the wire, and a key may repeat.
type Header struct {
	Key         *string `json:"key"`
	KeyBase64   []byte  `json:"keyBase64,omitempty"`
	Value       *string `json:"value"`
	ValueBase64 []byte  `json:"valueBase64,omitempty"`
}

// LineOf is the archive's line of a record.
func LineOf(r *record.Record) Line {
	line := Line{
		Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Timestamp: record.Timestamp(r.Timestamp),
		Headers: make([]Header, len(r.Headers)),
	}
	line.Key, line.KeyBase64 = split(r.Key)
	line.Value, line.ValueBase64 = split(r.Value)
	for i, header := range r.Headers {
		line.Headers[i].Key, line.Headers[i].KeyBase64 = split([]byte(header.Key))
		line.Headers[i].Value, line.Headers[i].ValueBase64 = split(header.Value)
	}
	return line
}

// Record is the record that the line was made of.
func (l Line) Record() *record.Record {
	r := &record.Record{
		Position:  record.Position{Topic: l.Topic, Partition: l.Partition, Offset: l.Offset},
		Timestamp: time.Time(l.Timestamp).UTC(), Key: join(l.Key, l.KeyBase64), Value: join(l.Value, l.ValueBase64),
	}
	for _, header := range l.Headers {
		r.Headers = append(r.Headers, record.Header{Key: string(join(header.Key, header.KeyBase64)), Value: join(header.Value, header.ValueBase64)})
	}
	return r
}

// split gives bytes as text where that loses nothing, else as they are.
func split(bytes []byte) (text *string, raw []byte) {
	switch {
	case bytes == nil:
		return nil, nil
	case utf8.Valid(bytes):
		whole := string(bytes)
		return &whole, nil
	default:
		return nil, bytes
	}
}

func join(text *string, raw []byte) []byte {
	if text != nil {
		return []byte(*text)
	}
	return raw
}
