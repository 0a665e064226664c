package main_test

import (
	"fmt"
	"path/filepath"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/IBM/sarama"

	bench "github.com/prantikov/millrace/bench"
	"github.com/prantikov/millrace/config"
	"github.com/prantikov/millrace/handlers"
	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/replay/state"
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/store"
	"github.com/prantikov/millrace/store/storetest"
)

// What is measured: a topic of 1,000,000 events of 10,000 appointments in six partitions, on the embedded broker in a process of its own, or on the
// one that MILLRACE_TEST_BROKERS names.
const (
	stateRecords    = 1_000_000
	stateEntities   = 10_000
	statePartitions = 6
	stateRounds     = 3
)

// BenchmarkStateFold compares the states that a topic comes to, made by the consumer's functions in memory, with a raw loop of sarama that only
// decodes, in the same run and in turns. It is run with -benchtime 1x.
func BenchmarkStateFold(b *testing.B) {
	defer debug.SetGCPercent(debug.SetGCPercent(200)) // as the binary has it, for both
	in := stateInput(b, stateRecords)
	var ratios, costs []float64
	var best [2]float64
	for range b.N * stateRounds {
		raw, rawCPU := measured(b, func() int64 { return decodeRaw(b, in) })
		fold, foldCPU := measured(b, func() int64 { return foldAll(b, in) })
		ratios, costs = append(ratios, fold/raw), append(costs, foldCPU/rawCPU)
		best[0], best[1] = max(best[0], raw), max(best[1], fold)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(best[0], "raw/s")
	b.ReportMetric(best[1], "fold/s")
	b.ReportMetric(middle(ratios), "×raw")
	b.ReportMetric(middle(costs), "×raw-CPU")
}

// BenchmarkStateMemory is the largest live heap of a fold of a fifth of the records and of all of them: it must not grow with the log.
func BenchmarkStateMemory(b *testing.B) {
	short, long := stateInput(b, stateRecords/5), stateInput(b, stateRecords)
	for range b.N {
		before, after := liveHeap(func() { foldAll(b, short) }), liveHeap(func() { foldAll(b, long) })
		b.ReportMetric(float64(before)/(1<<20), "MiB-short")
		b.ReportMetric(float64(after)/(1<<20), "MiB-long")
		b.ReportMetric(float64(after)/float64(before), "×short")
	}
	b.ReportMetric(0, "ns/op")
}

// BenchmarkStateRebuild compares tables with history that are rebuilt from the log with the bare statements of as large batches, which read no log,
// decode nothing and ask for no state.
func BenchmarkStateRebuild(b *testing.B) {
	const records = stateRecords / 5
	in := stateInput(b, records)
	var ratios []float64
	var best [2]float64
	for range b.N * stateRounds {
		bare := newBare(b)
		rows := durableRecords(b, 0)
		bareRate, _ := measured(b, func() int64 {
			for range records / durableBatch {
				bare(rows)
			}
			return records / durableBatch * durableBatch
		})
		rebuilt, _ := measured(b, func() int64 { return rebuildAll(b, in) })
		ratios = append(ratios, rebuilt/bareRate)
		best[0], best[1] = max(best[0], bareRate), max(best[1], rebuilt)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(best[0], "bare/s")
	b.ReportMetric(best[1], "rebuilt/s")
	b.ReportMetric(middle(ratios), "×bare")
}

func middle(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

func stateInput(b *testing.B, records int) *bench.StateInput {
	b.Helper()
	in, err := bench.WriteStateInput(b.Context(), "", fmt.Sprintf("%s-%d", strings.ToLower(b.Name()), records), records, stateEntities, statePartitions)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(in.Close)
	return in
}

// measured is how many records a second that came to, and how much processor time each took, in microseconds.
func measured(b *testing.B, work func() int64) (rate, cpu float64) {
	b.Helper()
	began, used := time.Now(), bench.ProcessorTime()
	records := work()
	took := time.Since(began)
	return float64(records) / took.Seconds(), float64((bench.ProcessorTime() - used).Microseconds()) / float64(records)
}

// decodeRaw reads each partition by a consumer of sarama and decodes each value.
func decodeRaw(b *testing.B, in *bench.StateInput) int64 {
	b.Helper()
	consumer, err := sarama.NewConsumer(in.Brokers, bench.RawConsumer())
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = consumer.Close() }()
	var reading sync.WaitGroup
	total := int64(0)
	for partition, end := range in.Ends {
		if total += end; end == 0 {
			continue
		}
		from, err := consumer.ConsumePartition(in.Topic, int32(partition), sarama.OffsetOldest)
		if err != nil {
			b.Fatal(err)
		}
		reading.Go(func() {
			defer from.AsyncClose()
			for m := range from.Messages() {
				if _, err := messages.Appointments.Decode(m.Value); err != nil {
					b.Error(err)
				}
				if m.Offset == end-1 {
					return
				}
			}
		})
	}
	reading.Wait()
	return total
}

// appointments is the consumer as it stands in the list.
func appointments(b *testing.B, in *bench.StateInput) state.Entities {
	b.Helper()
	consumers, err := handlers.Consumers(handlers.Dependencies{})
	if err != nil {
		b.Fatal(err)
	}
	made, err := router.New(router.Settings{
		Topics: map[string]router.TopicSettings{messages.Appointments.Topic(): {Name: in.Topic}}, Types: messages.Types(), DeadLetters: state.GivenUp{},
	}, nil)
	if err != nil {
		b.Fatal(err)
	}
	at := slices.IndexFunc(consumers, func(c *router.Consumer) bool { return c.Name() == "appointments" })
	return state.Entities{Consumer: "appointments", Topic: state.Topic{
		Name: in.Topic, Type: messages.Appointments,
		Walker: func(unit router.UnitOfWork) (*router.Walker, error) {
			return made.Walker(consumers[at].In(unit), router.ConsumerSettings{})
		},
	}}
}

func logReader(b *testing.B, in *bench.StateInput) *kafka.Reader {
	b.Helper()
	settings := config.Default().Kafka
	settings.Brokers = in.Brokers
	reader, err := kafka.NewReader(b.Context(), settings)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = reader.Close() })
	return reader.Fetching(state.FetchBytes)
}

func foldAll(b *testing.B, in *bench.StateInput) int64 {
	b.Helper()
	states, tally, err := state.Fold(b.Context(), logReader(b, in), appointments(b, in).Topic, nil)
	if err != nil {
		b.Fatal(err)
	}
	if tally.Done != tally.Records || states.Len() != stateEntities {
		b.Fatalf("got %+v and %d entities, want all done and %d", tally, states.Len(), stateEntities)
	}
	return tally.Records
}

// rebuildAll rebuilds the tables of a consumer that has finished everything.
func rebuildAll(b *testing.B, in *bench.StateInput) int64 {
	b.Helper()
	live, err := store.Open(b.Context(), storetest.Place(b, filepath.Join(b.TempDir(), "rebuild")), nil)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = live.Close() }()
	finished := map[int32]int64{}
	for partition, end := range in.Ends {
		finished[int32(partition)] = end
		first := &record.Record{Position: record.Position{Topic: in.Topic, Partition: int32(partition)}}
		work, err := live.UnitOfWork("appointments", store.Options{}).Begin(b.Context(), "claim", []*record.Record{first})
		if err != nil {
			b.Fatal(err)
		}
		_ = work.Rollback()
	}
	if err := live.GoOn(b.Context(), "appointments", in.Topic, finished, nil); err != nil {
		b.Fatal(err)
	}
	beside, err := live.Beside(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = beside.Drop(b.Context()) }()
	rebuild, err := state.NewRebuild(state.Rebuilding{
		Log: logReader(b, in), Live: live, Beside: beside, Entities: []state.Entities{appointments(b, in)},
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := rebuild.Run(b.Context()); err != nil {
		b.Fatal(err)
	}
	tally := rebuild.Tally("appointments")
	if tally.Done != tally.Records {
		b.Fatalf("got %+v, want all done", tally)
	}
	return tally.Records
}

// liveHeap is the largest heap that a collection has found alive while the work ran.
func liveHeap(work func()) uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	done, largest := make(chan struct{}), make(chan uint64)
	go func() {
		peak := uint64(0)
		ticker := time.NewTicker(5 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				metrics.Read(sample)
				peak = max(peak, sample[0].Value.Uint64())
			case <-done:
				largest <- peak
				return
			}
		}
	}()
	work()
	close(done)
	return <-largest
}
