package kafka_test

import (
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/kafka/kafkatest"
	"github.com/prantikov/millrace/record"
)

// undecided is what was said of a group without a position.
type undecided struct {
	mu    sync.Mutex
	texts []string
	on    bool
}

func (u *undecided) hooks() kafka.Hooks {
	return kafka.Hooks{Alarm: func(kind kafka.AlarmKind, _ string, _ int32, on bool, text string) {
		if kind != kafka.AlarmUndecided {
			return
		}
		u.mu.Lock()
		defer u.mu.Unlock()
		if u.on = on; on {
			u.texts = append(u.texts, text)
		}
	}}
}

func (u *undecided) state() (texts []string, on bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return append([]string(nil), u.texts...), u.on
}

// aged writes records of these ages into partition 0 of a topic.
func aged(t *testing.T, broker, topic string, ages ...time.Duration) {
	t.Helper()
	records := some(topic, 1, len(ages))
	for i, r := range records {
		r.Timestamp = time.Now().Add(-ages[i])
	}
	kafkatest.Produce(t, broker, records...)
}

func TestConsumerThatMustNotGuessIsHeldBeforeOldRecords(t *testing.T) {
	t.Parallel()
	eachProtocol(t, func(t *testing.T, rebalance string) {
		broker := kafkatest.Broker(t)
		topics := []string{
			kafkatest.Topic(t, broker, 2, "retention.ms", "-1", "message.timestamp.type", "CreateTime"),
			kafkatest.Topic(t, broker, 1, "retention.ms", "-1", "message.timestamp.type", "CreateTime"),
		}
		aged(t, broker, topics[0], 50*time.Hour, 3*time.Hour, time.Minute)
		aged(t, broker, topics[1], 30*time.Hour, 2*time.Hour, 2*time.Hour, time.Minute)
		group := kafkatest.Name(t)
		var handled ledger
		var said undecided
		settings := kafka.SubscriberSettings{Kafka: sharing(broker, rebalance), Group: group, Topics: topics, Undecided: topics, Hooks: said.hooks()}
		subscriber := open(t, settings)
		for _, topic := range topics {
			batches(t, subscriber, topic, handled.handleAll)
		}
		kafkatest.Eventually(t, "it is held", func() bool { _, on := said.state(); return on })
		texts, _ := said.state()
		// One line for all topics, with the number and the age.
		want := regexp.MustCompile(`^it has no position, and 5 records lie ahead that are older than 1h0m0s, the oldest 50h[01]m0s old: nobody has said whether it begins with them$`)
		if len(texts) != 1 || !want.MatchString(texts[0]) {
			t.Errorf("got %q, want one that matches %s", texts, want)
		}
		closeNow(t, subscriber)
		if got := handled.count(); got != 0 {
			t.Errorf("got %d records handled, want none", got)
		}
		for _, topic := range topics {
			if got := committed(t, broker, group, topic, 0); got >= 0 {
				t.Errorf("got position %d on %s, want none", got, topic)
			}
		}
		// The start decides.
		settings.Undecided, settings.Starts = nil, map[string]kafka.Start{topics[0]: kafka.Latest(), topics[1]: kafka.Earliest()}
		decided := open(t, settings)
		for _, topic := range topics {
			batches(t, decided, topic, handled.handleAll)
		}
		kafkatest.Eventually(t, "all of the second topic is handled", func() bool { return len(handled.offsets(topics[1], 0)) == 4 })
		if got := handled.offsets(topics[0], 0); len(got) != 0 {
			t.Errorf("got %v of the first topic handled, want nothing of what was there", got)
		}
	})
}

func TestConsumerThatMustNotGuessBegins(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		ages []time.Duration
		// position is committed before; -1 for none.
		position int64
		// decided is whether somebody has chosen the start of this topic, though not of another.
		decided bool
		want    int
	}{
		{"with a log that has nothing", nil, -1, false, 0},
		{"with records of the last hour", []time.Duration{50 * time.Minute, time.Minute}, -1, false, 2},
		{"where it was, whatever lies ahead", []time.Duration{50 * time.Hour, 40 * time.Hour, time.Minute}, 1, false, 2},
		{"with old records of a topic that it is to begin with", []time.Duration{50 * time.Hour, time.Minute}, -1, true, 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			broker := kafkatest.Broker(t)
			topic, group := kafkatest.Topic(t, broker, 1, "retention.ms", "-1", "message.timestamp.type", "CreateTime"), kafkatest.Name(t)
			if test.ages != nil {
				aged(t, broker, topic, test.ages...)
			}
			if test.position >= 0 {
				kafkatest.Commit(t, broker, group, record.Position{Topic: topic, Partition: 0, Offset: test.position})
			}
			var handled ledger
			var said undecided
			undecided := topic
			if test.decided {
				undecided = "another"
			}
			subscriber := open(t, kafka.SubscriberSettings{Kafka: quick(broker), Group: group, Topics: []string{topic}, Undecided: []string{undecided}, Hooks: said.hooks()})
			batches(t, subscriber, topic, handled.handleAll)
			kafkatest.Eventually(t, "it has a position", func() bool { return committed(t, broker, group, topic, 0) >= 0 })
			kafkatest.Eventually(t, "all is handled", func() bool { return handled.count() == test.want })
			if texts, _ := said.state(); len(texts) > 0 {
				t.Errorf("got %q, want nothing said", texts)
			}
		})
	}
}

// Ensure a consumer that is held goes on by itself when the old records are gone, and that the alarm ends.
func TestConsumerThatMustNotGuessBeginsWhenRetentionHasPassed(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topic := kafkatest.Topic(t, broker, 1, "retention.ms", "-1", "message.timestamp.type", "CreateTime")
	aged(t, broker, topic, 50*time.Hour, 2*time.Hour, time.Minute)
	var handled ledger
	var said undecided
	subscriber := open(t, kafka.SubscriberSettings{Kafka: quick(broker), Group: kafkatest.Name(t), Topics: []string{topic}, Undecided: []string{topic}, Hooks: said.hooks()})
	batches(t, subscriber, topic, handled.handleAll)
	kafkatest.Eventually(t, "it is held", func() bool { _, on := said.state(); return on })
	deleteRecords(t, broker, topic, 0, 2)
	kafkatest.Eventually(t, "what is left is handled", func() bool { return handled.count() == 1 })
	if _, on := said.state(); on {
		t.Error("got the alarm on, want it over")
	}
}
