package store_test

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/store"
)

// BenchmarkBatch is batches of 256 records through a unit of work: each record reads and writes its entity's state, and the progress row
// is written with them. events/s is what to look at.
func BenchmarkBatch(b *testing.B) {
	const size, entities = 256, 10_000
	for _, kind := range []string{"state", "state and count", "line"} {
		b.Run(kind, func(b *testing.B) {
			s := openStore(b, newPlace(b))
			unit := s.UnitOfWork("orders", store.Options{})
			if kind == "line" {
				unit = s.FileUnitOfWork("orders", b.TempDir(), store.Options{})
			}
			b.ResetTimer()
			for batch := range int64(b.N) {
				var offsets []int64
				for i := range int64(size) {
					offsets = append(offsets, batch*size+i)
				}
				records := orders(0, offsets...)
				for _, r := range records {
					r.Key = []byte("order-" + strconv.FormatInt(r.Offset*7919%entities, 10))
				}
				work := begin(b, unit, "claim", records)
				ctx := work.Context(b.Context())
				for _, r := range records {
					work.Mark()
					if err := benchmarkEffect(ctx, kind, r); err != nil {
						b.Fatal(err)
					}
					work.Finish(r, record.Done)
				}
				commit(b, work)
			}
			b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// benchmarkEffect reads and writes the entity's state, as the domain consumers do, or appends a line, as a file sink does.
func benchmarkEffect(ctx context.Context, kind string, r *record.Record) error {
	body := []byte(`{"orderId":"order-1","note":"` + strings.Repeat("x", 180) + `"}`)
	if kind == "line" {
		return store.Lines(ctx).Append("all.jsonl", body)
	}
	states := store.States(ctx)
	if _, _, err := states.Get("OrderEvent", string(r.Key)); err != nil {
		return err
	}
	states.Put(store.State{
		Type: "OrderEvent", ID: string(r.Key), Status: "shipped", Action: "shipped", Body: body,
		Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Timestamp: r.Timestamp,
	})
	if kind == "state and count" {
		return store.Counters(ctx).Add("2024-12-25", r.Topic, "shipped", "shipped", 1)
	}
	return nil
}
