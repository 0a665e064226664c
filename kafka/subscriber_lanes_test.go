package kafka_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/kafka/kafkatest"
	"github.com/prantikov/millrace/record"
)

// byKey handles the keys of a batch side by side, as the router does with slow functions.
func byKey(handle func(*record.Record) record.Result) func(context.Context, *record.Batch) {
	return func(_ context.Context, b *record.Batch) {
		b.Side()
		keys := map[string][]int{}
		for i, r := range b.Records {
			keys[string(r.Key)] = append(keys[string(r.Key)], i)
		}
		var all sync.WaitGroup
		for _, indexes := range keys {
			all.Go(func() {
				for n, i := range indexes {
					result := handle(b.Records[i])
					b.Report(i, result)
					if !result.Outcome.Finished() {
						for _, rest := range indexes[n+1:] {
							b.Report(rest, record.Result{Outcome: record.Unfinished})
						}
						return
					}
				}
			})
		}
		all.Wait()
	}
}

// writeKeys writes a record of each key into partition 0, in this order.
func writeKeys(t *testing.T, broker, topic string, keys ...string) {
	t.Helper()
	var records []*record.Record
	for _, key := range keys {
		records = append(records, &record.Record{Position: record.Position{Topic: topic}, Key: []byte(key), Value: []byte(key)})
	}
	kafkatest.Produce(t, broker, records...)
}

func TestBlockedKeyHoldsNoOther(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topic, group := kafkatest.Topic(t, broker, 1), kafkatest.Name(t)
	release := make(chan struct{})
	var handled ledger
	subscriber := open(t, kafka.SubscriberSettings{Kafka: quick(broker), Group: group, Topics: []string{topic}})
	batches(t, subscriber, topic, byKey(func(r *record.Record) record.Result {
		if string(r.Key) == "a" {
			<-release
		}
		handled.add(r)
		return record.Result{Outcome: record.Done}
	}))
	writeKeys(t, broker, topic, "a", "b", "a", "c")
	kafkatest.Eventually(t, "the other keys are handled", func() bool { return handled.count() == 2 })
	writeKeys(t, broker, topic, "b", "a", "d")
	kafkatest.Eventually(t, "later ones too", func() bool { return handled.count() == 4 })
	close(release)
	kafkatest.Eventually(t, "all is committed", func() bool { return committed(t, broker, group, topic, 0) == 7 })
	got := handled.offsets(topic, 0)
	var ofA []int64
	for _, offset := range got {
		if slices.Contains([]int64{0, 2, 5}, offset) {
			ofA = append(ofA, offset)
		}
	}
	if !slices.Equal(ofA, []int64{0, 2, 5}) {
		t.Errorf("the blocked key was handled as %v, want 0, 2, 5", ofA)
	}
	slices.Sort(got)
	if !slices.Equal(got, upTo(7)) {
		t.Errorf("handled: got %v, want each once", got)
	}
}

// TestNextOwnerRepeatsNothingThatIsDone gives a partition back while a parked record holds the frontier far below what is finished.
func TestNextOwnerRepeatsNothingThatIsDone(t *testing.T) {
	t.Parallel()
	eachProtocol(t, func(t *testing.T, rebalance string) {
		broker := kafkatest.Broker(t)
		topic, group := kafkatest.Topic(t, broker, 1), kafkatest.Name(t)
		var handled ledger
		var healed atomic.Bool
		join := func() *kafka.Subscriber {
			subscriber := open(t, kafka.SubscriberSettings{Kafka: sharing(broker, rebalance), Group: group, Topics: []string{topic}})
			batches(t, subscriber, topic, byKey(func(r *record.Record) record.Result {
				if string(r.Key) == "a" && !healed.Load() {
					return record.Result{Outcome: record.Parked, Until: time.Now().Add(time.Hour)}
				}
				handled.add(r)
				return record.Result{Outcome: record.Done}
			}))
			return subscriber
		}
		for owner := range 3 {
			subscriber := join()
			writeKeys(t, broker, topic, "a", "b", "c", "a", "b")
			kafkatest.Eventually(t, "the other keys are handled", func() bool { return handled.count() == 3*(owner+1) })
			closeNow(t, subscriber)
			if at := committed(t, broker, group, topic, 0); at != 0 {
				t.Fatalf("owner %d committed %d, want 0, where the parked record is", owner, at)
			}
		}
		healed.Store(true)
		last := join()
		kafkatest.Eventually(t, "all is committed", func() bool { return committed(t, broker, group, topic, 0) == 15 })
		closeNow(t, last)
		got := handled.offsets(topic, 0)
		slices.Sort(got)
		if !slices.Equal(got, upTo(15)) {
			t.Errorf("handled: got %v, want each once", got)
		}
	})
}

// TestFullWindowHoldsItsPartitionOnly fills the window of one partition behind a parked key.
func TestFullWindowHoldsItsPartitionOnly(t *testing.T) {
	t.Parallel()
	const many = 60
	broker := kafkatest.Broker(t)
	topic, group := kafkatest.Topic(t, broker, 2), kafkatest.Name(t)
	var handled ledger
	var healed atomic.Bool
	var on, off atomic.Int32
	text := make(chan string, 10)
	subscriber := open(t, kafka.SubscriberSettings{
		Kafka: quick(broker), Group: group, Topics: []string{topic},
		// The window of each of the two partitions takes 16 KiB.
		Memory: kafka.NewMemory(64 << 10),
		Hooks: kafka.Hooks{Alarm: func(kind kafka.AlarmKind, _ string, partition int32, begins bool, what string) {
			switch {
			case kind != kafka.AlarmWindowFull || partition != 0:
			case begins:
				on.Add(1)
				text <- what
			default:
				off.Add(1)
			}
		}},
	})
	batches(t, subscriber, topic, byKey(func(r *record.Record) record.Result {
		if r.Partition == 0 && !healed.Load() {
			return record.Result{Outcome: record.Parked, Until: time.Now().Add(100 * time.Millisecond)}
		}
		handled.add(r)
		return record.Result{Outcome: record.Done}
	}))
	var large []*record.Record
	for i := range many {
		for partition := range int32(2) {
			large = append(large, &record.Record{
				Position: record.Position{Topic: topic, Partition: partition}, Key: []byte("k"), Value: fmt.Appendf(nil, "%1000d", i),
			})
		}
	}
	kafkatest.Produce(t, broker, large...)
	kafkatest.Eventually(t, "the other partition is through", func() bool { return len(handled.offsets(topic, 1)) == many })
	kafkatest.Eventually(t, "the full window is an alarm", func() bool { return on.Load() == 1 })
	if what := <-text; !strings.Contains(what, topic+"/0/0") {
		t.Errorf("alarm says %q, want the position of the record that holds the window", what)
	}
	kafkatest.Produce(t, broker, large[1])
	kafkatest.Eventually(t, "the other partition goes on", func() bool { return len(handled.offsets(topic, 1)) == many+1 })
	for _, p := range subscriber.Positions() {
		if full := p.Partition == 0; p.Full != full || (full && (p.PendingBytes < 12<<10 || p.PendingBytes > 48<<10)) {
			t.Errorf("partition %d: got full %t with %d bytes, want full only partition 0, with about 16 KiB", p.Partition, p.Full, p.PendingBytes)
		}
	}
	healed.Store(true)
	kafkatest.Eventually(t, "the partition is through", func() bool { return len(handled.offsets(topic, 0)) == many })
	kafkatest.Eventually(t, "the alarm ends", func() bool { return off.Load() == 1 })
	if got := handled.offsets(topic, 0); !slices.Equal(got, upTo(many)) {
		t.Errorf("handled: got %v, want all in order, each once", got)
	}
}

func TestPausedPartitionTakesNothingUntilItIsResumed(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topic, group := kafkatest.Topic(t, broker, 2), kafkatest.Name(t)
	var handled ledger
	subscriber := open(t, kafka.SubscriberSettings{Kafka: quick(broker), Group: group, Topics: []string{topic}})
	// Also before it has any partition.
	subscriber.Pause(topic, 0)
	batches(t, subscriber, topic, handled.handleAll)
	write(t, broker, topic, 2, 5)
	kafkatest.Eventually(t, "the other partition is through", func() bool { return len(handled.offsets(topic, 1)) == 5 })
	for _, p := range subscriber.Positions() {
		if p.Paused != (p.Partition == 0) || p.Next != int64(5*p.Partition) {
			t.Errorf("position: got %+v, want partition 0 paused at 0 and the other at 5", p)
		}
	}
	subscriber.Resume(topic, 0)
	kafkatest.Eventually(t, "the partition is through", func() bool { return len(handled.offsets(topic, 0)) == 5 })
	subscriber.Pause("", -1)
	write(t, broker, topic, 2, 1)
	subscriber.Resume(topic, 1)
	kafkatest.Eventually(t, "a pause of all is not ended by a resume of one", func() bool {
		positions := subscriber.Positions()
		return len(positions) == 2 && positions[0].Paused && positions[1].Paused
	})
	subscriber.Resume("", -1)
	kafkatest.Eventually(t, "both go on", func() bool { return handled.count() == 12 })
	handled.wantOnce(t, topic, 2, 6)
}

// TestCompactedTopicIsReadToItsEnd has holes where compaction took records away.
func TestCompactedTopicIsReadToItsEnd(t *testing.T) {
	t.Parallel()
	cluster := kafkatest.Cluster(t)
	broker, group := cluster.ListenAddrs()[0], kafkatest.Name(t)
	kafkatest.CreateTopic(t, broker, "t", 1, "cleanup.policy", "compact", "segment.ms", "1", "min.cleanable.dirty.ratio", "0")
	for i := range 30 {
		kafkatest.Produce(t, broker, &record.Record{Position: record.Position{Topic: "t"}, Key: fmt.Appendf(nil, "k%d", i%3), Value: fmt.Append(nil, i)})
	}
	cluster.Compact()
	var handled ledger
	subscriber := open(t, kafka.SubscriberSettings{Kafka: quick(broker), Group: group, Topics: []string{"t"}})
	batches(t, subscriber, "t", byKey(func(r *record.Record) record.Result {
		handled.add(r)
		return record.Result{Outcome: record.Done}
	}))
	lag := func() int64 {
		rows, err := reader(t, broker).Lag(t.Context(), []kafka.Watched{{Consumer: "c", Group: group, Topics: []string{"t"}}})
		if err != nil {
			t.Fatal(err)
		}
		return rows[0].Lag
	}
	kafkatest.Eventually(t, "the group has no lag", func() bool { return lag() == 0 })
	if got := handled.count(); got == 0 || got >= 30 {
		t.Errorf("handled %d records, want what compaction left of 30", got)
	}
}
