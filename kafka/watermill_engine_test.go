package kafka_test

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/kafka/kafkatest"
	"github.com/prantikov/millrace/record"
)

func TestWatermillEngineCarriesTheRecord(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	from, to := kafkatest.Topic(t, broker, 1), kafkatest.Topic(t, broker, 1)
	written := &record.Record{
		Position: record.Position{Topic: from}, Key: []byte("k"), Value: []byte("v"),
		Headers: []record.Header{{Key: "b", Value: []byte("1")}, {Key: "a", Value: nil}, {Key: "b", Value: []byte("2")}},
	}
	kafkatest.Produce(t, broker, written, &record.Record{Position: record.Position{Topic: from}, Key: []byte("gone")})
	subscriber, err := kafka.NewWatermillSubscriber(kafka.SubscriberSettings{Kafka: quick(broker), Group: kafkatest.Name(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer closeNow(t, subscriber)
	publisher, err := kafka.NewWatermillPublisher(quick(broker), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	messages, err := subscriber.Subscribe(context.Background(), from)
	if err != nil {
		t.Fatal(err)
	}
	m := receive(t, messages)
	m.Nack()
	m = receive(t, messages)
	r := record.FromContext(m.Context())
	if r == nil {
		t.Fatal("got no record in the context of a message that came again")
	}
	same := func(got, want record.Header) bool {
		return got.Key == want.Key && string(got.Value) == string(want.Value) && (got.Value == nil) == (want.Value == nil)
	}
	if !slices.EqualFunc(r.Headers, written.Headers, same) || string(r.Key) != "k" || r.Offset != 0 {
		t.Errorf("record: got %+v, want %+v", r, written)
	}
	if err := publisher.Publish(to, m); err != nil {
		t.Fatal(err)
	}
	m.Ack()
	tombstone := receive(t, messages)
	if r := record.FromContext(tombstone.Context()); r == nil || r.Value != nil || r.Offset != 1 {
		t.Errorf("tombstone: got %+v, want offset 1 without a value", r)
	}
	tombstone.Ack()
	if err := publisher.Close(); err != nil {
		t.Error(err)
	}
	passed := kafkatest.Consume(t, broker, to, 1)[0]
	if !slices.EqualFunc(passed.Headers, written.Headers, same) || string(passed.Key) != "k" || string(passed.Value) != "v" || !passed.Timestamp.Equal(r.Timestamp) {
		t.Errorf("passed on: got %+v, want %+v", passed, r)
	}
}

func receive(t *testing.T, messages <-chan *message.Message) *message.Message {
	t.Helper()
	m, ok := <-messages
	if !ok {
		t.Fatal("got a closed channel, want a message")
	}
	return m
}

func TestWatermillEngineRefusesWhatItCannotDo(t *testing.T) {
	t.Parallel()
	_, err := kafka.NewWatermillSubscriber(kafka.SubscriberSettings{
		Kafka: kafkatest.Settings("127.0.0.1:1"), Group: "g", Starts: map[string]kafka.Start{"orders": kafka.Latest()},
	})
	if err == nil || !strings.Contains(err.Error(), "watermill can only start at earliest") {
		t.Errorf("got %v, want a refusal of the start", err)
	}
}

func TestMessageFaceTriesANackedRecordFirst(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topic, group := kafkatest.Topic(t, broker, 1), kafkatest.Name(t)
	write(t, broker, topic, 1, 4)
	subscriber := open(t, kafka.SubscriberSettings{Kafka: quick(broker), Group: group, Topics: []string{topic}})
	messages, err := subscriber.Subscribe(context.Background(), topic)
	if err != nil {
		t.Fatal(err)
	}
	var got []int64
	nacks := 0
	for len(got) < 6 {
		m := receive(t, messages)
		offset := record.FromContext(m.Context()).Offset
		got = append(got, offset)
		if offset == 1 && nacks < 2 {
			nacks++
			m.Nack()
			continue
		}
		m.Ack()
	}
	if want := []int64{0, 1, 1, 1, 2, 3}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	kafkatest.Eventually(t, "the end is committed", func() bool { return committed(t, broker, group, topic, 0) == 4 })
}
