package kafka

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/IBM/sarama"
	"github.com/ThreeDotsLabs/watermill"
	wmkafka "github.com/ThreeDotsLabs/watermill-kafka/v3/pkg/kafka"
	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/prantikov/millrace/record"
)

// RecordKey is the metadata key under which a message that went through watermill-kafka carries the exact record: that subscriber replaces
// the context in which it would else travel. It is reserved, and never becomes a header.
const RecordKey = "_millrace_record"

// Marshaler translates between records of Kafka and Watermill's messages, for our own ends and for watermill-kafka's.
//
// Nothing is lost on the way in, and a message that is passed on is written as it was read, but for what was changed in its metadata or payload.
// watermill-kafka's own marshaler drops the key, the timestamp, repeated headers and their order. It never fails on content: an error here
// would end the partition.
type Marshaler struct{}

var (
	_ wmkafka.MarshalerUnmarshaler = Marshaler{}
	_ wmkafka.Marshaler            = Marshaler{}
)

// Unmarshal returns the message of the record. The error is always nil.
func (Marshaler) Unmarshal(m *sarama.ConsumerMessage) (*message.Message, error) {
	r := fromClient(m)
	// watermill-kafka waits for the message's ack, so its channels must be there.
	msg := message.NewMessageWithContext(record.NewContext(context.Background(), r), messageID(r), r.Value)
	msg.Metadata = metadataOf(r)
	msg.Metadata[RecordKey] = encodeRecord(r)
	return msg, nil
}

// Marshal returns what is sent to the topic for the message. The error is always nil.
func (Marshaler) Marshal(topic string, msg *message.Message) (*sarama.ProducerMessage, error) {
	return toClient(topic, outgoing(msg)), nil
}

// NewMessage returns the message of a record: its UUID names the event, its metadata has the last header of each key and is never nil, its context
// carries the record. It has no channels, so whoever handles it returns its outcome: nobody can wait for its ack.
func NewMessage(r *record.Record) *message.Message {
	msg := &message.Message{UUID: messageID(r), Metadata: metadataOf(r), Payload: r.Value}
	msg.SetContext(record.NewContext(context.Background(), r))
	return msg
}

// RecordOf returns the record that the message was made from: the one in its context, else the one in its metadata (see [RecordKey]), else one
// without key and position that has the metadata, sorted by name, as its headers.
func RecordOf(msg *message.Message) *record.Record {
	if r := record.FromContext(msg.Context()); r != nil {
		return r
	}
	if text, ok := msg.Metadata[RecordKey]; ok {
		if r := decodeRecord(text, msg.Payload); r != nil {
			return r
		}
	}
	r := &record.Record{Value: msg.Payload}
	for _, key := range slices.Sorted(maps.Keys(msg.Metadata)) {
		if key != RecordKey {
			r.Headers = append(r.Headers, record.Header{Key: key, Value: []byte(msg.Metadata[key])})
		}
	}
	return r
}

// messageID is the id that a Watermill publisher gave the message, else what names the event. A record that never was on a topic gets a new id.
func messageID(r *record.Record) string {
	if id, ok := r.Header(wmkafka.UUIDHeaderKey); ok && len(id) > 0 {
		return string(id)
	}
	if r.Topic == "" {
		return watermill.NewUUID()
	}
	return r.ID()
}

// metadataOf has the last header of each key. The id of Watermill's publishers is the message's UUID already, and their marshaler refuses it here.
func metadataOf(r *record.Record) message.Metadata {
	metadata := make(message.Metadata, len(r.Headers)+1)
	for _, header := range r.Headers {
		if header.Key != wmkafka.UUIDHeaderKey {
			metadata[header.Key] = string(header.Value)
		}
	}
	return metadata
}

// outgoing is the message's record with what was changed since in its payload and metadata.
func outgoing(msg *message.Message) *record.Record {
	was := RecordOf(msg)
	r := &record.Record{Key: was.Key, Value: was.Value, Timestamp: was.Timestamp, Headers: was.Headers}
	if !bytes.Equal(was.Value, msg.Payload) {
		r.Value = msg.Payload
	}
	r.Headers = changedHeaders(was, msg.Metadata)
	if _, named := r.Header(wmkafka.UUIDHeaderKey); was.Topic == "" && msg.UUID != "" && !named {
		r.Headers = slices.Concat([]record.Header{{Key: wmkafka.UUIDHeaderKey, Value: []byte(msg.UUID)}}, r.Headers)
	}
	return r
}

// changedHeaders are the record's headers when the metadata still says the same. A key that has another value now, or is gone, loses its
// headers; new and changed ones come last, sorted by name.
func changedHeaders(was *record.Record, metadata message.Metadata) []record.Header {
	if saysTheSame(was.Headers, metadata) {
		return was.Headers
	}
	before := metadataOf(was)
	added := slices.Sorted(maps.Keys(metadata))
	added = slices.DeleteFunc(added, func(key string) bool {
		value, had := before[key]
		return key == RecordKey || had && value == metadata[key]
	})
	kept := slices.Clone(was.Headers)
	kept = slices.DeleteFunc(kept, func(header record.Header) bool {
		value, has := metadata[header.Key]
		return header.Key != wmkafka.UUIDHeaderKey && (!has || value != before[header.Key])
	})
	for _, key := range added {
		kept = append(kept, record.Header{Key: key, Value: []byte(metadata[key])})
	}
	return kept
}

// saysTheSame reports whether the metadata still is what these headers became, at no allocation: nearly every message is passed on as it came.
// It may say no of many headers, or of repeated ones.
func saysTheSame(headers []record.Header, metadata message.Metadata) bool {
	const few = 16
	if len(headers) > few {
		return false
	}
	said := 0
	for i, header := range headers {
		if header.Key == wmkafka.UUIDHeaderKey {
			continue
		}
		value, has := metadata[header.Key]
		repeated := slices.ContainsFunc(headers[:i], func(before record.Header) bool { return before.Key == header.Key })
		if !has || repeated || value != string(header.Value) || header.Key == RecordKey {
			return false
		}
		said++
	}
	if _, has := metadata[RecordKey]; has {
		said++
	}
	return said == len(metadata)
}

// encodedRecord is a record but for its value, which is the message's payload. Keys of headers are bytes because JSON would repair their text.
type encodedRecord struct {
	Topic     string          `json:"topic"`
	Partition int32           `json:"partition"`
	Offset    int64           `json:"offset"`
	Timestamp *int64          `json:"timestamp"`
	Key       []byte          `json:"key"`
	Null      bool            `json:"null"`
	Headers   []encodedHeader `json:"headers"`
}

type encodedHeader struct {
	Key   []byte `json:"key"`
	Value []byte `json:"value"`
}

func encodeRecord(r *record.Record) string {
	encoded := encodedRecord{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Key: r.Key, Null: r.Value == nil}
	if !r.Timestamp.IsZero() {
		milliseconds := r.Timestamp.UnixMilli()
		encoded.Timestamp = &milliseconds
	}
	for _, header := range r.Headers {
		encoded.Headers = append(encoded.Headers, encodedHeader{Key: []byte(header.Key), Value: header.Value})
	}
	// A struct of numbers, texts and bytes has no value that JSON refuses.
	text, _ := json.Marshal(encoded)
	return string(text)
}

// decodeRecord returns nil for a text that [encodeRecord] did not write.
func decodeRecord(text string, payload []byte) *record.Record {
	var encoded encodedRecord
	if err := json.Unmarshal([]byte(text), &encoded); err != nil || encoded.Topic == "" {
		return nil
	}
	r := &record.Record{
		Position: record.Position{Topic: encoded.Topic, Partition: encoded.Partition, Offset: encoded.Offset},
		Key:      encoded.Key, Value: payload, Headers: make([]record.Header, 0, len(encoded.Headers)),
	}
	if encoded.Timestamp != nil {
		r.Timestamp = time.UnixMilli(*encoded.Timestamp).UTC()
	}
	if len(payload) == 0 {
		r.Value = []byte{}
		if encoded.Null {
			r.Value = nil
		}
	}
	for _, header := range encoded.Headers {
		r.Headers = append(r.Headers, record.Header{Key: string(header.Key), Value: header.Value})
	}
	return r
}
