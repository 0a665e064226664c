package kafkatest

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/prantikov/millrace/record"
)

// Produce writes the records in their order and returns where they stand. A record's Topic and Partition are obeyed, its Offset is not looked at;
// a zero Timestamp means now.
func Produce(t testing.TB, broker string, records ...*record.Record) []record.Position {
	t.Helper()
	client := Client(t, broker, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchMaxBytes(50<<20))
	return produce(t, client, records)
}

// ProduceByKey is [Produce] with the partition that Java's default partitioner chooses for the key.
func ProduceByKey(t testing.TB, broker string, records ...*record.Record) []record.Position {
	t.Helper()
	return produce(t, Client(t, broker), records)
}

// ProduceTransaction writes the records in one transaction, which it commits or aborts.
func ProduceTransaction(t testing.TB, broker string, commit bool, records ...*record.Record) {
	t.Helper()
	client := Client(t, broker, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.TransactionalID(Name(t)))
	if err := client.BeginTransaction(); err != nil {
		t.Fatalf("beginning a transaction: %v", err)
	}
	produce(t, client, records)
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	if err := client.EndTransaction(ctx, kgo.TransactionEndTry(commit)); err != nil {
		t.Fatalf("ending a transaction: %v", err)
	}
}

func produce(t testing.TB, client *kgo.Client, records []*record.Record) []record.Position {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	sent := make([]*kgo.Record, len(records))
	for i, r := range records {
		sent[i] = toClient(r)
	}
	if err := client.ProduceSync(ctx, sent...).FirstErr(); err != nil {
		t.Fatalf("producing: %v", err)
	}
	positions := make([]record.Position, len(sent))
	for i, r := range sent {
		positions[i] = record.Position{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset}
	}
	return positions
}

// Consume returns the first count records of the topic, the records of each partition in their order; only what was committed.
// The test fails when fewer come.
func Consume(t testing.TB, broker, topic string, count int) []*record.Record {
	t.Helper()
	client := Client(t, broker, kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	var records []*record.Record
	for len(records) < count {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			t.Fatalf("consuming %s: got %d records, want %d: %v", topic, len(records), count, err)
		}
		fetches.EachRecord(func(r *kgo.Record) { records = append(records, fromClient(r)) })
	}
	return records[:count]
}

// Commit commits the offset for the group, as a member that is not there any more would have.
func Commit(t testing.TB, broker, group string, next record.Position) {
	t.Helper()
	partition := kmsg.NewOffsetCommitRequestTopicPartition()
	partition.Partition, partition.Offset = next.Partition, next.Offset
	topic := kmsg.NewOffsetCommitRequestTopic()
	topic.Topic, topic.Partitions = next.Topic, append(topic.Partitions, partition)
	request := kmsg.NewPtrOffsetCommitRequest()
	request.Group, request.Generation, request.Topics = group, -1, append(request.Topics, topic)
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	// Version 10 of the request, of Kafka 4.1, names topics by id.
	response, err := request.RequestWith(ctx, Client(t, broker, kgo.MaxVersions(kversion.V4_0_0())))
	if err != nil {
		t.Fatalf("committing for %s: %v", group, err)
	}
	if code := response.Topics[0].Partitions[0].ErrorCode; code != 0 {
		t.Fatalf("committing for %s: error code %d", group, code)
	}
}

// Eventually asks until the answer is true and fails the test when it is not within [Patience].
func Eventually(t testing.TB, what string, ask func() bool) {
	t.Helper()
	deadline := time.NewTimer(Patience)
	defer deadline.Stop()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for !ask() {
		select {
		case <-deadline.C:
			t.Fatalf("%s: not within %s", what, Patience)
		case <-again.C:
		}
	}
}

func toClient(r *record.Record) *kgo.Record {
	sent := &kgo.Record{Topic: r.Topic, Partition: r.Partition, Key: r.Key, Value: r.Value, Timestamp: r.Timestamp}
	for _, header := range r.Headers {
		sent.Headers = append(sent.Headers, kgo.RecordHeader{Key: header.Key, Value: header.Value})
	}
	return sent
}

func fromClient(r *kgo.Record) *record.Record {
	read := &record.Record{
		Position:  record.Position{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset},
		Timestamp: r.Timestamp, Key: r.Key, Value: r.Value,
	}
	for _, header := range r.Headers {
		read.Headers = append(read.Headers, record.Header{Key: header.Key, Value: header.Value})
	}
	return read
}
