package kafka_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/kafka/kafkatest"
	"github.com/prantikov/millrace/record"
)

func TestStart(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		name  string
		start string
		// committed are positions that the group has before, by partition.
		committed map[int32]int64
		// want are the offsets of partitions 0 and 1 that are handled when each has 5, an hour apart from noon on, and 2 come later.
		want [2][]int64
	}{
		{name: "earliest reads all", start: "earliest", want: [2][]int64{{0, 1, 2, 3, 4, 5, 6}, {0, 1, 2, 3, 4, 5, 6}}},
		{name: "latest reads what comes later", start: "latest", want: [2][]int64{{5, 6}, {5, 6}}},
		{name: "a time reads from it on", start: "2026-03-01T14:30:00Z", want: [2][]int64{{3, 4, 5, 6}, {3, 4, 5, 6}}},
		{name: "a time after the last record reads what comes later", start: "2030-01-01T00:00:00Z", want: [2][]int64{{5, 6}, {5, 6}}},
		{
			name: "a position counts before the start", start: "latest", committed: map[int32]int64{0: 2, 1: 4},
			want: [2][]int64{{2, 3, 4, 5, 6}, {4, 5, 6}},
		},
		{
			name: "a partition that appeared later is read from its beginning", start: "latest", committed: map[int32]int64{0: 5},
			want: [2][]int64{{5, 6}, {0, 1, 2, 3, 4, 5, 6}},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			broker := kafkatest.Broker(t)
			topic, group := kafkatest.Topic(t, broker, 2, "retention.ms", "-1", "message.timestamp.type", "CreateTime"), kafkatest.Name(t)
			records := some(topic, 2, 5)
			for i, r := range records {
				r.Timestamp = noon.Add(time.Duration(i/2) * time.Hour)
			}
			kafkatest.Produce(t, broker, records...)
			for partition, offset := range test.committed {
				kafkatest.Commit(t, broker, group, record.Position{Topic: topic, Partition: partition, Offset: offset})
			}
			start, err := kafka.ParseStart(test.start)
			if err != nil {
				t.Fatal(err)
			}
			var handled ledger
			assigned := make(chan struct{}, 2)
			subscriber := open(t, kafka.SubscriberSettings{
				Kafka: quick(broker), Group: group, Topics: []string{topic}, Starts: map[string]kafka.Start{topic: start},
				Hooks: kafka.Hooks{Assigned: func(string, int32, int64) { assigned <- struct{}{} }},
			})
			batches(t, subscriber, topic, handled.handleAll)
			<-assigned
			<-assigned
			for partition := range int32(2) {
				if committed(t, broker, group, topic, partition) < 0 && test.committed == nil {
					t.Errorf("partition %d: got no position, want the start committed before anything is handled", partition)
				}
			}
			write(t, broker, topic, 2, 2)
			kafkatest.Eventually(t, "all is handled", func() bool { return handled.count() == len(test.want[0])+len(test.want[1]) })
			for partition, want := range test.want {
				if got := handled.offsets(topic, int32(partition)); !slices.Equal(got, want) {
					t.Errorf("partition %d: got %v, want %v", partition, got, want)
				}
			}
		})
	}
}

func TestMembersThatBeginTogetherAgreeOnTheStart(t *testing.T) {
	t.Parallel()
	eachProtocol(t, func(t *testing.T, rebalance string) {
		const partitions = 6
		broker := kafkatest.Broker(t)
		topic, group := kafkatest.Topic(t, broker, partitions), kafkatest.Name(t)
		write(t, broker, topic, partitions, 5)
		var handled ledger
		assigned := make(chan int32, 100)
		for range 3 {
			subscriber := open(t, kafka.SubscriberSettings{
				Kafka: sharing(broker, rebalance), Group: group, Topics: []string{topic}, Starts: map[string]kafka.Start{topic: kafka.Latest()},
				Hooks: kafka.Hooks{Assigned: func(_ string, partition int32, _ int64) { assigned <- partition }},
			})
			batches(t, subscriber, topic, handled.handleAll)
		}
		owned := map[int32]bool{}
		for len(owned) < partitions {
			owned[<-assigned] = true
		}
		write(t, broker, topic, partitions, 5)
		kafkatest.Eventually(t, "all is handled", func() bool { return handled.count() >= partitions*5 })
		for partition := range int32(partitions) {
			if got, want := handled.offsets(topic, partition), []int64{5, 6, 7, 8, 9}; !slices.Equal(got, want) {
				t.Errorf("partition %d: got %v, want %v", partition, got, want)
			}
		}
	})
}

func TestParseStartRefusesOtherText(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"first", "2026-01-31", "latest "} {
		if _, err := kafka.ParseStart(text); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("start %q: got %v, want an error that quotes it", text, err)
		}
	}
}

type gap struct {
	partition int32
	from, to  int64
}

func TestGapIsSaidAndPassed(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		// committed is the group's position, deleted the log's new start.
		committed, deleted int64
		gaps               []gap
		want               []int64
	}{
		{name: "retention has passed the position", committed: 2, deleted: 6, gaps: []gap{{0, 2, 6}}, want: []int64{6, 7, 8, 9}},
		{name: "a position at the log's start is no gap", committed: 6, deleted: 6, want: []int64{6, 7, 8, 9}},
		{name: "retention has passed all", committed: 2, deleted: 10, gaps: []gap{{0, 2, 10}}},
		{name: "a log that was made anew is read from its start", committed: 50, deleted: 0, gaps: []gap{{0, 50, 0}}, want: upTo(10)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			broker := kafkatest.Broker(t)
			topic, group := kafkatest.Topic(t, broker, 2), kafkatest.Name(t)
			write(t, broker, topic, 2, 10)
			kafkatest.Commit(t, broker, group, record.Position{Topic: topic, Partition: 0, Offset: test.committed})
			kafkatest.Commit(t, broker, group, record.Position{Topic: topic, Partition: 1, Offset: 0})
			if test.deleted > 0 {
				deleteRecords(t, broker, topic, 0, test.deleted)
			}
			var mu sync.Mutex
			var gaps []gap
			var assigned int
			var handled ledger
			subscriber := open(t, kafka.SubscriberSettings{Kafka: quick(broker), Group: group, Topics: []string{topic}, Hooks: kafka.Hooks{
				Gap: func(_ context.Context, g kafka.Gap) error {
					mu.Lock()
					defer mu.Unlock()
					gaps = append(gaps, gap{g.Partition, g.From, g.To})
					return nil
				},
				Assigned: func(string, int32, int64) {
					mu.Lock()
					defer mu.Unlock()
					assigned++
				},
			}})
			batches(t, subscriber, topic, handled.handleAll)
			kafkatest.Eventually(t, "all is handled", func() bool { return handled.count() == 10+len(test.want) })
			handled.wantPartition(t, topic, 0, test.want)
			handled.wantPartition(t, topic, 1, upTo(10))
			kafkatest.Eventually(t, "the end is committed", func() bool { return committed(t, broker, group, topic, 0) == 10 })
			mu.Lock()
			defer mu.Unlock()
			if !slices.Equal(gaps, test.gaps) {
				t.Errorf("gaps: got %v, want %v", gaps, test.gaps)
			}
			if assigned != 2 {
				t.Errorf("assignments: got %d, want 2, no second session", assigned)
			}
		})
	}
}

func (l *ledger) wantPartition(t *testing.T, topic string, partition int32, want []int64) {
	t.Helper()
	if got := l.offsets(topic, partition); !slices.Equal(got, want) {
		t.Errorf("partition %d: got %v, want %v", partition, got, want)
	}
}

// TestRetentionThatOvertakesAReaderIsAGap holds the first record until retention has passed what the client reads ahead.
func TestRetentionThatOvertakesAReaderIsAGap(t *testing.T) {
	t.Parallel()
	const per, kept = 3000, 2990
	broker := kafkatest.Broker(t)
	topic := kafkatest.Topic(t, broker, 1)
	for range 30 {
		write(t, broker, topic, 1, per/30)
	}
	settings := quick(broker)
	settings.BatchRecords, settings.FetchBytes = 1, 1000
	gaps := make(chan gap, 10)
	overtaken, taken := make(chan struct{}), make(chan struct{}, per)
	var handled ledger
	subscriber := open(t, kafka.SubscriberSettings{
		Kafka: settings, Group: kafkatest.Name(t), Topics: []string{topic},
		Hooks: kafka.Hooks{Gap: func(_ context.Context, g kafka.Gap) error { gaps <- gap{g.Partition, g.From, g.To}; return nil }},
	})
	batches(t, subscriber, topic, func(ctx context.Context, b *record.Batch) {
		taken <- struct{}{}
		<-overtaken
		handled.handleAll(ctx, b)
	})
	<-taken
	deleteRecords(t, broker, topic, 0, kept)
	close(overtaken)
	passed := <-gaps
	if passed.to != kept || passed.from <= 0 || len(gaps) > 0 {
		t.Errorf("gap: got %v, want one up to %d", passed, kept)
	}
	kafkatest.Eventually(t, "the rest is handled", func() bool { return handled.count() >= int(passed.from)+per-kept })
	got := handled.offsets(topic, 0)
	if want := append(upTo(int(passed.from)), upTo(per)[kept:]...); !slices.Equal(got, want) {
		t.Errorf("got %d records, want those before and behind the gap, each once", len(got))
	}
}

// TestGapThatCannotBeRecordedIsFoundAgain has a store that is away for the first two sessions.
func TestGapThatCannotBeRecordedIsFoundAgain(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topic, group := kafkatest.Topic(t, broker, 1), kafkatest.Name(t)
	write(t, broker, topic, 1, 10)
	kafkatest.Commit(t, broker, group, record.Position{Topic: topic, Offset: 2})
	deleteRecords(t, broker, topic, 0, 6)
	asked := make(chan kafka.Gap, 10)
	var handled ledger
	batches(t, open(t, kafka.SubscriberSettings{Kafka: quick(broker), Group: group, Topics: []string{topic}, Hooks: kafka.Hooks{
		Gap: func(_ context.Context, g kafka.Gap) error {
			asked <- g
			if len(asked) > 2 {
				return nil
			}
			if got := committed(t, broker, group, topic, 0); got != 2 {
				t.Errorf("position while the gap is not recorded: got %d, want 2", got)
			}
			return errors.New("the store is away")
		},
	}}), topic, handled.handleAll)
	kafkatest.Eventually(t, "all is handled", func() bool { return handled.count() == 4 })
	handled.wantPartition(t, topic, 0, []int64{6, 7, 8, 9})
	if len(asked) != 3 {
		t.Errorf("gap: got it said %d times, want 3: two that could not be recorded, one that was", len(asked))
	}
	for range len(asked) {
		if g, want := <-asked, (kafka.Gap{Topic: topic, From: 2, To: 6, Reason: kafka.ReasonRetention}); g != want {
			t.Errorf("gap: got %v, want %v", g, want)
		}
	}
}

// TestRetentionThatOvertakesOnePartitionIsOneGapAndOneRebalance has two partitions beside the one that is overtaken: they lose nothing, and
// change hands once.
func TestRetentionThatOvertakesOnePartitionIsOneGapAndOneRebalance(t *testing.T) {
	t.Parallel()
	const partitions, per, kept = 3, 1500, 1490
	broker := kafkatest.Broker(t)
	topic, group := kafkatest.Topic(t, broker, partitions), kafkatest.Name(t)
	for range 15 {
		write(t, broker, topic, partitions, per/15)
	}
	settings := quick(broker)
	settings.BatchRecords, settings.FetchBytes = 1, 1000
	var seen trouble
	var taken atomic.Int32
	hooks := seen.hooks()
	hooks.Assigned = func(string, int32, int64) { taken.Add(1) }
	overtaken, held := make(chan struct{}), make(chan struct{}, per)
	var handled ledger
	batches(t, open(t, kafka.SubscriberSettings{Kafka: settings, Group: group, Topics: []string{topic}, Hooks: hooks}), topic,
		func(ctx context.Context, b *record.Batch) {
			if b.Records[0].Partition == 0 {
				held <- struct{}{}
				<-overtaken
			}
			handled.handleAll(ctx, b)
		})
	<-held
	deleteRecords(t, broker, topic, 0, kept)
	close(overtaken)
	kafkatest.Eventually(t, "the gap is recorded", func() bool { return len(seen.seenGaps()) > 0 })
	passed := seen.seenGaps()[0]
	if passed.to != kept || passed.partition != 0 {
		t.Errorf("gap: got %v, want one of partition 0 up to %d", passed, kept)
	}
	kafkatest.Eventually(t, "the rest is handled", func() bool { return handled.count() == int(passed.from)+per-kept+(partitions-1)*per })
	kafkatest.Eventually(t, "the rest is committed", func() bool { return committed(t, broker, group, topic, 0) == per })
	handled.wantPartition(t, topic, 0, append(upTo(int(passed.from)), upTo(per)[kept:]...))
	handled.wantPartition(t, topic, 1, upTo(per))
	handled.wantPartition(t, topic, 2, upTo(per))
	if got := len(seen.seenGaps()); got != 1 {
		t.Errorf("gaps: got %d, want 1", got)
	}
	if got := taken.Load(); got != 2*partitions {
		t.Errorf("assignments: got %d, want %d: the first ones, and those after one rebalance", got, 2*partitions)
	}
}

// TestGroupThatTheBrokersForgotReadsEverythingAgain loses no record in silence.
func TestGroupThatTheBrokersForgotReadsEverythingAgain(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topic, group := kafkatest.Topic(t, broker, 2), kafkatest.Name(t)
	write(t, broker, topic, 2, 5)
	for round := 1; round <= 2; round++ {
		var handled ledger
		subscriber := open(t, kafka.SubscriberSettings{Kafka: quick(broker), Group: group, Topics: []string{topic}})
		batches(t, subscriber, topic, handled.handleAll)
		kafkatest.Eventually(t, "all is handled", func() bool { return handled.count() == 10*round })
		handled.wantOnce(t, topic, 2, 5*round)
		closeNow(t, subscriber)
		request := kmsg.NewPtrDeleteGroupsRequest()
		request.Groups = []string{group}
		response, err := request.RequestWith(t.Context(), kafkatest.Client(t, broker))
		if err != nil || response.Groups[0].ErrorCode != 0 {
			t.Fatalf("deleting the group: got %v and %+v", err, response)
		}
		write(t, broker, topic, 2, 5)
	}
}
