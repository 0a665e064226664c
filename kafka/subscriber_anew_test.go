package kafka_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/kafka/kafkatest"
)

// TestTopicThatIsMadeAnewIsReadFromItsStart deletes a topic under a member that has read it, makes it anew, and wants every record of the new
// one handled: its offsets are those that the member has finished, and mean other records.
func TestTopicThatIsMadeAnewIsReadFromItsStart(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topic, group := kafkatest.Topic(t, broker, 2), kafkatest.Name(t)
	write(t, broker, topic, 2, 5)
	var handled ledger
	var told atomic.Value
	subscriber := open(t, kafka.SubscriberSettings{
		Kafka: quick(broker), Group: group, Topics: []string{topic},
		Recognise: func(_ context.Context, ids map[string]string) error {
			told.Store(ids[topic])
			return nil
		},
	})
	batches(t, subscriber, topic, handled.handleAll)
	kafkatest.Eventually(t, "all is handled and committed", func() bool {
		return handled.count() == 10 && committed(t, broker, group, topic, 0) == 5 && committed(t, broker, group, topic, 1) == 5
	})
	first := told.Load()
	admin := kadm.NewClient(kafkatest.Client(t, broker))
	if _, err := admin.DeleteTopics(t.Context(), topic); err != nil {
		t.Fatal(err)
	}
	kafkatest.Eventually(t, "the topic is gone", func() bool {
		topics, err := admin.ListTopics(t.Context(), topic)
		return err == nil && !topics.Has(topic)
	})
	kafkatest.CreateTopic(t, broker, topic, 2)
	write(t, broker, topic, 2, 8)
	kafkatest.Eventually(t, "all of the new topic is handled", func() bool { return handled.count() == 26 })
	if told.Load() == first {
		t.Errorf("got id %v for the topic that was made anew, want another than before", first)
	}
}
