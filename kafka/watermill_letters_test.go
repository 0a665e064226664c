package kafka_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/kafka/kafkatest"
	"github.com/prantikov/millrace/record"
)

func TestWatermillLettersKeepPartitionAndBytes(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topic := kafkatest.Topic(t, broker, 4)
	letters, err := kafka.NewWatermillLetters(kafkatest.Settings(broker), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer letters.Close()
	var sent []*record.Record
	for partition := range int32(4) {
		sent = append(sent, &record.Record{
			Position:  record.Position{Topic: topic, Partition: partition},
			Timestamp: time.Now().Truncate(time.Millisecond).UTC(),
			Key:       []byte("the same key"),
			Value:     []byte{0xff, byte(partition)},
			Headers:   []record.Header{{Key: "h", Value: []byte("1")}, {Key: "h", Value: nil}, {Key: "h", Value: []byte("2")}},
		})
	}
	sent[3].Key, sent[3].Value = nil, nil
	if _, err := letters.PublishToPartitions(t.Context(), sent); err != nil {
		t.Fatal(err)
	}
	reader, err := kafka.NewReader(t.Context(), kafkatest.Settings(broker))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	for _, want := range sent {
		got, err := reader.Record(t.Context(), want.Position)
		if err != nil {
			t.Fatalf("reading partition %d: %v", want.Partition, err)
		}
		if !bytes.Equal(got.Key, want.Key) || (got.Key == nil) != (want.Key == nil) || !bytes.Equal(got.Value, want.Value) || (got.Value == nil) != (want.Value == nil) {
			t.Errorf("partition %d: got key %q and value %q, want %q and %q", want.Partition, got.Key, got.Value, want.Key, want.Value)
		}
		if len(got.Headers) != 3 || string(got.Headers[2].Value) != "2" || got.Headers[1].Value != nil || !got.Timestamp.Equal(want.Timestamp) {
			t.Errorf("partition %d: got headers %v at %s, want those that were sent", want.Partition, got.Headers, got.Timestamp)
		}
	}
}
