package kafka_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/kafka/kafkatest"
	"github.com/prantikov/millrace/record"
)

func transactions(t *testing.T, broker, id string) *kafka.TransactionalPublisher {
	t.Helper()
	publisher, err := kafka.NewTransactionalPublisher(t.Context(), kafkatest.Settings(broker), id)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = publisher.Close() })
	return publisher
}

// Ensure what is published in a transaction is there as it is: bytes, headers in their order with nulls, timestamp, partition and order.
func TestTransactionPublishesTheSameBytes(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topic := kafkatest.Topic(t, broker, 3)
	at := time.UnixMilli(1735120000123).UTC()
	var records []*record.Record
	for i := range 250 {
		records = append(records, &record.Record{
			Position: record.Position{Topic: topic, Partition: 1}, Timestamp: at, Key: fmt.Appendf(nil, "k%d", i%7), Value: fmt.Append(nil, i),
			Headers: []record.Header{{Key: "a", Value: []byte("1")}, {Key: "a"}, {Key: "b", Value: []byte{0, 255}}},
		})
	}
	records[7].Value, records[8].Key = nil, nil
	publisher := transactions(t, broker, kafkatest.Name(t))
	for _, part := range [][]*record.Record{records[:100], records[100:101], records[101:]} {
		if err := publisher.Publish(part); err != nil {
			t.Fatal(err)
		}
	}
	for i, got := range kafkatest.Consume(t, broker, topic, len(records)) {
		want := records[i]
		if got.Partition != 1 || !bytes.Equal(got.Key, want.Key) || !bytes.Equal(got.Value, want.Value) || (got.Value == nil) != (want.Value == nil) ||
			fmt.Sprint(got.Headers) != fmt.Sprint(want.Headers) || !got.Timestamp.Equal(at) {
			t.Errorf("record %d: got %+v, want %+v", i, got, want)
		}
	}
}

// Ensure that of two publishers of one id only the later one can send, and that what the earlier left open is gone.
func TestLaterPublisherFencesTheEarlier(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topic, id := kafkatest.Topic(t, broker, 1), kafkatest.Name(t)
	one := func(value string) []*record.Record {
		return []*record.Record{{Position: record.Position{Topic: topic}, Value: []byte(value)}}
	}
	earlier := transactions(t, broker, id)
	if err := earlier.Publish(one("first")); err != nil {
		t.Fatal(err)
	}
	// A process that was killed in the middle of a transaction.
	killed := kafkatest.Client(t, broker, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.TransactionalID(id))
	if err := killed.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := killed.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte("left open")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	later := transactions(t, broker, id)
	ends, err := reader(t, broker).Ends(t.Context(), topic)
	if err != nil || ends[0] < 4 {
		t.Errorf("got end %d, %v, want what was left open to be ended: 2 records and their markers", ends[0], err)
	}
	if err := earlier.Publish(one("too late")); err == nil {
		t.Error("the earlier publisher: got no error, want it refused")
	}
	if err := later.Publish(one("second")); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range kafkatest.Consume(t, broker, topic, 2) {
		got = append(got, string(r.Value))
	}
	if fmt.Sprint(got) != "[first second]" {
		t.Errorf("got %v, want the first and the second alone", got)
	}
}
