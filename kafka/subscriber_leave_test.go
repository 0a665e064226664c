package kafka_test

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/kafka/kafkatest"
	"github.com/prantikov/millrace/record"
)

// TestPartitionGivenLaterRepeatsNothingThatIsDone lets a second member take partitions while a parked record holds their frontiers, and then
// lets the first one go.
func TestPartitionGivenLaterRepeatsNothingThatIsDone(t *testing.T) {
	t.Parallel()
	const partitions, per = 4, 21
	broker := kafkatest.Broker(t)
	topic, group := kafkatest.Topic(t, broker, partitions), kafkatest.Name(t)
	var handled ledger
	var healed atomic.Bool
	join := func() *kafka.Subscriber {
		subscriber := open(t, kafka.SubscriberSettings{Kafka: sharing(broker, "cooperative"), Group: group, Topics: []string{topic}})
		batches(t, subscriber, topic, byKey(func(r *record.Record) record.Result {
			if string(r.Key) == "k0" && !healed.Load() {
				return record.Result{Outcome: record.Parked, Until: time.Now().Add(200 * time.Millisecond)}
			}
			handled.add(r)
			return record.Result{Outcome: record.Done}
		}))
		return subscriber
	}
	first := join()
	write(t, broker, topic, partitions, per)
	kafkatest.Eventually(t, "the other keys are handled", func() bool { return handled.count() == partitions*(per-per/7) })
	second := join()
	kafkatest.Eventually(t, "they share", func() bool { return len(first.Positions()) == 2 && len(second.Positions()) == 2 })
	closeNow(t, first)
	kafkatest.Eventually(t, "the second has all", func() bool { return len(second.Positions()) == partitions })
	healed.Store(true)
	kafkatest.Eventually(t, "all is committed", func() bool {
		return !slices.ContainsFunc([]int32{0, 1, 2, 3}, func(p int32) bool { return committed(t, broker, group, topic, p) != per })
	})
	for partition := range int32(partitions) {
		if got := slices.Sorted(slices.Values(handled.offsets(topic, partition))); !slices.Equal(got, upTo(per)) {
			t.Errorf("partition %d: got %v, want each once", partition, got)
		}
	}
}

// TestCloseDoesNotWaitForTheDrainOfAnother closes a member whose join waits for another that drains, and wants what it finished committed.
func TestCloseDoesNotWaitForTheDrainOfAnother(t *testing.T) {
	t.Parallel()
	const partitions, per = 6, 10
	broker := kafkatest.Broker(t)
	topic, group := kafkatest.Topic(t, broker, partitions), kafkatest.Name(t)
	var handled ledger
	release := make(chan struct{})
	var held, joined, late atomic.Bool
	join := func(handle func(context.Context, *record.Batch), drain time.Duration, hooks kafka.Hooks) *kafka.Subscriber {
		subscriber := open(t, kafka.SubscriberSettings{
			Kafka: sharing(broker, "cooperative"), Group: group, Topics: []string{topic}, DrainTimeout: drain, Hooks: hooks,
		})
		batches(t, subscriber, topic, handle)
		return subscriber
	}
	slow := join(func(ctx context.Context, b *record.Batch) {
		if held.Load() {
			<-release
		}
		handled.handleAll(ctx, b)
	}, kafkatest.Patience, kafka.Hooks{Abandoned: func(string, int32, int) { late.Store(true) }})
	lost := make(chan int32, 2*partitions)
	quick := join(handled.handleAll, time.Second, kafka.Hooks{Lost: func(_ string, partition int32) {
		if joined.Load() {
			lost <- partition
		}
	}})
	kafkatest.Eventually(t, "they share", func() bool { return len(slow.Positions()) == 3 && len(quick.Positions()) == 3 })
	held.Store(true)
	write(t, broker, topic, partitions, per)
	kafkatest.Eventually(t, "the quick one is through, and the slow one busy with each of its partitions", func() bool {
		idle := slices.ContainsFunc(slow.Positions(), func(p kafka.PartitionPosition) bool { return p.InFlight == 0 })
		return handled.count() == 3*per && !idle
	})
	joined.Store(true)
	join(handled.handleAll, 0, kafka.Hooks{})
	// It has given a partition to the third member, and joins again to say so; the slow one does not answer.
	<-lost
	admin := kadm.NewClient(kafkatest.Client(t, broker))
	kafkatest.Eventually(t, "it waits for the slow one", func() bool {
		groups, err := admin.DescribeGroups(t.Context(), group)
		return err == nil && groups[group].State == "PreparingRebalance"
	})
	write(t, broker, topic, partitions, per)
	kafkatest.Eventually(t, "it goes on with what it has", func() bool { return handled.count() == 5*per })
	closeNow(t, quick)
	if late.Load() {
		t.Error("closed only when the other's drain was over, want it to leave in the time of its own drain")
	}
	if groups, err := admin.DescribeGroups(t.Context(), group); err != nil || len(groups[group].Members) != 2 {
		t.Errorf("the group has %d members (%v), want 2: who is closed has left", len(groups[group].Members), err)
	}
	close(release)
	kafkatest.Eventually(t, "all is handled", func() bool { return handled.count() >= 2*partitions*per })
	handled.wantOnce(t, topic, partitions, 2*per)
}
