package kafka

import (
	"time"

	"github.com/IBM/sarama"

	"github.com/prantikov/millrace/record"
)

// fromClient is the record that the client read. It shares the client's memory and never fails on content.
func fromClient(m *sarama.ConsumerMessage) *record.Record {
	headers := make([]record.Header, 0, len(m.Headers))
	for _, header := range m.Headers {
		headers = append(headers, record.Header{Key: string(header.Key), Value: header.Value})
	}
	return &record.Record{
		Position:  record.Position{Topic: m.Topic, Partition: m.Partition, Offset: m.Offset},
		Timestamp: utc(m.Timestamp),
		Key:       m.Key,
		Value:     m.Value,
		Headers:   headers,
	}
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
