package kafka_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/prantikov/millrace/config"
	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/kafka/kafkatest"
	"github.com/prantikov/millrace/record"
)

// eachProtocol runs a test with each way in which a group's partitions can change hands.
func eachProtocol(t *testing.T, test func(t *testing.T, rebalance string)) {
	for _, rebalance := range []string{"eager", "cooperative"} {
		t.Run(rebalance, func(t *testing.T) {
			t.Parallel()
			test(t, rebalance)
		})
	}
}

// sharing returns quick settings with this way.
func sharing(broker, rebalance string) config.Kafka {
	settings := quick(broker)
	settings.Rebalance = rebalance
	return settings
}

// holder keeps what a member was given and has, and the gaps that it met. The zero value is ready.
type holder struct {
	mu    sync.Mutex
	owned map[int32]bool
	given []int32
	gaps  []kafka.Gap
}

func (h *holder) hooks() kafka.Hooks {
	return kafka.Hooks{
		Assigned: func(_ string, partition int32, _ int64) {
			h.mu.Lock()
			defer h.mu.Unlock()
			if h.owned == nil {
				h.owned = map[int32]bool{}
			}
			h.owned[partition] = true
			h.given = append(h.given, partition)
		},
		Lost: func(_ string, partition int32) {
			h.mu.Lock()
			defer h.mu.Unlock()
			delete(h.owned, partition)
		},
		Gap: func(_ context.Context, g kafka.Gap) error {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.gaps = append(h.gaps, g)
			return nil
		},
	}
}

func (h *holder) has() []int32 {
	h.mu.Lock()
	defer h.mu.Unlock()
	var partitions []int32
	for partition := range h.owned {
		partitions = append(partitions, partition)
	}
	return partitions
}

// TestCooperativeMemberMeetsOneGapOnAPartitionThatComesLater moves the log's start past what the group has committed while a partition
// changes hands; the client asks for the setup of a session only once, and this partition comes after it.
func TestCooperativeMemberMeetsOneGapOnAPartitionThatComesLater(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topic, group := kafkatest.Topic(t, broker, 2), kafkatest.Name(t)
	write(t, broker, topic, 2, 10)
	for partition := range int32(2) {
		kafkatest.Commit(t, broker, group, record.Position{Topic: topic, Partition: partition, Offset: 2})
	}
	var handled ledger
	join := func(h *holder) *kafka.Subscriber {
		subscriber := open(t, kafka.SubscriberSettings{Kafka: sharing(broker, "cooperative"), Group: group, Topics: []string{topic}, Hooks: h.hooks()})
		subscriber.Pause("", -1)
		batches(t, subscriber, topic, handled.handleAll)
		return subscriber
	}
	var leaves, stays holder
	leaving := join(&leaves)
	kafkatest.Eventually(t, "the first has all", func() bool { return len(leaves.has()) == 2 })
	staying := join(&stays)
	kafkatest.Eventually(t, "each has one", func() bool { return len(leaves.has()) == 1 && len(stays.has()) == 1 })
	moves := leaves.has()[0]
	deleteRecords(t, broker, topic, moves, 6)
	closeNow(t, leaving)
	kafkatest.Eventually(t, "the other has both", func() bool { return len(stays.has()) == 2 })
	staying.Resume("", -1)
	kafkatest.Eventually(t, "all is handled", func() bool { return handled.count() == 12 })
	kafkatest.Eventually(t, "the end is committed", func() bool { return committed(t, broker, group, topic, moves) == 10 })
	handled.wantPartition(t, topic, moves, []int64{6, 7, 8, 9})
	handled.wantPartition(t, topic, 1-moves, []int64{2, 3, 4, 5, 6, 7, 8, 9})
	stays.mu.Lock()
	defer stays.mu.Unlock()
	if want := []kafka.Gap{{Topic: topic, Partition: moves, From: 2, To: 6, Reason: kafka.ReasonRetention}}; !slices.Equal(stays.gaps, want) || len(leaves.gaps) > 0 {
		t.Errorf("gaps: got %v and %v of who left, want %v alone", stays.gaps, leaves.gaps, want)
	}
	if want := []int32{1 - moves, moves}; !slices.Equal(stays.given, want) {
		t.Errorf("given: got partitions %v, want each once: %v", stays.given, want)
	}
}

// TestCooperativeMemberGivesUpWhatItTakesNothingFrom has claims that do not look at their records, and so not at the end of them either.
func TestCooperativeMemberGivesUpWhatItTakesNothingFrom(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topic, group := kafkatest.Topic(t, broker, 4), kafkatest.Name(t)
	write(t, broker, topic, 4, 5)
	var handled ledger
	join := func(h *holder, paused bool) {
		subscriber := open(t, kafka.SubscriberSettings{Kafka: sharing(broker, "cooperative"), Group: group, Topics: []string{topic}, Hooks: h.hooks()})
		if paused {
			subscriber.Pause("", -1)
		}
		batches(t, subscriber, topic, handled.handleAll)
	}
	var paused, other holder
	join(&paused, true)
	kafkatest.Eventually(t, "the paused member has all", func() bool { return len(paused.has()) == 4 })
	join(&other, false)
	kafkatest.Eventually(t, "the other has half", func() bool { return len(paused.has()) == 2 && len(other.has()) == 2 })
	kafkatest.Eventually(t, "and reads it", func() bool { return handled.count() == 10 })
}

// TestGroupGoesFromEagerToCooperativeInTwoRollouts replaces the members one by one, twice, while records flow.
func TestGroupGoesFromEagerToCooperativeInTwoRollouts(t *testing.T) {
	t.Parallel()
	const partitions, per = 4, 20
	broker := kafkatest.Broker(t)
	topic, group := kafkatest.Topic(t, broker, partitions), kafkatest.Name(t)
	var handled ledger
	var members []*kafka.Subscriber
	modes := []string{"eager", "eager", "migrate", "migrate", "cooperative", "cooperative"}
	for step, mode := range modes {
		var h holder
		subscriber := open(t, kafka.SubscriberSettings{Kafka: sharing(broker, mode), Group: group, Topics: []string{topic}, Hooks: h.hooks()})
		batches(t, subscriber, topic, handled.handleAll)
		members = append(members, subscriber)
		write(t, broker, topic, partitions, per)
		kafkatest.Eventually(t, mode+" gets its part", func() bool { return len(h.has()) > 0 })
		if step >= 2 {
			closeNow(t, members[step-2])
		}
		kafkatest.Eventually(t, "all is handled", func() bool { return handled.count() >= (step+1)*partitions*per })
	}
	for _, member := range members[len(members)-2:] {
		closeNow(t, member)
	}
	handled.wantOnce(t, topic, partitions, len(modes)*per)
}

// TestCooperativeMemberBesideAnEagerOneSaysWhatIsMissing skips the first of the two rollouts.
func TestCooperativeMemberBesideAnEagerOneSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topic, group := kafkatest.Topic(t, broker, 2), kafkatest.Name(t)
	var handled ledger
	var eager holder
	batches(t, open(t, kafka.SubscriberSettings{Kafka: sharing(broker, "eager"), Group: group, Topics: []string{topic}, Hooks: eager.hooks()}), topic, handled.handleAll)
	kafkatest.Eventually(t, "the eager member has all", func() bool { return len(eager.has()) == 2 })
	said := make(chan string, 100)
	batches(t, open(t, kafka.SubscriberSettings{
		Kafka: sharing(broker, "cooperative"), Group: group, Topics: []string{topic},
		Hooks: kafka.Hooks{Alarm: func(_ kafka.AlarmKind, _ string, _ int32, _ bool, text string) { said <- text }},
	}), topic, handled.handleAll)
	if got := <-said; !strings.Contains(got, "kafka.rebalance: migrate") {
		t.Errorf("alarm: got %q, want it to name the rollout that is missing, kafka.rebalance: migrate", got)
	}
	write(t, broker, topic, 2, 5)
	kafkatest.Eventually(t, "the eager member goes on", func() bool { return handled.count() == 10 })
}
