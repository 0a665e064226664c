package kafka_test

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/kafka/kafkatest"
	"github.com/prantikov/millrace/record"
)

// oldVersions keeps to requests that name topics by name: later ones name them by id.
func oldVersions() kgo.Opt { return kgo.MaxVersions(kversion.V3_9_0()) }

func TestGracefulRestartsLoseAndRepeatNothing(t *testing.T) {
	t.Parallel()
	const partitions, per = 4, 1500
	broker := kafkatest.Broker(t)
	topic, group := kafkatest.Topic(t, broker, partitions), kafkatest.Name(t)
	write(t, broker, topic, partitions, per)
	settings := quick(broker)
	settings.BatchRecords = 40

	var handled ledger
	for stop := 1; handled.count() < partitions*per; stop++ {
		subscriber := open(t, kafka.SubscriberSettings{Kafka: settings, Group: group, Topics: []string{topic}})
		ended := batches(t, subscriber, topic, handled.handleAll)
		kafkatest.Eventually(t, "a part is handled", func() bool { return handled.count() >= min(stop*700, partitions*per) })
		closeNow(t, subscriber)
		<-ended
		for partition := range int32(partitions) {
			if got, want := committed(t, broker, group, topic, partition), int64(len(handled.offsets(topic, partition))); got != want {
				t.Errorf("stop %d, partition %d: got committed %d, want %d", stop, partition, got, want)
			}
		}
	}
	handled.wantOnce(t, topic, partitions, per)
}

func TestMembersShareUnderLoadWithoutLossOrRepeat(t *testing.T) {
	t.Parallel()
	eachProtocol(t, func(t *testing.T, rebalance string) {
		const partitions, per = 6, 1500
		broker := kafkatest.Broker(t)
		topic, group := kafkatest.Topic(t, broker, partitions), kafkatest.Name(t)
		settings := sharing(broker, rebalance)
		settings.BatchRecords = 20
		go write(t, broker, topic, partitions, per/2)

		var handled ledger
		join := func() *kafka.Subscriber {
			assigned := make(chan struct{}, 100)
			subscriber := open(t, kafka.SubscriberSettings{
				Kafka: settings, Group: group, Topics: []string{topic},
				Hooks: kafka.Hooks{Assigned: func(string, int32, int64) { assigned <- struct{}{} }},
			})
			batches(t, subscriber, topic, handled.handleAll)
			<-assigned
			return subscriber
		}
		first := join()
		second := join()
		third := join()
		closeNow(t, second)
		write(t, broker, topic, partitions, per-per/2)
		fourth := join()
		closeNow(t, first)
		kafkatest.Eventually(t, "all is handled", func() bool { return handled.count() >= partitions*per })
		closeNow(t, third)
		closeNow(t, fourth)
		handled.wantOnce(t, topic, partitions, per)
	})
}

func TestUnfinishedRecordKeepsTheFrontierAndComesAgainBeforeItsKey(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topic, group := kafkatest.Topic(t, broker, 1), kafkatest.Name(t)
	write(t, broker, topic, 1, 10)

	var healed atomic.Bool
	var tries, early atomic.Int32
	var handled ledger
	key := string(some(topic, 1, 10)[5].Key)
	subscriber := open(t, kafka.SubscriberSettings{Kafka: quick(broker), Group: group, Topics: []string{topic}})
	batches(t, subscriber, topic, func(_ context.Context, b *record.Batch) {
		for i, r := range b.Records {
			if r.Offset == 5 && !healed.Load() {
				tries.Add(1)
				b.Report(i, record.Result{Outcome: record.Unfinished})
				continue
			}
			if string(r.Key) == key && r.Offset > 5 && !healed.Load() {
				if b.Records[0].Offset != 5 {
					early.Add(1)
				}
				b.Report(i, record.Result{Outcome: record.Unfinished})
				continue
			}
			handled.add(r)
			b.Report(i, record.Result{Outcome: record.Done})
		}
	})
	kafkatest.Eventually(t, "the record comes again", func() bool { return tries.Load() >= 3 })
	write(t, broker, topic, 1, 7)
	kafkatest.Eventually(t, "the other keys go on", func() bool { return handled.count() == 15 })
	kafkatest.Eventually(t, "the frontier is committed", func() bool { return committed(t, broker, group, topic, 0) == 5 })
	if got := handled.offsets(topic, 0); !slices.Equal(got, []int64{0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16}) {
		t.Errorf("handled: got %v, want all but 5 and the later one of its key, each once", got)
	}
	positions := subscriber.Positions()
	if len(positions) != 1 || positions[0].Frontier != 5 || positions[0].Next != 17 || positions[0].Pending != 2 || positions[0].Oldest.IsZero() {
		t.Errorf("positions: got %+v, want frontier 5, next 17, 2 pending with its timestamp", positions)
	}
	healed.Store(true)
	kafkatest.Eventually(t, "the end is committed", func() bool { return committed(t, broker, group, topic, 0) == 17 })
	if early.Load() > 0 {
		t.Errorf("got %d newer records of its key before the unfinished one, want 0", early.Load())
	}
}

func TestParkedRecordIsNotHandedOverBeforeItsTime(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topic := kafkatest.Topic(t, broker, 1)
	write(t, broker, topic, 1, 1)
	done := make(chan struct{})
	var until time.Time
	subscriber := open(t, kafka.SubscriberSettings{Kafka: quick(broker), Group: kafkatest.Name(t), Topics: []string{topic}})
	batches(t, subscriber, topic, func(_ context.Context, b *record.Batch) {
		if until.IsZero() {
			until = time.Now().Add(300 * time.Millisecond)
			b.Report(0, record.Result{Outcome: record.Parked, Until: until, Attempts: 1})
			return
		}
		if early := time.Until(until); early > 0 {
			t.Errorf("came %s early", early)
		}
		b.Report(0, record.Result{Outcome: record.Done, Attempts: 2})
		close(done)
	})
	<-done
}

func TestHolesOfTransactionsAreClosed(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topic, group := kafkatest.Topic(t, broker, 1), kafkatest.Name(t)
	kafkatest.ProduceTransaction(t, broker, true, some(topic, 1, 3)...)  // 0 to 2, marker 3
	kafkatest.ProduceTransaction(t, broker, false, some(topic, 1, 2)...) // 4 and 5 aborted, marker 6
	kafkatest.ProduceTransaction(t, broker, true, some(topic, 1, 2)...)  // 7 and 8, marker 9
	var handled ledger
	subscriber := open(t, kafka.SubscriberSettings{Kafka: quick(broker), Group: group, Topics: []string{topic}})
	batches(t, subscriber, topic, handled.handleAll)
	kafkatest.Eventually(t, "the frontier is committed", func() bool { return committed(t, broker, group, topic, 0) == 9 })
	if got, want := handled.offsets(topic, 0), []int64{0, 1, 2, 7, 8}; !slices.Equal(got, want) {
		t.Errorf("handled: got %v, want %v", got, want)
	}
	positions := subscriber.Positions()
	if len(positions) != 1 || positions[0].Next != 9 || positions[0].HighWater != 10 {
		t.Errorf("positions: got %+v, want next 9 before the marker and high water 10", positions)
	}
}

func TestOneMemberReadsAllItsTopics(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topics := []string{kafkatest.Topic(t, broker, 2), kafkatest.Topic(t, broker, 2), kafkatest.Topic(t, broker, 2)}
	var assigned atomic.Int32
	var handled ledger
	subscriber := open(t, kafka.SubscriberSettings{
		Kafka: quick(broker), Group: kafkatest.Name(t), Topics: topics[:2],
		Hooks: kafka.Hooks{Assigned: func(string, int32, int64) { assigned.Add(1) }},
	})
	for _, topic := range topics {
		write(t, broker, topic, 2, 20)
		batches(t, subscriber, topic, handled.handleAll)
	}
	kafkatest.Eventually(t, "all is handled", func() bool { return handled.count() == 120 })
	for _, topic := range topics {
		handled.wantOnce(t, topic, 2, 20)
	}
}

func TestEndOfOneSubscriptionLeavesTheOthers(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topics := []string{kafkatest.Topic(t, broker, 2), kafkatest.Topic(t, broker, 2)}
	var handled ledger
	subscriber := open(t, kafka.SubscriberSettings{Kafka: quick(broker), Group: kafkatest.Name(t), Topics: topics})
	ctx, end := context.WithCancel(context.Background())
	ending, err := subscriber.SubscribeBatches(ctx, topics[0])
	if err != nil {
		t.Fatal(err)
	}
	batches(t, subscriber, topics[1], handled.handleAll)
	write(t, broker, topics[1], 2, 10)
	kafkatest.Eventually(t, "the other is handled", func() bool { return handled.count() == 20 })
	end()
	if _, open := <-ending; open {
		t.Fatal("got a message, want a closed channel")
	}
	write(t, broker, topics[1], 2, 10)
	kafkatest.Eventually(t, "the other goes on", func() bool { return handled.count() == 40 })
	handled.wantOnce(t, topics[1], 2, 20)
}

func TestSettingsAreRefusedAtOnce(t *testing.T) {
	t.Parallel()
	_, err := kafka.NewSubscriber(kafka.SubscriberSettings{Topics: []string{""}, DrainTimeout: time.Hour})
	if err == nil {
		t.Fatal("got no error, want all mistakes")
	}
	for _, want := range []string{"group is empty", "topics has an empty name", "kafka.brokers", "drain timeout 1h0m0s"} {
		if got := err.Error(); !strings.Contains(got, want) {
			t.Errorf("got %q, want it to say %q", got, want)
		}
	}
}
