package kafka_test

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/kafka/kafkatest"
	"github.com/prantikov/millrace/record"
)

func restorer(t *testing.T, broker, name, topic string) *kafka.Restorer {
	t.Helper()
	r, err := kafka.NewRestorer(t.Context(), kafkatest.Settings(broker), name, topic)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

func wantRestored(t *testing.T, r *kafka.Restorer, want kafka.Restored) {
	t.Helper()
	if got, err := r.Restored(t.Context()); got != want || err != nil {
		t.Errorf("got %+v and %v, want %+v", got, err, want)
	}
}

// Ensure a restorer of the same name knows what is on the topic, and that one before it can add nothing.
func TestRestorerGoesOnWhereAnotherEnded(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topic := kafkatest.Topic(t, broker, 2)
	name := kafkatest.Name(t)
	at := time.UnixMilli(1735122600123).UTC()
	make := func(partition int32, offset int64) *record.Record {
		return &record.Record{Position: record.Position{Topic: "earlier", Partition: partition, Offset: offset}, Timestamp: at, Key: []byte("k"), Value: nil,
			Headers: []record.Header{{Key: "b", Value: []byte("1")}, {Key: "a"}, {Key: "b", Value: []byte{}}}}
	}
	first := restorer(t, broker, name, topic)
	wantRestored(t, first, kafka.Restored{})
	one, two := make(1, 5), make(0, 7)
	if err := first.Publish([]*record.Record{one}, false, kafka.Restored{Records: 1, Last: one.Position}); err != nil {
		t.Fatal(err)
	}
	second := restorer(t, broker, name, topic)
	wantRestored(t, second, kafka.Restored{Records: 1, Last: one.Position})
	if err := first.Publish([]*record.Record{two}, false, kafka.Restored{Records: 2, Last: two.Position}); err == nil {
		t.Error("got no error of the first one, want it fenced")
	}
	if err := second.Publish([]*record.Record{two}, false, kafka.Restored{Records: 2, Last: two.Position}); err != nil {
		t.Fatal(err)
	}
	wantRestored(t, second, kafka.Restored{Records: 2, Last: two.Position})

	reader := kafkatest.Client(t, broker, kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	seen := map[int32]int{}
	for len(seen) < 2 {
		fetches := reader.PollFetches(t.Context())
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			seen[r.Partition]++
			if r.Value != nil || string(r.Key) != "k" || !r.Timestamp.Equal(at) || len(r.Headers) != 3 || r.Headers[1].Value != nil || r.Headers[2].Value == nil {
				t.Errorf("got %+v, want it as it was", r)
			}
		})
	}
	if seen[0] != 1 || seen[1] != 1 {
		t.Errorf("got %v records by partition, want one in each", seen)
	}
	if err := second.Forget(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantRestored(t, second, kafka.Restored{})
	if err := second.Forget(t.Context()); err != nil {
		t.Errorf("got %v, want nothing to forget to be no error", err)
	}
}
