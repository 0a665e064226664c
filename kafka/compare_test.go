package kafka_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/kafka/kafkatest"
	"github.com/prantikov/millrace/record"
)

// compare compares two groups up to the present ends.
func compare(t *testing.T, broker, a, b string, topics ...string) []kafka.Comparison {
	t.Helper()
	r, ends := reader(t, broker), map[string]map[int32]int64{}
	for _, topic := range topics {
		end, err := r.Ends(t.Context(), topic)
		if err != nil {
			t.Fatal(err)
		}
		ends[topic] = end
	}
	compared, err := r.Compare(t.Context(), a, b, ends)
	if err != nil {
		t.Fatal(err)
	}
	return compared
}

// commits commits positions of a group on partition 0; a negative one is none.
func commits(t *testing.T, broker, group, topic string, offset int64, metadata string) {
	t.Helper()
	if offset >= 0 {
		commitAs(t, broker, group, topic, kadm.Offset{At: offset, LeaderEpoch: -1, Metadata: metadata})
	}
}

func TestCompareCountsWhatOneGroupHasDoneAndTheOtherNot(t *testing.T) {
	t.Parallel()
	const per = 20
	first := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	minute := func(n int) time.Time { return first.Add(time.Duration(n) * time.Minute) }
	ours := func(position, from, to int64) string {
		return fmt.Sprintf("millrace/1 %d %s", position, textOf(t, from, to))
	}
	tests := []struct {
		name string
		// a and b are the positions of the groups, -1 for none, with what is committed beside them.
		a, b                 int64
		metadataA, metadataB string
		// deleted is the start of the log.
		deleted int64
		want    kafka.Comparison
	}{
		{name: "both have done all", a: per, b: per, want: kafka.Comparison{A: kafka.Standing{Committed: per}, B: kafka.Standing{Committed: per}}},
		{
			name: "both have done the same, and not all", a: 12, b: 12,
			want: kafka.Comparison{A: kafka.Standing{Committed: 12, Undone: 8, Oldest: minute(12)}, B: kafka.Standing{Committed: 12, Undone: 8, Oldest: minute(12)}},
		},
		{
			name: "one is behind", a: per, b: 15,
			want: kafka.Comparison{A: kafka.Standing{Committed: per}, B: kafka.Standing{Committed: 15, Undone: 5, Oldest: minute(15)}, OnlyA: 5},
		},
		{
			name: "what is done above a position counts", a: 15, b: 10, metadataB: ours(10, 12, 18),
			want: kafka.Comparison{
				A: kafka.Standing{Committed: 15, Undone: 5, Oldest: minute(15)}, B: kafka.Standing{Committed: 10, Above: 6, Undone: 4, Oldest: minute(10)},
				OnlyA: 2, OnlyB: 3,
			},
		},
		{
			name: "metadata of another program counts as nothing", a: 10, b: 10, metadataB: "kgo-0b9b1f4e", metadataA: ours(11, 12, 18),
			want: kafka.Comparison{A: kafka.Standing{Committed: 10, Undone: 10, Oldest: minute(10)}, B: kafka.Standing{Committed: 10, Undone: 10, Oldest: minute(10)}},
		},
		{
			name: "a group that never began has done nothing", a: per, b: -1,
			want: kafka.Comparison{A: kafka.Standing{Committed: per}, B: kafka.Standing{Committed: -1, Undone: per, Oldest: minute(0)}, OnlyA: per},
		},
		{
			name: "two that never began are equal", a: -1, b: 0,
			want: kafka.Comparison{A: kafka.Standing{Committed: -1, Undone: per, Oldest: minute(0)}, B: kafka.Standing{Undone: per, Oldest: minute(0)}},
		},
		{
			name: "what the log has lost is still a difference", a: 10, b: 2, deleted: 5,
			want: kafka.Comparison{A: kafka.Standing{Committed: 10, Undone: 10, Oldest: minute(10)}, B: kafka.Standing{Committed: 2, Undone: 15, Oldest: minute(5)}, OnlyA: 8},
		},
		{
			name: "what the log has lost is none for a group that never began", a: 10, b: -1, deleted: 5,
			want: kafka.Comparison{A: kafka.Standing{Committed: 10, Undone: 10, Oldest: minute(10)}, B: kafka.Standing{Committed: -1, Undone: 15, Oldest: minute(5)}, OnlyA: 5},
		},
		{
			name: "a group beyond the end is at the end", a: per + 5, b: per,
			want: kafka.Comparison{A: kafka.Standing{Committed: per + 5}, B: kafka.Standing{Committed: per}},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			broker := kafkatest.Broker(t)
			topic, a, b := kafkatest.Topic(t, broker, 1, "retention.ms", "-1", "message.timestamp.type", "CreateTime"), kafkatest.Name(t), kafkatest.Name(t)
			records := some(topic, 1, per)
			for i, r := range records {
				r.Timestamp = minute(i)
			}
			kafkatest.Produce(t, broker, records...)
			commits(t, broker, a, topic, test.a, test.metadataA)
			commits(t, broker, b, topic, test.b, test.metadataB)
			if test.deleted > 0 {
				deleteRecords(t, broker, topic, 0, test.deleted)
			}
			got := compare(t, broker, a, b, topic)
			test.want.Topic, test.want.Start, test.want.End = topic, test.deleted, per
			if len(got) != 1 || got[0] != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

// Ensure that two clients of which one passes the marker of a transaction and the other stops before it are equal.
func TestCompareTellsMarkersFromRecords(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topic, a, b := kafkatest.Topic(t, broker, 1), kafkatest.Name(t), kafkatest.Name(t)
	write(t, broker, topic, 1, 3)
	kafkatest.ProduceTransaction(t, broker, false, some(topic, 1, 2)...)
	// Three records, two that nobody may see, and a marker, which a real broker writes a moment later.
	kafkatest.Eventually(t, "the transaction has ended", func() bool {
		ends, err := reader(t, broker).Ends(t.Context(), topic)
		return err == nil && ends[0] == 6
	})
	commits(t, broker, a, topic, 6, "")
	commits(t, broker, b, topic, 3, "")
	got := compare(t, broker, a, b, topic)
	want := kafka.Comparison{Topic: topic, End: 6, A: kafka.Standing{Committed: 6}, B: kafka.Standing{Committed: 3}}
	if len(got) != 1 || got[0] != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestCompareIsInTheOrderOfTopicsAndPartitions(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topics := []string{kafkatest.Topic(t, broker, 2), kafkatest.Topic(t, broker, 1)}
	group := kafkatest.Name(t)
	var got []record.Position
	for _, compared := range compare(t, broker, group, group, topics...) {
		got = append(got, record.Position{Topic: compared.Topic, Partition: compared.Partition})
	}
	want := []record.Position{{Topic: topics[0]}, {Topic: topics[0], Partition: 1}, {Topic: topics[1]}}
	slices.SortStableFunc(want, func(a, b record.Position) int { return strings.Compare(a.Topic, b.Topic) })
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Ensure what comes after the comparison has begun makes no difference between two that keep up.
func TestCompareEndsWhereItIsTold(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topic, a, b := kafkatest.Topic(t, broker, 1), kafkatest.Name(t), kafkatest.Name(t)
	write(t, broker, topic, 1, 20)
	commits(t, broker, a, topic, 18, "")
	commits(t, broker, b, topic, 14, "")
	r := reader(t, broker)
	got, err := r.Compare(t.Context(), a, b, map[string]map[int32]int64{topic: {0: 10}})
	if err != nil {
		t.Fatal(err)
	}
	want := kafka.Comparison{Topic: topic, End: 10, A: kafka.Standing{Committed: 18}, B: kafka.Standing{Committed: 14}}
	if len(got) != 1 || got[0] != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if _, err := r.Compare(t.Context(), a, b, map[string]map[int32]int64{"no-such-topic": {0: 1}}); !errors.Is(err, kafka.ErrNoTopic) {
		t.Errorf("a topic that does not exist: got %v, want %v", err, kafka.ErrNoTopic)
	}
}

func TestTopicsOfAGroupAreThoseWithAPosition(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	first, second := kafkatest.Topic(t, broker, 1), kafkatest.Topic(t, broker, 3)
	group := kafkatest.Name(t)
	r := reader(t, broker)
	if got, err := r.TopicsOf(t.Context(), group); err != nil || len(got) > 0 {
		t.Errorf("a group that never was: got %v and %v, want nothing", got, err)
	}
	kafkatest.Commit(t, broker, group, record.Position{Topic: second, Partition: 2, Offset: 0})
	kafkatest.Commit(t, broker, group, record.Position{Topic: first, Offset: 0})
	want := []string{first, second}
	slices.Sort(want)
	if got, err := r.TopicsOf(t.Context(), group); err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v and %v, want %v", got, err, want)
	}
}
