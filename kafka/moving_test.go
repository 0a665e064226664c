package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/prantikov/millrace/config"
	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/kafka/kafkatest"
	"github.com/prantikov/millrace/progress"
	"github.com/prantikov/millrace/record"
)

// move hands the group from a listener of another program to us and back, several times, while records go on coming. What each of them
// handles is entered in the ledger.
type move struct {
	settings      config.Kafka
	broker        string
	group, topic  string
	handled       ledger
	between       func(turn int)
	turns, during int
}

// run lets both take turns. The last turn is ours, and goes to the end.
func (m *move) run(t *testing.T, partitions int) {
	t.Helper()
	written := 0
	for turn := range m.turns {
		write(t, m.broker, m.topic, partitions, m.during)
		written += partitions * m.during
		m.between(turn)
		if turn%2 == 0 {
			for _, r := range kafkatest.Listen(t, m.broker, m.group, m.topic, (written-m.handled.count())/2) {
				m.handled.add(r)
			}
			continue
		}
		m.ours(t, m.handled.count()+(written-m.handled.count())/2)
	}
	m.ours(t, written)
}

// ours is a member of ours that goes on until so many records are handled in all, and then stops as SIGTERM stops it.
func (m *move) ours(t *testing.T, handled int) {
	t.Helper()
	subscriber := open(t, kafka.SubscriberSettings{Kafka: m.settings, Group: m.group, Topics: []string{m.topic}})
	batches(t, subscriber, m.topic, m.handled.handleAll)
	kafkatest.Eventually(t, fmt.Sprintf("%d records are handled", handled), func() bool { return m.handled.count() >= handled })
	closeNow(t, subscriber)
}

// Ensure a group that goes from another program to us and back, again and again, leaves no record out and handles none twice.
func TestAGroupMovesThereAndBack(t *testing.T) {
	t.Parallel()
	eachProtocol(t, func(t *testing.T, rebalance string) {
		const partitions, turns, during = 3, 6, 40
		broker := kafkatest.Broker(t)
		m := &move{
			settings: sharing(broker, rebalance), broker: broker, group: kafkatest.Name(t), topic: kafkatest.Topic(t, broker, partitions),
			between: func(int) {}, turns: turns, during: during,
		}
		m.settings.BatchRecords = 5
		m.run(t, partitions)
		m.handled.wantOnce(t, m.topic, partitions, turns*during)
	})
}

// Ensure that leaders that move between the turns repeat nothing: an epoch that we went on committing would send the other program back.
func TestAGroupMovesThereAndBackWhileLeadersChange(t *testing.T) {
	t.Parallel()
	eachProtocol(t, func(t *testing.T, rebalance string) {
		const partitions, turns, during = 2, 6, 40
		cluster := kafkatest.Cluster(t, kfake.NumBrokers(2))
		broker := cluster.ListenAddrs()[0]
		m := &move{
			settings: sharing(broker, rebalance), broker: broker, group: kafkatest.Name(t), topic: kafkatest.Topic(t, broker, partitions),
			turns: turns, during: during,
		}
		m.settings.BatchRecords = 5
		m.between = func(turn int) {
			for partition := range int32(partitions) {
				if err := cluster.MoveTopicPartition(m.topic, partition, (int32(turn)+partition)%2); err != nil {
					t.Fatal(err)
				}
			}
		}
		m.run(t, partitions)
		m.handled.wantOnce(t, m.topic, partitions, turns*during)
	})
}

// Ensure what we commit has no epoch of a leader, also when the position that we took over had one.
func TestNoEpochIsCommitted(t *testing.T) {
	t.Parallel()
	eachProtocol(t, func(t *testing.T, rebalance string) {
		const partitions, per = 2, 20
		broker := kafkatest.Broker(t)
		topic, group := kafkatest.Topic(t, broker, partitions), kafkatest.Name(t)
		write(t, broker, topic, partitions, per)
		commitAs(t, broker, group, topic, kadm.Offset{Partition: 0, At: 5, LeaderEpoch: 0, Metadata: "theirs"})
		commitAs(t, broker, group, topic, kadm.Offset{Partition: 1, At: per, LeaderEpoch: 0, Metadata: "theirs"})
		var handled ledger
		subscriber := open(t, kafka.SubscriberSettings{Kafka: sharing(broker, rebalance), Group: group, Topics: []string{topic}})
		batches(t, subscriber, topic, handled.handleAll)
		kafkatest.Eventually(t, "the rest is committed", func() bool { return committed(t, broker, group, topic, 0) == per })
		for partition := range int32(partitions) {
			if got := position(t, broker, group, topic, partition); got.At != per || got.LeaderEpoch != -1 {
				t.Errorf("partition %d: got offset %d with epoch %d, want %d and none", partition, got.At, got.LeaderEpoch, per)
			}
		}
		closeNow(t, subscriber)
		handled.wantPartition(t, topic, 0, upTo(per)[5:])
		handled.wantPartition(t, topic, 1, nil)
	})
}

// commitAs commits a position as another program would have that is not there any more.
func commitAs(t *testing.T, broker, group, topic string, at kadm.Offset) {
	t.Helper()
	at.Topic = topic
	ctx, cancel := context.WithTimeout(t.Context(), kafkatest.Patience)
	defer cancel()
	offsets := kadm.Offsets{}
	offsets.Add(at)
	answers, err := kadm.NewClient(kafkatest.Client(t, broker, oldVersions())).CommitOffsets(ctx, group, offsets)
	if err == nil {
		err = answers.Error()
	}
	if err != nil {
		t.Fatalf("committing for %s: %v", group, err)
	}
}

// position is what the group has committed on a partition, all of it.
func position(t *testing.T, broker, group, topic string, partition int32) kadm.Offset {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), kafkatest.Patience)
	defer cancel()
	offsets, err := kadm.NewClient(kafkatest.Client(t, broker, oldVersions())).FetchOffsets(ctx, group)
	if err != nil {
		t.Fatalf("asking for the positions of %s: %v", group, err)
	}
	at, _ := offsets.Lookup(topic, partition)
	return at.Offset
}

// textOf is a done set as it was committed beside a position.
func textOf(t *testing.T, from, to int64) string {
	t.Helper()
	var done progress.DoneSet
	done.AddRun(progress.Run{From: from, To: to})
	text, err := done.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Ensure what somebody else has committed beside a position never passes for records that we have handled.
func TestMetadataOfAnotherProgramLeavesNothingOut(t *testing.T) {
	t.Parallel()
	const per, from = 20, 5
	own := textOf(t, 7, 10)
	tests := []struct {
		name     string
		metadata string
		// want are the offsets that are handled.
		want []int64
	}{
		{name: "nothing, as of Java and kcat", want: upTo(per)[from:]},
		{name: "a member id, as of franz-go", metadata: "kgo-0b9b1f4e-8b4b-4c55-9d0f-3ab8d8f2a4a5", want: upTo(per)[from:]},
		{name: "a text that would read as a set", metadata: own, want: upTo(per)[from:]},
		{name: "a set of ours that was copied to another position", metadata: "millrace/1 4 " + own, want: upTo(per)[from:]},
		{name: "a set of ours that was cut", metadata: "millrace/1 5 " + own[:len(own)-1], want: upTo(per)[from:]},
		{name: "a version that is not known", metadata: "millrace/2 5 " + own, want: upTo(per)[from:]},
		{name: "our own at its position counts", metadata: "millrace/1 5 " + own, want: []int64{5, 6, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			broker := kafkatest.Broker(t)
			topic, group := kafkatest.Topic(t, broker, 1), kafkatest.Name(t)
			write(t, broker, topic, 1, per)
			commitAs(t, broker, group, topic, kadm.Offset{At: from, LeaderEpoch: -1, Metadata: test.metadata})
			var handled ledger
			batches(t, open(t, kafka.SubscriberSettings{Kafka: quick(broker), Group: group, Topics: []string{topic}}), topic, handled.handleAll)
			kafkatest.Eventually(t, "the end is committed", func() bool { return committed(t, broker, group, topic, 0) == per })
			handled.wantPartition(t, topic, 0, test.want)
			if got := position(t, broker, group, topic, 0).Metadata; got != "millrace/1 20" {
				t.Errorf("metadata when all is done: got %q, want our mark and nothing above it", got)
			}
		})
	}
}

// parking handles every record but those of key a, which wait for another try for as long as the switch is on.
func parking(handled *ledger, waits *atomic.Bool) func(context.Context, *record.Batch) {
	return byKey(func(r *record.Record) record.Result {
		if string(r.Key) == "a" && waits.Load() {
			return record.Result{Outcome: record.Parked, Until: time.Now().Add(50 * time.Millisecond)}
		}
		handled.add(r)
		return record.Result{Outcome: record.Done, Attempts: 1}
	})
}

// Ensure a key that waits at the stop costs the next program no record. It cannot know what we have finished behind that key, so it handles it
// again; and what it has not come to when we take the group back, we handle again, for its commit has taken the place of what ours said.
func TestWhatWasFinishedBehindAWaitingKeyIsRepeatedByTheOther(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topic, group := kafkatest.Topic(t, broker, 1), kafkatest.Name(t)
	writeKeys(t, broker, topic, "a", "b", "c", "d", "e", "f")
	var ours, again ledger
	var waits atomic.Bool
	waits.Store(true)
	subscriber := open(t, kafka.SubscriberSettings{Kafka: quick(broker), Group: group, Topics: []string{topic}})
	batches(t, subscriber, topic, parking(&ours, &waits))
	kafkatest.Eventually(t, "all but the waiting key is handled", func() bool { return ours.count() == 5 })
	closeNow(t, subscriber)
	if got := position(t, broker, group, topic, 0); got.At != 0 || got.Metadata == "" {
		t.Errorf("got position %d with metadata %q, want 0 and what is finished above", got.At, got.Metadata)
	}
	var theirs []int64
	for _, r := range kafkatest.Listen(t, broker, group, topic, 3) {
		theirs = append(theirs, r.Offset)
	}
	if want := []int64{0, 1, 2}; !slices.Equal(theirs, want) {
		t.Errorf("the listener: got %v, want %v: it begins at the frontier", theirs, want)
	}
	waits.Store(false)
	batches(t, open(t, kafka.SubscriberSettings{Kafka: quick(broker), Group: group, Topics: []string{topic}}), topic, parking(&again, &waits))
	kafkatest.Eventually(t, "the end is committed", func() bool { return committed(t, broker, group, topic, 0) == 6 })
	// Keys go side by side, so their records end in any order.
	repeated := again.offsets(topic, 0)
	slices.Sort(repeated)
	if want := []int64{3, 4, 5}; !slices.Equal(repeated, want) {
		t.Errorf("we again: got %v, want %v", repeated, want)
	}
}

// Ensure a consumer that was paused until no key waits gives its group away with nothing to repeat.
func TestAPauseBeforeTheStopLeavesNothingToRepeat(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topic, group := kafkatest.Topic(t, broker, 1), kafkatest.Name(t)
	writeKeys(t, broker, topic, "a", "b", "c", "d", "e", "f")
	var handled ledger
	var waits atomic.Bool
	waits.Store(true)
	subscriber := open(t, kafka.SubscriberSettings{Kafka: quick(broker), Group: group, Topics: []string{topic}})
	batches(t, subscriber, topic, parking(&handled, &waits))
	kafkatest.Eventually(t, "all but the waiting key is handled", func() bool { return handled.count() == 5 })
	subscriber.Pause(topic, 0)
	writeKeys(t, broker, topic, "g", "h")
	waits.Store(false)
	kafkatest.Eventually(t, "no key waits", func() bool {
		positions := subscriber.Positions()
		return len(positions) == 1 && positions[0].Pending == 0
	})
	closeNow(t, subscriber)
	if got := position(t, broker, group, topic, 0); got.At != 6 || got.Metadata != "millrace/1 6" {
		t.Errorf("got position %d with metadata %q, want 6 and nothing above", got.At, got.Metadata)
	}
	for _, r := range kafkatest.Listen(t, broker, group, topic, 2) {
		handled.add(r)
	}
	got := handled.offsets(topic, 0)
	slices.Sort(got)
	if !slices.Equal(got, upTo(8)) {
		t.Errorf("got %v, want each once", got)
	}
}

// Ensure a consumer that keeps progress of its own is told where the group is, before it is given a record, and is given none while it cannot say.
func TestWhoKeepsProgressIsToldWhereTheGroupIs(t *testing.T) {
	t.Parallel()
	eachProtocol(t, func(t *testing.T, rebalance string) {
		broker := kafkatest.Broker(t)
		topic, group := kafkatest.Topic(t, broker, 3), kafkatest.Name(t)
		write(t, broker, topic, 3, 10)
		kafkatest.Commit(t, broker, group, record.Position{Topic: topic, Partition: 0, Offset: 4})
		kafkatest.Commit(t, broker, group, record.Position{Topic: topic, Partition: 1, Offset: 50})
		var handled ledger
		told := make(chan map[int32]kafka.Position, 100)
		var refusals atomic.Int32
		subscriber := open(t, kafka.SubscriberSettings{
			Kafka: sharing(broker, rebalance), Group: group, Topics: []string{topic},
			Resume: func(_ context.Context, of string, positions map[int32]kafka.Position) error {
				if handled.count() > 0 || of != topic {
					t.Errorf("told of %q after %d records, want %q and before the first", of, handled.count(), topic)
				}
				told <- positions
				if refusals.Add(1) <= 2 {
					return errors.New("the store is away")
				}
				return nil
			},
		})
		batches(t, subscriber, topic, handled.handleAll)
		// Partition 1's log ends before the position, so it is read from its start; partition 2 has none.
		if got := <-told; len(got) != 1 || got[0] != (kafka.Position{Offset: 4}) {
			t.Errorf("told %v, want 4 of partition 0 alone, committed by another", got)
		}
		kafkatest.Eventually(t, "all is handled", func() bool { return handled.count() == 6+10+10 })
		closeNow(t, subscriber)
	})
}

// Ensure who keeps progress of its own can tell a position that it has committed from another program's, and can stop for good.
func TestWhoKeepsProgressCanStop(t *testing.T) {
	t.Parallel()
	eachProtocol(t, func(t *testing.T, rebalance string) {
		broker := kafkatest.Broker(t)
		topic, group := kafkatest.Topic(t, broker, 1), kafkatest.Name(t)
		write(t, broker, topic, 1, 10)
		var handled ledger
		first := open(t, kafka.SubscriberSettings{Kafka: sharing(broker, rebalance), Group: group, Topics: []string{topic}})
		batches(t, first, topic, handled.handleAll)
		kafkatest.Eventually(t, "the end is committed", func() bool { return committed(t, broker, group, topic, 0) == 10 })
		closeNow(t, first)
		write(t, broker, topic, 1, 5)

		behind := errors.New("it is an older copy")
		var tries atomic.Int32
		second := open(t, kafka.SubscriberSettings{
			Kafka: sharing(broker, rebalance), Group: group, Topics: []string{topic},
			Resume: func(_ context.Context, _ string, positions map[int32]kafka.Position) error {
				if want := (kafka.Position{Offset: 10, Ours: true}); positions[0] != want {
					t.Errorf("told %v, want %v", positions[0], want)
				}
				tries.Add(1)
				return kafka.Stop(behind)
			},
		})
		batches(t, second, topic, handled.handleAll)
		kafkatest.Eventually(t, "the subscriber ends", func() bool { return errors.Is(second.Err(), behind) })
		closeNow(t, second)
		if got := tries.Load(); got != 1 {
			t.Errorf("asked %d times, want once", got)
		}
		if got := handled.count(); got != 10 {
			t.Errorf("handled %d records, want the first 10 alone", got)
		}
		if got := position(t, broker, group, topic, 0).At; got != 10 {
			t.Errorf("position: got %d, want 10 as before", got)
		}
	})
}
