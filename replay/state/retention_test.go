package state_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/prantikov/millrace/handlers"
	"github.com/prantikov/millrace/handlers/archive"
	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/kafka/kafkatest"
	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/replay/state"
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/store"
)

// Ensure the archive's own files have what retention has deleted from a broker's log, and that together they come to what the store has.
func TestRetentionHasPassedTheBeginning(t *testing.T) {
	t.Parallel()
	cluster := kafkatest.Cluster(t)
	broker := cluster.ListenAddrs()[0]
	kafkatest.CreateTopic(t, broker, topic, 2)
	write(t, broker)
	reader, err := kafka.NewReader(t.Context(), kafkatest.Settings(broker))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = reader.Close() })
	data := t.TempDir()
	l := openLive(t, newPlace(t))
	t.Cleanup(l.close)
	keep := archiver(t, l.store, data)
	log := readAll(t, reader)
	for _, of := range log {
		l.deliver(of...)
		keep(of)
	}
	before := l.dump()

	for partition, of := range log {
		if err := cluster.DeleteRecords(topic, int32(partition), of[len(of)/2].Offset); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.rebuild(reader, true, nil); !errors.Is(err, state.ErrLost) || l.dump() != before {
		t.Errorf("without the archive: got %v, want a refusal and nothing changed", err)
	}
	older := func(ctx context.Context, topic string, partition int32, before int64) iter.Seq2[*record.Record, error] {
		return archive.NewReader(filepath.Join(data, "archive")).Records(ctx, archive.Selection{Topic: topic, Partitions: []int32{partition}, To: before})
	}
	got, err := l.rebuild(reader, true, func(settings *state.Rebuilding) { settings.Older = older })
	if err != nil || !got.Same() || got.Left != 0 || got.Rebuilt != 20 || l.dump() != before {
		t.Errorf("with the archive: got %+v %v, want the two to be the same", got, err)
	}
}

// write writes twenty orders in three steps.
func write(t *testing.T, broker string) {
	t.Helper()
	client := kafkatest.Client(t, broker)
	for _, step := range [][2]string{{"created", "pending"}, {"shipped", "shipped"}, {"delivered", "delivered"}} {
		for i := range 20 {
			id := fmt.Sprintf("ord-%02d", i)
			made := &kgo.Record{Topic: topic, Key: []byte(id), Value: []byte(order(id, step[0], step[1]))}
			if err := client.ProduceSync(t.Context(), made).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func readAll(t *testing.T, reader *kafka.Reader) [][]*record.Record {
	t.Helper()
	all := make([][]*record.Record, 2)
	for r, err := range reader.Read(t.Context(), kafka.Range{Topic: topic}) {
		if err != nil {
			t.Fatal(err)
		}
		all[r.Partition] = append(all[r.Partition], r)
	}
	return all
}

// archiver is the consumer archive as it stands in the list.
func archiver(t *testing.T, on *store.Store, data string) func([]*record.Record) {
	t.Helper()
	consumers, err := handlers.Consumers(handlers.Dependencies{Store: func() *store.Store { return on }, DataDir: data})
	if err != nil {
		t.Fatal(err)
	}
	made, err := router.New(router.Settings{
		Topics: map[string]router.TopicSettings{messages.Orders.Topic(): {Name: topic}}, Types: messages.Types(), DeadLetters: state.GivenUp{},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(consumers, func(c *router.Consumer) bool { return c.Name() == "archive" })
	walker, err := made.Walker(consumers[at], router.ConsumerSettings{Topics: []string{messages.Orders.Topic()}})
	if err != nil {
		t.Fatal(err)
	}
	return func(records []*record.Record) {
		batch := &record.Batch{Records: records, Claim: "claim", Stopping: make(chan struct{}), Report: func(i int, result record.Result) {
			if result.Outcome != record.Done {
				t.Errorf("archiving %s: got %s, want done", records[i].Position, result.Outcome)
			}
		}}
		if err := walker.Walk(context.Background(), batch); err != nil {
			t.Fatal(err)
		}
	}
}
