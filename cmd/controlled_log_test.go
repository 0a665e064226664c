package cmd

import (
	"testing"
	"time"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/kafka/kafkatest"
	"github.com/prantikov/millrace/record"
)

// Ensure the age of what a paused consumer has not taken is that of the first record there is, and that markers are not taken for records.
func TestFirstRecordOfTheLog(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topic := kafkatest.Topic(t, broker, 1)
	at := func(second int) *record.Record {
		return &record.Record{Position: record.Position{Topic: topic}, Value: []byte("v"), Timestamp: time.Date(2026, 1, 1, 12, 0, second, 0, time.UTC)}
	}
	kafkatest.Produce(t, broker, at(0), at(1))
	kafkatest.ProduceTransaction(t, broker, false, at(2)) // offsets 2 and, its marker, 3
	kafkatest.Produce(t, broker, at(4))
	kafkatest.ProduceTransaction(t, broker, false, at(5))
	reader, err := kafka.NewReader(t.Context(), kafkatest.Settings(broker))
	if err != nil {
		t.Fatalf("NewReader: %v", err)
	}
	t.Cleanup(func() { _ = reader.Close() })
	ends, err := reader.Ends(t.Context(), topic)
	if err != nil {
		t.Fatalf("Ends: %v", err)
	}
	tests := []struct {
		name      string
		from, end int64
		want      int // second, -1 for none
	}{
		{name: "the record at the offset", from: 1, end: ends[0], want: 1},
		{name: "the record behind a transaction that was aborted", from: 2, end: ends[0], want: 4},
		{name: "none but markers are left", from: 5, end: ends[0], want: -1},
		{name: "none before the end", from: 2, end: 4, want: -1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, found, err := brokersLog{Reader: reader}.First(t.Context(), topic, 0, test.from, test.end)
			if err != nil || found != (test.want >= 0) || found && got.Second() != test.want {
				t.Errorf("got %v, %t, %v, want second %d", got, found, err, test.want)
			}
		})
	}
	// What stands on a redrive topic has the timestamp of long ago, which says nothing of how long it waits.
	got, found, err := brokersLog{Reader: reader, redrives: []string{topic}}.First(t.Context(), topic, 0, 1, ends[0])
	if err != nil || !found || !got.IsZero() {
		t.Errorf("on a redrive topic: got %v, %t, %v, want a record of no known age", got, found, err)
	}
}
