package deadletter_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/prantikov/millrace/config"
	"github.com/prantikov/millrace/deadletter"
	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/kafka/kafkatest"
	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
)

// publisher returns a broker, and the publisher of dead letters to it.
func publisher(t *testing.T, change func(*config.Kafka)) (broker string, p *kafka.Publisher) {
	t.Helper()
	broker = kafkatest.Broker(t)
	settings := kafkatest.Settings(broker)
	if change != nil {
		change(&settings)
	}
	p, err := kafka.NewDeadLetterPublisher(settings, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return broker, p
}

func sourceOn(topic string, partition int32, key string) *record.Record {
	return &record.Record{
		Position: record.Position{Topic: topic, Partition: partition, Offset: 5}, Timestamp: time.UnixMilli(time.Now().UnixMilli()).UTC(),
		Key: []byte(key), Value: []byte(`{"orderId":"ord-1","patientId":"pat-1"`),
		Headers: []record.Header{{Key: "x-trace", Value: []byte("1")}, {Key: "x-trace"}, {Key: "x-trace", Value: []byte{}}},
	}
}

// Ensure an independent client reads the record as it was, where it was, and the browser what became of it.
func TestThroughABroker(t *testing.T) {
	t.Parallel()
	broker, sender := publisher(t, nil)
	topic := kafkatest.Name(t)
	kafkatest.CreateTopic(t, broker, topic+"-dlt", 6)
	source := sourceOn(topic, 4, "ord-1")
	writer := deadletter.NewWriter(sender, "")
	for _, class := range []record.Class{record.ClassMalformed, record.ClassTimeout} {
		letter := letterOf(source, class)
		letter.FailedAt = letter.FailedAt.Add(time.Duration(len(class)))
		if err := writer.Write(t.Context(), letter); err != nil {
			t.Fatal(err)
		}
	}

	dead := kafkatest.Consume(t, broker, topic+"-dlt", 2)[0]
	if dead.Partition != 4 || !bytes.Equal(dead.Value, source.Value) || !bytes.Equal(dead.Key, source.Key) || !dead.Timestamp.Equal(source.Timestamp) {
		t.Errorf("got %+v, want partition, value, key and timestamp of %+v", dead, source)
	}
	if got, want := headerLines(dead.Headers[:3]), headerLines(source.Headers); !slices.Equal(got, want) {
		t.Errorf("own headers: got %q, want %q", got, want)
	}

	reader, err := kafka.NewReader(t.Context(), kafkatest.Settings(broker))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = reader.Close() })
	browser := deadletter.NewBrowser(reader, "", []deadletter.Topic{{Name: topic, Type: messages.Orders}, {Name: topic + "-unused"}})
	entries, err := browser.List(t.Context(), deadletter.Filter{Key: "ord-1"})
	if err != nil || len(entries) != 2 || entries[0].Class != record.ClassMalformed || entries[1].Original != source.Position {
		t.Fatalf("got %+v, %v, want malformed then timeout of %s", entries, err, source.Position)
	}
	detail, err := browser.Show(t.Context(), entries[1].Position)
	if err != nil || detail.Entry.Class != record.ClassTimeout || detail.Body != messages.BodyHidden {
		t.Errorf("got %+v, %v, want a timeout with a hidden body", detail, err)
	}
	if _, err := browser.Show(t.Context(), record.Position{Topic: topic + "-dlt", Partition: 4, Offset: 2}); !errors.Is(err, kafka.ErrNoRecord) {
		t.Errorf("behind the end: got %v, want %v", err, kafka.ErrNoRecord)
	}
}

// Ensure fewer partitions send records of one key to one partition, the one that Java would choose.
func TestFewerPartitionsFallBackToTheKey(t *testing.T) {
	t.Parallel()
	broker, sender := publisher(t, nil)
	topic := kafkatest.Name(t)
	kafkatest.CreateTopic(t, broker, topic+".DLT", 2)
	writer := deadletter.NewWriter(sender, ".DLT")
	for _, partition := range []int32{5, 3, 2} {
		if err := writer.Write(t.Context(), letterOf(sourceOn(topic, partition, "21"), record.ClassFailed)); err != nil {
			t.Fatal(err)
		}
	}
	chosen := kafkatest.ProduceByKey(t, broker, &record.Record{Position: record.Position{Topic: topic + ".DLT"}, Key: []byte("21")})[0].Partition
	for _, dead := range kafkatest.Consume(t, broker, topic+".DLT", 4) {
		if dead.Partition != chosen {
			t.Errorf("partition: got %d, want %d as Java's", dead.Partition, chosen)
		}
	}
}

// Ensure a record as large as its source takes goes to a dead-letter topic that takes 1 MiB more, whatever the producer's own limit.
func TestLargestRecordAndTenThousandHeadersArrive(t *testing.T) {
	t.Parallel()
	broker, sender := publisher(t, func(s *config.Kafka) { s.Producer.MaxMessageBytes = 1 << 20 })
	topic := kafkatest.Name(t)
	kafkatest.CreateTopic(t, broker, topic+"-dlt", 1, "max.message.bytes", "7340032")
	large, many := sourceOn(topic, 0, "large"), sourceOn(topic, 0, "many")
	large.Value = bytes.Repeat([]byte("x"), 6<<20-100)
	many.Headers = slices.Repeat([]record.Header{{Key: "x", Value: []byte("y")}}, 10_000)
	for _, source := range []*record.Record{large, many} {
		if err := deadletter.NewWriter(sender, "").Write(t.Context(), letterOf(source, record.ClassTooLarge)); err != nil {
			t.Fatal(err)
		}
	}
	dead := kafkatest.Consume(t, broker, topic+"-dlt", 2)
	if !bytes.Equal(dead[0].Value, large.Value) || len(dead[1].Headers) != 10_015 {
		t.Errorf("got %d bytes and %d headers, want %d and 10015", len(dead[0].Value), len(dead[1].Headers), len(large.Value))
	}
}

// Ensure what cannot be written is an error: a record beyond what the topic takes, and a topic that is not there.
func TestWhatCannotBeWrittenIsAnError(t *testing.T) {
	t.Parallel()
	broker, sender := publisher(t, func(s *config.Kafka) { s.Producer.DeliveryTimeout = 2 * time.Second })
	topic := kafkatest.Name(t)
	kafkatest.CreateTopic(t, broker, topic+"-dlt", 1, "max.message.bytes", "1024")
	large, lost := sourceOn(topic, 0, "k"), sourceOn(kafkatest.Name(t), 0, "k")
	large.Value = bytes.Repeat([]byte("secret-4711"), 1000)
	for name, source := range map[string]*record.Record{"too large": large, "no topic": lost} {
		ctx, cancel := context.WithTimeout(t.Context(), kafkatest.Patience)
		err := deadletter.NewWriter(sender, "").Write(ctx, letterOf(source, record.ClassFailed))
		cancel()
		if err == nil || bytes.Contains([]byte(err.Error()), []byte("4711")) {
			t.Errorf("%s: got %v, want an error without the payload", name, err)
		}
	}
}
