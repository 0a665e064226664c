package replay_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/kafka/kafkatest"
	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/replay"
)

var begin = time.UnixMilli(1_735_120_000_000).UTC()

// orders are records of a topic's one partition, a second apart: created and shipped of three orders in turn, and one that nobody can read.
func orders(topic string) []*record.Record {
	var records []*record.Record
	for i := range 12 {
		action := [...]string{"created", "shipped"}[i/3%2]
		value := fmt.Sprintf(`{"orderId":"ord-%d","patientId":"pat-1","action":%q}`, i%3, action)
		if i == 11 {
			value = "{"
		}
		records = append(records, &record.Record{
			Position: record.Position{Topic: topic}, Timestamp: begin.Add(time.Duration(i) * time.Second), Key: fmt.Appendf(nil, "ord-%d", i%3), Value: []byte(value),
		})
	}
	return records
}

func TestScopeIsWhatTheLogHasOfIt(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topic := kafkatest.Topic(t, broker, 2, "retention.ms", "-1")
	kafkatest.Produce(t, broker, orders(topic)...)
	reader, err := kafka.NewReader(t.Context(), kafkatest.Settings(broker))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = reader.Close() })
	now := begin.Add(20 * time.Second)
	tests := []struct {
		name, from, to string
		partitions     []int32
		want           []replay.Part
	}{
		{"everything; an empty partition is left out", "beginning", "end", nil, []replay.Part{{Topic: topic, To: 12}}},
		{"offsets", "3", "7", nil, []replay.Part{{Topic: topic, From: 3, To: 7}}},
		{"no further than the log", "0", "700", nil, []replay.Part{{Topic: topic, To: 12}}},
		{"times", begin.Add(4 * time.Second).Format(time.RFC3339), begin.Add(6 * time.Second).Format(time.RFC3339), nil, []replay.Part{{Topic: topic, From: 4, To: 6}}},
		{"durations ago", "15s", "10s", nil, []replay.Part{{Topic: topic, From: 5, To: 10}}},
		{"after everything", "1s", "end", nil, nil},
		{"the wrong way round", "7", "3", nil, nil},
		{"another partition", "beginning", "end", []int32{1}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			scope := replay.Scope{Topics: []string{topic}, Partitions: test.partitions}
			for text, bound := range map[string]*replay.Bound{test.from: &scope.From, test.to: &scope.To} {
				var err error
				if *bound, err = replay.ParseBound(text, now); err != nil {
					t.Fatal(err)
				}
			}
			if got, err := scope.Parts(t.Context(), reader); err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v and error %v, want %+v", got, err, test.want)
			}
		})
	}
}

func TestWhatIsNoBoundIsRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "yesterday", "-1", "-2h", "2026-01-31", "start"} {
		if got, err := replay.ParseBound(text, begin); err == nil {
			t.Errorf("%q: got %v, want an error", text, got)
		}
	}
}

func TestPlanCountsWhatAReplayWouldDo(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topic := kafkatest.Topic(t, broker, 1, "retention.ms", "-1")
	kafkatest.Produce(t, broker, orders(topic)...)
	reader, err := kafka.NewReader(t.Context(), kafkatest.Settings(broker))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = reader.Close() })
	takers := []replay.Taker{
		{Name: "pure", Topics: []string{topic}},
		{Name: "outside", Topics: []string{topic}, Share: replay.Share{Committed: map[string]map[int32]int64{topic: {0: 4}}}},
		{Name: "elsewhere", Topics: []string{"another"}},
	}
	key := "ord-1"
	types := map[string]messages.Type{topic: messages.Orders}
	tests := []struct {
		name   string
		choice replay.Choice
		topic  replay.TopicPlan
		pure   replay.ConsumerPlan
		other  replay.ConsumerPlan
	}{
		{
			"everything", replay.Choice{Types: types},
			replay.TopicPlan{Records: 11, Keys: 3, Actions: map[string]int64{"created": 5, "shipped": 5}, Unreadable: 1},
			replay.ConsumerPlan{Apply: 11}, replay.ConsumerPlan{Apply: 3, Live: 8},
		},
		{
			"a key", replay.Choice{Types: types, Key: &key},
			replay.TopicPlan{Records: 4, Keys: 1, Actions: map[string]int64{"created": 2, "shipped": 2}},
			replay.ConsumerPlan{Apply: 4}, replay.ConsumerPlan{Apply: 1, Live: 3},
		},
		{
			"an action", replay.Choice{Types: types, Action: messages.Shipped},
			replay.TopicPlan{Records: 5, Keys: 3, Actions: map[string]int64{"shipped": 5}},
			replay.ConsumerPlan{Apply: 5}, replay.ConsumerPlan{Apply: 1, Live: 4},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var read int64
			parts := []replay.Part{{Topic: topic, From: 1, To: 12}}
			plan, err := replay.Survey(t.Context(), reader, parts, test.choice, takers, func(offsets int64) { read = offsets })
			if err != nil {
				t.Fatal(err)
			}
			got := plan.Topics[0]
			if got.Records != test.topic.Records || got.Keys != test.topic.Keys || got.Unreadable != test.topic.Unreadable || !reflect.DeepEqual(got.Actions, test.topic.Actions) {
				t.Errorf("got %+v, want %+v", got, test.topic)
			}
			test.pure.Consumer, test.other.Consumer = "pure", "outside"
			want := []replay.ConsumerPlan{test.pure, test.other, {Consumer: "elsewhere"}}
			if !reflect.DeepEqual(plan.Consumers, want) || read != 11 {
				t.Errorf("got %+v and %d offsets read, want %+v and 11", plan.Consumers, read, want)
			}
		})
	}
}
