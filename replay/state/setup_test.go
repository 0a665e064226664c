package state_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/prantikov/millrace/handlers"
	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/replay/state"
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/store"
	"github.com/prantikov/millrace/store/storetest"
)

// topic is the name on the brokers of these tests' orders.
const topic = "orders-here"

// testing.TB and rapid's T have these both.
type fataler interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

// memoryLog is a log in memory.
type memoryLog struct {
	partitions [][]*record.Record
	// starts are where the partitions begin, for who has read further than that.
	starts map[int32]int64
	// read counts which partitions were read.
	mu   sync.Mutex
	read map[int32]int
}

func newLog(partitions int) *memoryLog {
	return &memoryLog{partitions: make([][]*record.Record, partitions), starts: map[int32]int64{}, read: map[int32]int{}}
}

// add writes a record where the partitioner puts its key among so many partitions, after so many offsets that are left out.
func (l *memoryLog) add(t fataler, key, value string, at time.Time, among int, gap int64) *record.Record {
	t.Helper()
	partition, err := kafka.PartitionOf([]byte(key), among)
	if err != nil {
		t.Fatal(err)
	}
	of := l.partitions[partition]
	offset := gap
	if len(of) > 0 {
		offset += of[len(of)-1].Offset + 1
	}
	r := &record.Record{Position: record.Position{Topic: topic, Partition: partition, Offset: offset}, Key: []byte(key), Value: []byte(value), Timestamp: at}
	l.partitions[partition] = append(of, r)
	return r
}

func (l *memoryLog) Partitions(context.Context, string) ([]int32, error) {
	all := make([]int32, len(l.partitions))
	for i := range all {
		all[i] = int32(i)
	}
	return all, nil
}

func (l *memoryLog) Starts(context.Context, string) (map[int32]int64, error) {
	starts := map[int32]int64{}
	for i := range l.partitions {
		starts[int32(i)] = l.starts[int32(i)]
	}
	return starts, nil
}

func (l *memoryLog) Ends(context.Context, string) (map[int32]int64, error) {
	ends := map[int32]int64{}
	for i, of := range l.partitions {
		if len(of) > 0 {
			ends[int32(i)] = of[len(of)-1].Offset + 1
		}
	}
	return ends, nil
}

func (l *memoryLog) ReadPartition(_ context.Context, from record.Position, to int64) iter.Seq2[[]*record.Record, error] {
	return func(yield func([]*record.Record, error) bool) {
		l.mu.Lock()
		l.read[from.Partition]++
		l.mu.Unlock()
		for _, r := range l.partitions[from.Partition] {
			if r.Offset >= max(from.Offset, l.starts[from.Partition]) && r.Offset < to && !yield([]*record.Record{r}, nil) {
				return
			}
		}
	}
}

// live is the consumer of orders as it stands in the list, on a store, without brokers. A try of a held key fails, and so does each so-manieth.
type live struct {
	t      fataler
	store  *store.Store
	walker *router.Walker
	held   map[string]bool
	tries  int
	every  int
	// waiting are the records that were handed over and are not finished, by partition; finished those that are.
	waiting  map[int32][]*record.Record
	finished map[record.Position]bool
}

func openLive(t fataler, place string) *live {
	t.Helper()
	opened, err := store.Open(context.Background(), place, nil)
	if err != nil {
		t.Fatal(err)
	}
	l := &live{
		t: t, store: opened, held: map[string]bool{}, waiting: map[int32][]*record.Record{}, finished: map[record.Position]bool{},
	}
	consumer, made := orders(t, opened)
	made.Use(func(next message.HandlerFunc) message.HandlerFunc {
		return func(msg *message.Message) ([]*message.Message, error) {
			l.tries++
			if r := record.FromContext(msg.Context()); r != nil && l.held[string(r.Key)] || l.every > 0 && l.tries%l.every == 0 {
				return nil, errors.New("the other side is busy")
			}
			return next(msg)
		}
	})
	if l.walker, err = made.Walker(consumer, router.ConsumerSettings{}); err != nil {
		t.Fatal(err)
	}
	return l
}

// orders is the consumer in the list, and a router for it.
func orders(t fataler, on *store.Store) (*router.Consumer, *router.Router) {
	t.Helper()
	consumers, err := handlers.Consumers(handlers.Dependencies{Store: func() *store.Store { return on }})
	if err != nil {
		t.Fatal(err)
	}
	made, err := router.New(router.Settings{
		Topics: map[string]router.TopicSettings{messages.Orders.Topic(): {Name: topic}}, Types: messages.Types(),
		DeadLetters: state.GivenUp{}, Clock: hurried{},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(consumers, func(c *router.Consumer) bool { return c.Name() == "orders" })
	return consumers[at], made
}

// orderTopic is what a command makes of the settings.
func orderTopic(t fataler) state.Entities {
	t.Helper()
	consumer, made := orders(t, nil)
	return state.Entities{Consumer: "orders", Topic: state.Topic{
		Name: topic, Type: messages.Orders,
		Walker: func(unit router.UnitOfWork) (*router.Walker, error) {
			return made.Walker(consumer.In(unit), router.ConsumerSettings{})
		},
	}}
}

// deliver hands over records of one partition in one batch, after those that wait, as a source does that takes records back until their next try.
func (l *live) deliver(records ...*record.Record) {
	l.t.Helper()
	if len(records) == 0 {
		return
	}
	partition := records[0].Partition
	records = append(slices.Clone(l.waiting[partition]), records...)
	slices.SortFunc(records, func(a, b *record.Record) int { return cmp.Compare(a.Offset, b.Offset) })
	records = slices.CompactFunc(records, func(a, b *record.Record) bool { return a.Offset == b.Offset })
	batch := &record.Batch{Records: records, Claim: "claim", Stopping: make(chan struct{}), Side: func() {}, Report: func(i int, result record.Result) {
		if result.Outcome.Finished() {
			l.finished[records[i].Position] = true
		}
	}}
	if err := l.walker.Walk(context.Background(), batch); err != nil {
		l.t.Fatal(err)
	}
	l.waiting[partition] = slices.DeleteFunc(records, func(r *record.Record) bool { return l.finished[r.Position] })
}

// settle hands over what waits until nothing does.
func (l *live) settle() {
	l.t.Helper()
	for partition := range l.waiting {
		for len(l.waiting[partition]) > 0 {
			l.deliver(l.waiting[partition]...)
		}
	}
}

func (l *live) close() {
	if err := l.store.Close(); err != nil {
		l.t.Fatal(err)
	}
}

// dump is all that a store has of entities, byte for byte.
func (l *live) dump() string {
	l.t.Helper()
	var text strings.Builder
	for _, query := range []string{"SELECT * FROM entities ORDER BY type, id", "SELECT * FROM entity_history ORDER BY type, id, revision"} {
		rows, err := l.store.DB().QueryContext(context.Background(), query)
		if err != nil {
			l.t.Fatal(err)
		}
		columns, err := rows.Columns()
		if err != nil {
			l.t.Fatal(err)
		}
		for rows.Next() {
			values, into := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			if err := rows.Scan(into...); err != nil {
				l.t.Fatal(err)
			}
			fmt.Fprintf(&text, "%q\n", values)
		}
		if err := rows.Err(); err != nil {
			l.t.Fatal(err)
		}
		_ = rows.Close()
	}
	return text.String()
}

// rebuild rebuilds the orders of a store from a log, and compares.
func (l *live) rebuild(log state.Log, swap bool, change func(*state.Rebuilding)) (store.Comparison, error) {
	l.t.Helper()
	beside, err := l.store.Beside(context.Background())
	if err != nil {
		l.t.Fatal(err)
	}
	settings := state.Rebuilding{Log: log, Live: l.store, Beside: beside, Entities: []state.Entities{orderTopic(l.t)}}
	if change != nil {
		change(&settings)
	}
	rebuild, err := state.NewRebuild(settings)
	if err != nil {
		l.t.Fatal(err)
	}
	var compared []store.Comparison
	if err = rebuild.Run(context.Background()); err == nil {
		compared, err = rebuild.Compare(context.Background(), swap)
	}
	if dropped := beside.Drop(context.Background()); dropped != nil {
		l.t.Fatal(dropped)
	}
	if err != nil {
		return store.Comparison{}, err
	}
	return compared[0], nil
}

// spoil runs statements on the store as somebody could who does not go through the program.
func spoil(t testing.TB, place string, statements ...string) {
	t.Helper()
	if storetest.Postgres() {
		storetest.Execute(t, place, statements...)
		return
	}
	storetest.ExecuteFile(t, place, statements...)
}

func newPlace(t testing.TB) string { return storetest.Place(t, filepath.Join(t.TempDir(), "data")) }

// order is an event as a producer would write it.
func order(id, action, status string) string {
	return fmt.Sprintf(`{"orderId":%q,"patientId":"pat-1","status":%q,"action":%q}`, id, status, action)
}

var noon = time.Date(2026, time.May, 4, 12, 0, 0, 0, time.UTC)

// hurried is a clock whose pauses pass at once.
type hurried struct{}

func (hurried) Now() time.Time { return noon }

func (hurried) Wait(context.Context, <-chan struct{}, time.Time) {}
