package kafka_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/pubsub/tests"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/kafka/kafkatest"
)

// TestMessageFacePassesWatermillsBasics runs Watermill's own suite, in its short form.
func TestMessageFacePassesWatermillsBasics(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	features := tests.Features{
		ConsumerGroups: true, GuaranteedOrder: true, Persistent: true, ForceShort: true,
		GenerateTopicFunc: func(tests.TestContext) string {
			topic := kafkatest.Topic(t, broker, 1)
			// The suite derives further topics by number, and nothing here creates a topic by using it.
			for number := range 10 {
				kafkatest.CreateTopic(t, broker, fmt.Sprintf("%s-%d", topic, number), 1)
			}
			return topic
		},
	}
	construct := func(t *testing.T, group string) (message.Publisher, message.Subscriber) {
		settings := quick(broker)
		publisher, err := kafka.NewPublisher(settings, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		subscriber, err := kafka.NewSubscriber(kafka.SubscriberSettings{Kafka: settings, Group: group, DrainTimeout: 500 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		return publisher, subscriber
	}
	run := kafkatest.Name(t)
	inGroup := func(t *testing.T) (message.Publisher, message.Subscriber) {
		return construct(t, run+strings.ReplaceAll(t.Name(), "/", "-"))
	}
	tests.TestPubSub(t, features, inGroup, construct)
}
