package kafka_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	wmkafka "github.com/ThreeDotsLabs/watermill-kafka/v3/pkg/kafka"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/pubsub/tests"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/kafka/kafkatest"
	"github.com/prantikov/millrace/record"
)

// TestMessageFacePassesWatermillsSuite runs Watermill's own suite, in its short form, on the face with a message per record.
func TestMessageFacePassesWatermillsSuite(t *testing.T) {
	t.Parallel()
	suite(t, func(s *kafka.Subscriber) message.Subscriber { return s })
}

// TestBatchFacePassesWatermillsSuite runs it on the face with a message per batch, which is the one that the router takes.
func TestBatchFacePassesWatermillsSuite(t *testing.T) {
	t.Parallel()
	suite(t, func(s *kafka.Subscriber) message.Subscriber { return &unbatched{Subscriber: s} })
}

// TestNewGroupReceivesWatermillsOldMessages runs the suite's test of old messages, which are for who has a group of their own.
func TestNewGroupReceivesWatermillsOldMessages(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	features := features(t, broker)
	features.NewSubscriberReceivesOldMessages = true
	tests.TestNewSubscriberReceivesOldMessages(t, tests.TestContext{TestID: tests.NewTestID(), Features: features},
		func(t *testing.T) (message.Publisher, message.Subscriber) {
			return ends(t, broker, kafkatest.Name(t), func(s *kafka.Subscriber) message.Subscriber { return s })
		})
}

func suite(t *testing.T, face func(*kafka.Subscriber) message.Subscriber) {
	broker, run := kafkatest.Broker(t), kafkatest.Name(t)
	inGroup := func(t *testing.T, group string) (message.Publisher, message.Subscriber) {
		return ends(t, broker, group, face)
	}
	alone := func(t *testing.T) (message.Publisher, message.Subscriber) {
		return ends(t, broker, run+strings.ReplaceAll(t.Name(), "/", "-"), face)
	}
	tests.TestPubSub(t, features(t, broker), alone, inGroup)
}

// features are all that are true: messages are persistent, of a group each is for one member, and those of a key are in order. One that a group
// has acked is not received again by its next member, no service is restarted by a command, and a context does not travel through Kafka.
func features(t *testing.T, broker string) tests.Features {
	return tests.Features{
		ConsumerGroups: true, GuaranteedOrder: true, GuaranteedOrderWithSingleSubscriber: true, Persistent: true, ForceShort: true,
		GenerateTopicFunc: func(tests.TestContext) string {
			topic := kafkatest.Topic(t, broker, 1)
			// The suite derives further topics by number, and nothing here creates a topic by using it.
			for number := range 10 {
				kafkatest.CreateTopic(t, broker, fmt.Sprintf("%s-%d", topic, number), 1)
			}
			return topic
		},
	}
}

// ends are a publisher and a subscriber in a group.
func ends(t *testing.T, broker, group string, face func(*kafka.Subscriber) message.Subscriber) (message.Publisher, message.Subscriber) {
	settings := quick(broker)
	publisher, err := kafka.NewPublisher(settings, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	subscriber, err := kafka.NewSubscriber(kafka.SubscriberSettings{Kafka: settings, Group: group, DrainTimeout: 500 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return publisher, face(subscriber)
}

// unbatched hands out the records of batches as messages, key by key: an ack is done, after a nack the record is parked for a moment.
type unbatched struct {
	*kafka.Subscriber
	forwarding sync.WaitGroup
}

func (u *unbatched) Close() error {
	err := u.Subscriber.Close()
	u.forwarding.Wait()
	return err
}

func (u *unbatched) Subscribe(ctx context.Context, topic string) (<-chan *message.Message, error) {
	batches, err := u.SubscribeBatches(ctx, topic)
	if err != nil {
		return nil, err
	}
	out := make(chan *message.Message)
	u.forwarding.Go(func() {
		defer close(out)
		var walks sync.WaitGroup
		for m := range batches {
			walks.Go(func() {
				handOut(m.Context(), record.BatchFromContext(m.Context()), out)
				m.Ack()
			})
		}
		walks.Wait()
	})
	return out, nil
}

// handOut gives each key's records to out, one after another, and reports what becomes of them.
func handOut(ctx context.Context, b *record.Batch, out chan<- *message.Message) {
	byKey(func(r *record.Record) record.Result { return handOutOne(ctx, b, r, out) })(ctx, b)
}

func handOutOne(ctx context.Context, b *record.Batch, r *record.Record, out chan<- *message.Message) record.Result {
	ctx, cancel := context.WithCancel(record.NewContext(ctx, r))
	defer cancel()
	id, _ := r.Header(wmkafka.UUIDHeaderKey)
	m := message.NewMessage(string(id), r.Value)
	for _, header := range r.Headers {
		if header.Key != wmkafka.UUIDHeaderKey {
			m.Metadata[header.Key] = string(header.Value)
		}
	}
	m.SetContext(ctx)
	select {
	case out <- m:
	case <-b.Stopping:
		return record.Result{}
	}
	select {
	case <-m.Acked():
		return record.Result{Outcome: record.Done}
	case <-m.Nacked():
		return record.Result{Outcome: record.Parked, Until: time.Now().Add(50 * time.Millisecond)}
	case <-ctx.Done():
		return record.Result{}
	}
}
