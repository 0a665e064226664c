package kafka

import (
	"time"

	"github.com/IBM/sarama"

	"github.com/prantikov/millrace/record"
)

// reading makes records of what the client read. It is one goroutine's.
type reading struct {
	// names are the keys of headers that were seen, so that those that come with every record are one string each.
	names map[string]string
}

// namesKept bounds how many keys of headers are remembered.
const namesKept = 256

// records are the records that the client read. They share the client's memory, and each other's; no content makes them fail.
func (in *reading) records(messages []*sarama.ConsumerMessage) []record.Record {
	total := 0
	for _, m := range messages {
		total += len(m.Headers)
	}
	headers := make([]record.Header, 0, total)
	records := make([]record.Record, len(messages))
	for i, m := range messages {
		from := len(headers)
		for _, header := range m.Headers {
			headers = append(headers, record.Header{Key: in.name(header.Key), Value: header.Value})
		}
		records[i] = record.Record{
			Position:  record.Position{Topic: m.Topic, Partition: m.Partition, Offset: m.Offset},
			Timestamp: utc(m.Timestamp),
			Key:       m.Key,
			Value:     m.Value,
			Headers:   headers[from:len(headers):len(headers)],
		}
	}
	return records
}

func (in *reading) name(key []byte) string {
	if name, known := in.names[string(key)]; known {
		return name
	}
	name := string(key)
	if in.names == nil {
		in.names = map[string]string{}
	}
	if len(in.names) < namesKept {
		in.names[name] = name
	}
	return name
}

// fromClient is one record that the client read.
func fromClient(m *sarama.ConsumerMessage) *record.Record {
	var in reading
	return &in.records([]*sarama.ConsumerMessage{m})[0]
}

// toClient is the record as the client sends it to the topic. The client chooses the partition.
func toClient(topic string, r *record.Record) *sarama.ProducerMessage {
	m := &sarama.ProducerMessage{Topic: topic, Timestamp: r.Timestamp, Headers: make([]sarama.RecordHeader, 0, len(r.Headers))}
	// An encoder around nil would be an empty key, which hashes to one partition, and an empty value instead of a tombstone.
	if r.Key != nil {
		m.Key = sarama.ByteEncoder(r.Key)
	}
	if r.Value != nil {
		m.Value = sarama.ByteEncoder(r.Value)
	}
	for _, header := range r.Headers {
		m.Headers = append(m.Headers, sarama.RecordHeader{Key: []byte(header.Key), Value: header.Value})
	}
	return m
}

// utc keeps the zero time, which stands for a record without a timestamp.
func utc(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC()
}
