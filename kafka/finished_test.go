package kafka_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/kafka/kafkatest"
)

// Ensure what a group has finished is what its position has passed and what was committed beside it, and nothing for a group without a position.
func TestFinishedIsThePositionAndWhatIsBesideIt(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topic := kafkatest.Topic(t, broker, 2)
	write(t, broker, topic, 2, 10)
	cases := map[string]struct {
		position int64
		metadata string
		want     []int64 // of 0 to 9 of the first partition
	}{
		"no position":             {-1, "", nil},
		"a position":              {3, "", []int64{0, 1, 2}},
		"a position and more":     {3, fmt.Sprintf("millrace/1 3 %s", textOf(t, 5, 7)), []int64{0, 1, 2, 5, 6}},
		"somebody else's text":    {3, "5-7", []int64{0, 1, 2}},
		"a text of another place": {3, fmt.Sprintf("millrace/1 2 %s", textOf(t, 5, 7)), []int64{0, 1, 2}},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			group := kafkatest.Name(t)
			commits(t, broker, group, topic, test.position, test.metadata)
			finished, err := reader(t, broker).Finished(t.Context(), group, topic)
			if err != nil {
				t.Fatal(err)
			}
			var got []int64
			for offset := range int64(10) {
				if finished(0, offset) {
					got = append(got, offset)
				}
				if finished(1, offset) || finished(2, offset) {
					t.Errorf("offset %d of another partition: got finished, want not", offset)
				}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
	if _, err := reader(t, broker).Finished(t.Context(), "g", kafkatest.Name(t)); !errors.Is(err, kafka.ErrNoTopic) {
		t.Errorf("a topic that is missing: got %v, want %v", err, kafka.ErrNoTopic)
	}
}
