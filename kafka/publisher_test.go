package kafka_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/kafka/kafkatest"
	"github.com/prantikov/millrace/record"
)

func publisher(t *testing.T, broker string, log *bytes.Buffer) *kafka.Publisher {
	t.Helper()
	logger := slog.New(slog.DiscardHandler)
	if log != nil {
		logger = slog.New(slog.NewTextHandler(log, nil))
	}
	p, err := kafka.NewPublisher(kafkatest.Settings(broker), logger)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

func TestPublisherChoosesJavasPartition(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topic := kafkatest.Topic(t, broker, 6)
	file, err := os.Open("testdata/partition-6.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var records []*record.Record
	var want []int32
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var line struct {
			Bytes     []byte
			Partition int32
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		records = append(records, &record.Record{Position: record.Position{Topic: topic}, Key: line.Bytes, Value: []byte("x")})
		want = append(want, line.Partition)
	}
	positions, err := publisher(t, broker, nil).PublishRecords(t.Context(), records)
	if err != nil {
		t.Fatal(err)
	}
	for i, position := range positions {
		if position.Partition != want[i] {
			t.Errorf("key %q: got partition %d, want %d", records[i].Key, position.Partition, want[i])
		}
	}
	if len(positions) != 200 {
		t.Errorf("got %d keys, want 200", len(positions))
	}
}

func TestPublisherKeepsRecordsExactly(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topic := kafkatest.Topic(t, broker, 2, "retention.ms", "-1")
	at := time.UnixMilli(1735120000123).UTC()
	headers := []record.Header{{Key: "h", Value: []byte("1")}, {Key: "n", Value: nil}, {Key: "h", Value: []byte{}}}
	records := []*record.Record{
		{Timestamp: at, Key: []byte("k"), Value: []byte("v"), Headers: headers},
		{Timestamp: at.Add(-time.Hour), Key: nil, Value: nil},
		{Timestamp: at.Add(time.Hour), Key: []byte{}, Value: []byte{}},
	}
	for _, r := range records {
		r.Topic, r.Partition = topic, 1
	}
	positions, err := publisher(t, broker, nil).PublishToPartitions(t.Context(), records)
	if err != nil {
		t.Fatal(err)
	}
	read := kafkatest.Consume(t, broker, topic, len(records))
	for i, got := range read {
		want := *records[i]
		want.Position = positions[i]
		got.Timestamp = got.Timestamp.UTC()
		if !reflect.DeepEqual(got, &want) {
			t.Errorf("record %d: got %#v\nwant %#v", i, got, &want)
		}
		if positions[i] != (record.Position{Topic: topic, Partition: 1, Offset: int64(i)}) {
			t.Errorf("record %d: got position %s, want %s/1/%d", i, positions[i], topic, i)
		}
	}
}

func TestPublisherTakesThePartitionOfTheKeyWhenThereIsNoSuchPartition(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topic := kafkatest.Topic(t, broker, 6)
	r := func(partition int32) *record.Record {
		return &record.Record{Position: record.Position{Topic: topic, Partition: partition}, Key: []byte("21"), Value: []byte("v")}
	}
	positions, err := publisher(t, broker, nil).PublishToPartitions(t.Context(), []*record.Record{r(-1), r(6), r(5)})
	if err != nil {
		t.Fatal(err)
	}
	got := []int32{positions[0].Partition, positions[1].Partition, positions[2].Partition}
	if want := []int32{0, 0, 5}; !slices.Equal(got, want) {
		t.Errorf("got partitions %v, want %v", got, want)
	}
}

func TestPublisherSendsWatermillsMessages(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topic := kafkatest.Topic(t, broker, 1)
	ended, end := context.WithCancel(t.Context())
	end()
	msg := message.NewMessageWithContext(ended, "id", []byte("body"))
	if err := publisher(t, broker, nil).Publish(topic, msg); err != nil {
		t.Fatal(err)
	}
	if got := kafkatest.Consume(t, broker, topic, 1)[0]; string(got.Value) != "body" || got.Key != nil {
		t.Errorf("got key %q and value %q, want none and body", got.Key, got.Value)
	}
}

func TestPublisherKeepsOrderBetweenSmallAndLargeRecords(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topic := kafkatest.Topic(t, broker, 1, "max.message.bytes", "7340032")
	s := kafkatest.Settings(broker)
	s.Producer.MaxMessageBytes = 7 << 20
	p, err := kafka.NewPublisher(s, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	var records []*record.Record
	for i := range 40 {
		size := 10
		if i%10 == 5 {
			size = 3 << 20
		}
		records = append(records, &record.Record{Position: record.Position{Topic: topic}, Key: []byte("k"), Value: make([]byte, size)})
	}
	positions, err := p.PublishRecords(t.Context(), records)
	if err != nil {
		t.Fatal(err)
	}
	for i, position := range positions {
		if position.Offset != int64(i) {
			t.Fatalf("record %d: got offset %d, want %d", i, position.Offset, i)
		}
	}
}

func TestPublisherSendsMoreTogetherThanATopicTakesInABatch(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topic := kafkatest.Topic(t, broker, 1)
	s := kafkatest.Settings(broker)
	p, err := kafka.NewDeadLetterPublisher(s, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	var records []*record.Record
	for range 20 {
		records = append(records, &record.Record{Position: record.Position{Topic: topic}, Key: []byte("k"), Value: make([]byte, 300<<10)})
	}
	if _, err := p.PublishRecords(t.Context(), records); err != nil {
		t.Errorf("got error %v, want none: 6 MB in batches that a topic of 1 MiB takes", err)
	}
}

func TestPublisherSaysWhichRecordFailedWithoutItsContent(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topic := kafkatest.Topic(t, broker, 1)
	var log bytes.Buffer
	secret := strings.Repeat("secret", 1<<20/4)
	positions, err := publisher(t, broker, &log).PublishRecords(t.Context(), []*record.Record{
		{Position: record.Position{Topic: topic}, Value: []byte("small")},
		{Position: record.Position{Topic: topic}, Key: []byte("secret"), Value: []byte(secret)},
	})
	if err == nil || !strings.Contains(err.Error(), "record 2 of 2") || !strings.Contains(err.Error(), "max_message_bytes") {
		t.Fatalf("got error %v, want one that names record 2 of 2 and max_message_bytes", err)
	}
	if strings.Contains(err.Error(), "secret") || strings.Contains(log.String(), "secret") {
		t.Error("the error or the log has the payload")
	}
	if strings.Count(log.String(), "level=ERROR") != 1 {
		t.Errorf("got log %q, want one error", log.String())
	}
	if positions[0].Offset != 0 || positions[1].Offset != -1 {
		t.Errorf("got offsets %d and %d, want 0 and -1", positions[0].Offset, positions[1].Offset)
	}
}

func TestPublisherNamesATopicThatDoesNotExist(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	_, err := publisher(t, broker, nil).PublishRecords(t.Context(), []*record.Record{{Position: record.Position{Topic: kafkatest.Name(t)}}})
	if !errors.Is(err, kafka.ErrNoTopic) {
		t.Errorf("got error %v, want %v", err, kafka.ErrNoTopic)
	}
}

func TestPublisherTriesFourTimes(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		failures int
		fails    bool
	}{
		"three failures are overcome": {3, false},
		"four are an error":           {4, true},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cluster := kafkatest.Cluster(t, kfake.SeedTopics(1, "t"))
			p := publisher(t, cluster.ListenAddrs()[0], nil)
			tries := 0
			cluster.ControlKey(int16(kmsg.Produce), func(request kmsg.Request) (kmsg.Response, error, bool) {
				cluster.KeepControl()
				if tries++; tries > test.failures {
					return nil, nil, false
				}
				return refusal(request.(*kmsg.ProduceRequest)), nil, true
			})
			_, err := p.PublishRecords(t.Context(), []*record.Record{{Position: record.Position{Topic: "t"}, Value: []byte("v")}})
			if failed := err != nil; failed != test.fails {
				t.Errorf("got error %v, want one: %v", err, test.fails)
			}
		})
	}
}

func TestDeadLetterPublisherTriesOn(t *testing.T) {
	t.Parallel()
	cluster := kafkatest.Cluster(t, kfake.SeedTopics(1, "t"))
	p, err := kafka.NewDeadLetterPublisher(kafkatest.Settings(cluster.ListenAddrs()[0]), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	tries := 0
	cluster.ControlKey(int16(kmsg.Produce), func(request kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		if tries++; tries > 5 {
			return nil, nil, false
		}
		return refusal(request.(*kmsg.ProduceRequest)), nil, true
	})
	if _, err := p.PublishRecords(t.Context(), []*record.Record{{Position: record.Position{Topic: "t"}, Value: []byte("v")}}); err != nil {
		t.Errorf("got error %v after five refusals, want none", err)
	}
}

// refusal answers every partition of the request with an error that passes.
func refusal(request *kmsg.ProduceRequest) kmsg.Response {
	response := request.ResponseKind().(*kmsg.ProduceResponse)
	for _, topic := range request.Topics {
		answer := kmsg.NewProduceResponseTopic()
		answer.Topic, answer.TopicID = topic.Topic, topic.TopicID
		for _, partition := range topic.Partitions {
			refused := kmsg.NewProduceResponseTopicPartition()
			refused.Partition, refused.ErrorCode = partition.Partition, kerr.NotEnoughReplicas.Code
			answer.Partitions = append(answer.Partitions, refused)
		}
		response.Topics = append(response.Topics, answer)
	}
	return response
}

func TestPublisherReturnsWhenTheContextEnds(t *testing.T) {
	t.Parallel()
	cluster := kafkatest.Cluster(t, kfake.SeedTopics(1, "t"))
	p := publisher(t, cluster.ListenAddrs()[0], nil)
	ctx, cancel := context.WithCancel(t.Context())
	free := make(chan struct{})
	cluster.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		cancel()
		cluster.SleepControl(func() { <-free })
		return nil, nil, false
	})
	_, err := p.PublishRecords(ctx, []*record.Record{{Position: record.Position{Topic: "t"}, Value: []byte("v")}})
	close(free)
	if !errors.Is(err, kafka.ErrOutcomeUnknown) || !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want %v and %v", err, kafka.ErrOutcomeUnknown, context.Canceled)
	}
}

func TestPublisherClosesOnceAndForAll(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topic := kafkatest.Topic(t, broker, 3)
	p := publisher(t, broker, nil)
	var callers sync.WaitGroup
	var mu sync.Mutex
	published := 0
	for caller := range 8 {
		callers.Go(func() {
			for i := range 50 {
				r := &record.Record{Position: record.Position{Topic: topic}, Key: fmt.Append(nil, caller, i), Value: []byte("v")}
				_, err := p.PublishRecords(t.Context(), []*record.Record{r})
				if errors.Is(err, kafka.ErrClosed) {
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				published++
				mu.Unlock()
			}
		})
	}
	callers.Go(func() { _ = p.Close() })
	callers.Wait()
	if err := p.Close(); err != nil {
		t.Errorf("got error %v of a second close, want none", err)
	}
	if got := len(kafkatest.Consume(t, broker, topic, published)); got != published {
		t.Errorf("got %d records, want %d", got, published)
	}
}
