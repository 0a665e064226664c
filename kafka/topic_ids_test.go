package kafka_test

import (
	"testing"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/kafka/kafkatest"
)

func TestTopicThatIsMadeAnewHasAnotherID(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	first, second := kafkatest.Topic(t, broker, 1), kafkatest.Topic(t, broker, 1)
	reader, err := kafka.NewReader(t.Context(), kafkatest.Settings(broker))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	ids, err := reader.TopicIDs(t.Context(), []string{first, second, "not-there"})
	if err != nil {
		t.Fatal(err)
	}
	if len(ids) != 2 || ids[first] == "" || ids[first] == ids[second] {
		t.Errorf("got ids %v, want two different ones for the two topics that exist", ids)
	}
	again, err := reader.TopicIDs(t.Context(), []string{first})
	if err != nil {
		t.Fatal(err)
	}
	if again[first] != ids[first] {
		t.Errorf("got id %s at the second question, want %s as at the first", again[first], ids[first])
	}
}
