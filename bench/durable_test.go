package main_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/prantikov/millrace/handlers"
	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/store"
	"github.com/prantikov/millrace/store/storetest"
)

// What is measured: batches of 256 order events of 10,000 orders, each with the order's state, its history and the progress row, durable on
// the disk before the next batch begins.
const (
	durableBatch    = 256
	durableEntities = 10_000
	durableBatches  = 40
	durableRounds   = 5
)

// BenchmarkDurable compares the orders consumer, with decoding, the chain, the reading of states, and the unit of work, with the bare statements of
// the same batches, in the same run and in turns; and itself with 1 % of the records failing. The database is a file, or the PostgreSQL that
// MILLRACE_TEST_POSTGRES names. It is run with -benchtime 1x.
func BenchmarkDurable(b *testing.B) {
	bare, whole, failing := newBare(b), newOrders(b), newOrders(b)
	good, bad := durableRecords(b, 0), durableRecords(b, 100)
	var ratios, costs []float64
	var best [3]float64
	for range b.N * durableRounds {
		rates := [3]float64{
			rate(b, func() { bare(good) }),
			rate(b, func() { whole.deliver(b, good, false) }),
			rate(b, func() { failing.deliver(b, bad, true) }),
		}
		ratios, costs = append(ratios, rates[1]/rates[0]), append(costs, 1-rates[2]/rates[1])
		for i, rate := range rates {
			best[i] = max(best[i], rate)
		}
	}
	slices.Sort(ratios)
	slices.Sort(costs)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(best[0], "bare/s")
	b.ReportMetric(best[1], "handlers/s")
	b.ReportMetric(best[2], "failing/s")
	b.ReportMetric(ratios[len(ratios)/2], "×bare")
	b.ReportMetric(100*costs[len(costs)/2], "%cost-of-1%-failing")
}

// rate is how many events a second the batches of a round came to.
func rate(b *testing.B, batch func()) float64 {
	b.Helper()
	began := time.Now()
	for range durableBatches {
		batch()
	}
	return durableBatch * durableBatches / time.Since(began).Seconds()
}

// durableRecords are one for each order; each so-manieth is cut off, which no consumer can read.
func durableRecords(b *testing.B, every int) []*record.Record {
	b.Helper()
	records := make([]*record.Record, durableEntities)
	for i := range records {
		event := messages.OrderEvent{
			OrderID: fmt.Sprintf("ord-%d", i), PatientID: "pat-1042", PharmacyID: "ph-3", TotalPrice: messages.NumberOf(149.99), Status: "processing",
			Items: []messages.OrderItemEvent{{ProductID: "p-amox-500", Quantity: 2, Price: messages.NumberOf(62.5)}},
		}
		key, value, err := messages.OrderUpdated.Encode(event)
		if err != nil {
			b.Fatal(err)
		}
		if every > 0 && i%every == 0 {
			value = bytes.TrimSuffix(value, []byte("}"))
		}
		records[i] = &record.Record{Position: record.Position{Topic: "order-events"}, Key: key, Value: value, Timestamp: time.UnixMilli(1_700_000_000_000)}
	}
	return records
}

// chosen is the record of a place in the log: the orders come in an order that is none.
func chosen(records []*record.Record, offset int64) *record.Record {
	placed := *records[offset*7919%durableEntities]
	placed.Offset = offset
	return &placed
}

// orders is the consumer of orders as it stands in the list, without brokers.
type orders struct {
	walker *router.Walker
	next   int64
}

func newOrders(b *testing.B) *orders {
	b.Helper()
	directory := b.TempDir()
	opened, err := store.Open(b.Context(), storetest.Place(b, directory), nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = opened.Close() })
	consumers, err := handlers.Consumers(handlers.Dependencies{Store: func() *store.Store { return opened }, DataDir: directory})
	if err != nil {
		b.Fatal(err)
	}
	made, err := router.New(router.Settings{DeadLetters: taken{}, Types: messages.Types()}, nil)
	if err != nil {
		b.Fatal(err)
	}
	at := slices.IndexFunc(consumers, func(c *router.Consumer) bool { return c.Name() == "orders" })
	walker, err := made.Walker(consumers[at], router.ConsumerSettings{})
	if err != nil {
		b.Fatal(err)
	}
	return &orders{walker: walker}
}

// taken are dead letters that are acknowledged at once: what Kafka takes for them is measured elsewhere.
type taken struct{}

func (taken) Write(context.Context, record.Letter) error { return nil }

// deliver hands over the next batch and wants each record done, but for those that cannot be read.
func (o *orders) deliver(b *testing.B, records []*record.Record, failing bool) {
	b.Helper()
	batch := &record.Batch{Claim: "claim", Stopping: make(chan struct{})}
	for range durableBatch {
		batch.Records = append(batch.Records, chosen(records, o.next))
		o.next++
	}
	ended := map[record.Outcome]int{}
	batch.Report = func(_ int, result record.Result) { ended[result.Outcome]++ }
	if err := o.walker.Walk(b.Context(), batch); err != nil {
		b.Fatal(err)
	}
	if letters := ended[record.DeadLettered]; ended[record.Done]+letters != durableBatch || letters > 0 && !failing {
		b.Fatalf("got %v, want %d records done", ended, durableBatch)
	}
}
