package kafka_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/prantikov/millrace/config"
	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/kafka/kafkatest"
	"github.com/prantikov/millrace/record"
)

// quick returns settings with which a rebalance is noticed soon.
func quick(broker string) config.Kafka {
	settings := kafkatest.Settings(broker)
	settings.HeartbeatInterval = 100 * time.Millisecond
	settings.CommitInterval = 100 * time.Millisecond
	return settings
}

// open returns a subscriber that is closed with the test.
func open(t *testing.T, settings kafka.SubscriberSettings) *kafka.Subscriber {
	t.Helper()
	if settings.Logger == nil {
		settings.Logger = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	subscriber, err := kafka.NewSubscriber(settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeNow(t, subscriber) })
	return subscriber
}

func closeNow(t *testing.T, subscriber message.Subscriber) {
	t.Helper()
	if err := subscriber.Close(); err != nil {
		t.Errorf("closing: got %v, want nil", err)
	}
}

// batches subscribes and handles each message in a goroutine of its own, as Watermill's router does. The returned channel is closed when
// the subscription's is.
func batches(t *testing.T, subscriber *kafka.Subscriber, topic string, handle func(context.Context, *record.Batch)) <-chan struct{} {
	t.Helper()
	messages, err := subscriber.SubscribeBatches(context.Background(), topic)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for m := range messages {
			go func() {
				handle(m.Context(), record.BatchFromContext(m.Context()))
				m.Ack()
			}()
		}
	}()
	return ended
}

// ledger counts what was handled, and keeps the order of each partition.
type ledger struct {
	mu    sync.Mutex
	order map[string][]int64
	total int
}

func (l *ledger) add(r *record.Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.order == nil {
		l.order = map[string][]int64{}
	}
	partition := fmt.Sprintf("%s/%d", r.Topic, r.Partition)
	l.order[partition] = append(l.order[partition], r.Offset)
	l.total++
}

func (l *ledger) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.total
}

func (l *ledger) offsets(topic string, partition int32) []int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.order[fmt.Sprintf("%s/%d", topic, partition)])
}

// handleAll does every record until the partition is wanted back.
func (l *ledger) handleAll(_ context.Context, b *record.Batch) {
	for i, r := range b.Records {
		select {
		case <-b.Stopping:
			return
		default:
		}
		l.add(r)
		b.Report(i, record.Result{Outcome: record.Done, Attempts: 1})
	}
}

// wantOnce fails the test unless each partition of the topic was handled from offset 0 to per-1, each once and in order.
func (l *ledger) wantOnce(t *testing.T, topic string, partitions, per int) {
	t.Helper()
	for partition := range partitions {
		got := l.offsets(topic, int32(partition))
		if !slices.Equal(got, upTo(per)) {
			t.Errorf("partition %d: got %d records %v…, want %d in order, each once", partition, len(got), got[:min(len(got), 30)], per)
		}
	}
}

func upTo(n int) []int64 {
	offsets := make([]int64, n)
	for i := range offsets {
		offsets[i] = int64(i)
	}
	return offsets
}

// write produces per records into each partition.
func write(t *testing.T, broker, topic string, partitions, per int) {
	t.Helper()
	kafkatest.Produce(t, broker, some(topic, partitions, per)...)
}

func some(topic string, partitions, per int) []*record.Record {
	var records []*record.Record
	for i := range per {
		for partition := range partitions {
			records = append(records, &record.Record{
				Position: record.Position{Topic: topic, Partition: int32(partition)},
				Key:      fmt.Appendf(nil, "k%d", i%7), Value: fmt.Appendf(nil, `{"n":%d}`, i),
			})
		}
	}
	return records
}

// committed is the group's position; -1 for none.
func committed(t *testing.T, broker, group, topic string, partition int32) int64 {
	t.Helper()
	asked := kmsg.NewOffsetFetchRequestTopic()
	asked.Topic, asked.Partitions = topic, []int32{partition}
	request := kmsg.NewPtrOffsetFetchRequest()
	request.Group, request.Topics = group, append(request.Topics, asked)
	inGroup := kmsg.NewOffsetFetchRequestGroup()
	inGroup.Group = group
	groupTopic := kmsg.NewOffsetFetchRequestGroupTopic()
	groupTopic.Topic, groupTopic.Partitions = topic, []int32{partition}
	inGroup.Topics = append(inGroup.Topics, groupTopic)
	request.Groups = append(request.Groups, inGroup)
	ctx, cancel := context.WithTimeout(context.Background(), kafkatest.Patience)
	defer cancel()
	response, err := request.RequestWith(ctx, kafkatest.Client(t, broker, oldVersions()))
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range response.Groups {
		for _, answered := range g.Topics {
			return answered.Partitions[0].Offset
		}
	}
	for _, answered := range response.Topics {
		return answered.Partitions[0].Offset
	}
	return -1
}

// deleteRecords moves the log's start, as retention does.
func deleteRecords(t *testing.T, broker, topic string, partition int32, to int64) {
	t.Helper()
	asked := kmsg.NewDeleteRecordsRequestTopicPartition()
	asked.Partition, asked.Offset = partition, to
	inTopic := kmsg.NewDeleteRecordsRequestTopic()
	inTopic.Topic, inTopic.Partitions = topic, append(inTopic.Partitions, asked)
	request := kmsg.NewPtrDeleteRecordsRequest()
	request.Topics, request.TimeoutMillis = append(request.Topics, inTopic), 10_000
	ctx, cancel := context.WithTimeout(context.Background(), kafkatest.Patience)
	defer cancel()
	response, err := request.RequestWith(ctx, kafkatest.Client(t, broker))
	if err != nil {
		t.Fatal(err)
	}
	if code := response.Topics[0].Partitions[0].ErrorCode; code != 0 {
		t.Fatalf("deleting records: error code %d", code)
	}
}
