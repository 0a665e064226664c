package replay_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/kafka/kafkatest"
	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/replay"
	"github.com/prantikov/millrace/router"
)

// log is a topic with records of several keys on a broker of its own.
type log struct {
	topic   string
	reader  *kafka.Reader
	records []*record.Record
}

const (
	partitions = 3
	keys       = 7
)

// newLog writes so many records into each partition, and behind them an aborted transaction, which nobody may see.
func newLog(t *testing.T, each int) *log {
	t.Helper()
	broker := kafkatest.Broker(t)
	l := &log{topic: kafkatest.Topic(t, broker, partitions)}
	for partition := range int32(partitions) {
		for i := range each {
			l.records = append(l.records, &record.Record{
				Position: record.Position{Topic: l.topic, Partition: partition, Offset: int64(i)},
				Key:      fmt.Appendf(nil, "%d-%d", partition, i%keys), Value: fmt.Append(nil, i),
			})
		}
	}
	kafkatest.Produce(t, broker, l.records...)
	for partition := range int32(partitions) {
		unseen := &record.Record{Position: record.Position{Topic: l.topic, Partition: partition}, Value: []byte("unseen")}
		kafkatest.ProduceTransaction(t, broker, false, unseen)
	}
	reader, err := kafka.NewReader(t.Context(), kafkatest.Settings(broker))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = reader.Close() })
	l.reader = reader
	return l
}

// parts are the whole log.
func (l *log) parts(t *testing.T) []replay.Part {
	t.Helper()
	ends, err := l.reader.Ends(t.Context(), l.topic)
	if err != nil {
		t.Fatal(err)
	}
	var parts []replay.Part
	for _, partition := range slices.Sorted(maps.Keys(ends)) {
		parts = append(parts, replay.Part{Topic: l.topic, Partition: partition, To: ends[partition]})
	}
	return parts
}

// journal notes what a consumer's function was given, in order.
type journal struct {
	mu    sync.Mutex
	lines []record.Position
	tries map[record.Position]int
}

func (j *journal) note(at record.Position) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, at)
}

// tried counts the tries of a record.
func (j *journal) tried(at record.Position) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.tries == nil {
		j.tries = map[record.Position]int{}
	}
	j.tries[at]++
	return j.tries[at]
}

func (j *journal) noted() []record.Position {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.lines)
}

// letters takes no dead letter to any topic.
type letters struct{}

func (letters) Write(context.Context, record.Letter) error { return nil }

// run gives everything of the source to a function, in a router, until the source ends.
func run(t *testing.T, l *log, source *replay.Source, function func(context.Context, *record.Record) error) {
	t.Helper()
	r, err := router.New(router.Settings{
		DeadLetters: letters{}, Topics: map[string]router.TopicSettings{messages.Orders.Topic(): {Name: l.topic}},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	consumer, err := router.Consume("journal", router.OnRecord([]messages.Type{messages.Orders}, function))
	if err != nil {
		t.Fatal(err)
	}
	tries := router.ConsumerSettings{Retry: router.RetrySettings{InitialInterval: time.Millisecond}}
	if err := r.Add(consumer, tries, source); err != nil {
		t.Fatal(err)
	}
	if err := r.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := source.Close(); err != nil {
		t.Fatal(err)
	}
}

func total(source *replay.Source) (all replay.Tally) {
	for _, at := range source.Standings() {
		all.Add(at.Tally)
	}
	return all
}

// onceInOrder fails the test unless the positions are those of the records, each once, those of a key in order.
func onceInOrder(t *testing.T, got []record.Position, want []*record.Record) {
	t.Helper()
	key := map[record.Position]string{}
	for _, r := range want {
		key[r.Position] = string(r.Key)
	}
	last := map[string]int64{}
	for _, at := range got {
		name, wanted := key[at]
		if !wanted {
			t.Errorf("%s is handled twice, or was not to be handled", at)
		}
		delete(key, at)
		if before, ok := last[name]; ok && before >= at.Offset {
			t.Errorf("%s is handled after %d of its key", at, before)
		}
		last[name] = at.Offset
	}
	if len(key) > 0 {
		t.Errorf("%d records were not handled, want none", len(key))
	}
}

func TestSourceHandsOverEveryRecordOnceInTheOrderOfItsKeyAndEnds(t *testing.T) {
	t.Parallel()
	l := newLog(t, 500)
	for name, together := range map[string]bool{"in the order of keys": false, "in the order of partitions": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source := replay.NewSource(replay.Settings{Reader: l.reader, Parts: l.parts(t), Together: together, BatchRecords: 50, SideBySide: 2})
			var j journal
			run(t, l, source, func(_ context.Context, r *record.Record) error {
				if r.Offset%100 == 3 && j.tried(r.Position) < 3 {
					return errors.New("not yet")
				}
				j.note(r.Position)
				return nil
			})
			onceInOrder(t, j.noted(), l.records)
			if !source.Complete() || source.Err() != nil {
				t.Errorf("got %+v and error %v, want all parts complete", source.Standings(), source.Err())
			}
			if got := total(source); got.Done != int64(len(l.records)) || got.Records() != got.Done {
				t.Errorf("got %+v, want %d done", got, len(l.records))
			}
		})
	}
}

func TestSourceKeepsToItsPartsAndToWhatIsWanted(t *testing.T) {
	t.Parallel()
	l := newLog(t, 100)
	parts := []replay.Part{{Topic: l.topic, Partition: 0, From: 10, To: 20}, {Topic: l.topic, Partition: 2, From: 90, To: 102}}
	parts[0].Done.Add(15)
	source := replay.NewSource(replay.Settings{Reader: l.reader, Parts: parts, Pass: func(r *record.Record) string {
		if r.Offset%2 == 0 {
			return "even"
		}
		return ""
	}})
	var j journal
	run(t, l, source, func(_ context.Context, r *record.Record) error {
		j.note(r.Position)
		if r.Offset == 11 {
			return router.Permanent(errors.New("never"))
		}
		if r.Offset == 13 {
			return router.Skip("policy")
		}
		return nil
	})
	var want []*record.Record
	for _, r := range l.records {
		for _, part := range parts {
			if r.Partition == part.Partition && r.Offset >= part.From && r.Offset < part.To && r.Offset%2 == 1 && r.Offset != 15 {
				want = append(want, r)
			}
		}
	}
	onceInOrder(t, j.noted(), want)
	all := total(source)
	failed := []replay.Failure{{Topic: l.topic, Partition: 0, Offset: 11, Class: record.ClassPermanent}}
	if all.Done != int64(len(want)-2) || all.Passed["even"] != 10 || all.Skipped["policy"] != 1 || !slices.Equal(all.Failures, failed) || all.GivenUp() != 1 {
		t.Errorf("got %+v, want %d done, 10 even ones passed, one skipped, and one given up: %v", all, len(want)-2, failed)
	}
	if !source.Complete() {
		t.Errorf("got %+v, want all parts complete", source.Standings())
	}
}

func TestWhoGoesOnWithTheRestOfAStoppedSourceRepeatsNothing(t *testing.T) {
	t.Parallel()
	l := newLog(t, 1000)
	var j journal
	parts := l.parts(t)
	stops := 0
	for complete := false; !complete; stops++ {
		enough := len(j.noted()) + 700
		source := replay.NewSource(replay.Settings{Reader: l.reader, Parts: parts, BatchRecords: 40})
		stop := sync.OnceFunc(func() { go func() { _ = source.Close() }() })
		run(t, l, source, func(_ context.Context, r *record.Record) error {
			if r.Offset%50 == 7 && j.tried(r.Position) < 3 {
				return errors.New("not yet")
			}
			j.note(r.Position)
			if len(j.noted()) >= enough {
				stop()
			}
			return nil
		})
		complete = source.Complete()
		for i, at := range source.Standings() {
			parts[i] = at.Rest()
		}
	}
	onceInOrder(t, j.noted(), l.records)
	if stops < 3 {
		t.Errorf("got %d runs, want several: the test stops too late", stops)
	}
}

func TestSourceThatCannotReadEndsWithTheError(t *testing.T) {
	t.Parallel()
	l := newLog(t, 10)
	source := replay.NewSource(replay.Settings{Reader: l.reader, Parts: []replay.Part{{Topic: l.topic, Partition: partitions + 4, To: 10}}})
	run(t, l, source, func(context.Context, *record.Record) error { return nil })
	if source.Err() == nil || source.Complete() {
		t.Errorf("got error %v, want one that names the partition", source.Err())
	}
}

func TestPaceBoundsWhatIsHandedOver(t *testing.T) {
	t.Parallel()
	l := newLog(t, 20)
	const perSecond = 200
	source := replay.NewSource(replay.Settings{Reader: l.reader, Parts: l.parts(t), Pace: replay.NewPace(perSecond)})
	var j journal
	began := time.Now()
	run(t, l, source, func(_ context.Context, r *record.Record) error {
		j.note(r.Position)
		return nil
	})
	onceInOrder(t, j.noted(), l.records)
	// The last batch goes at its turn, and nobody's turn comes early, however busy the machine is.
	if took, least := time.Since(began), time.Duration(len(l.records)-perSecond/10)*time.Second/perSecond; took < least {
		t.Errorf("%d records took %s, want at least %s", len(l.records), took, least)
	}
}
