package handlers_test

import (
	"fmt"
	"testing"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router/routertest"
)

// BenchmarkConsumers is batches of 256 records through a whole consumer: decode, chain, function, unit of work, commit to disk. A domain
// consumer reads and writes the state of one of 10,000 entities for each record. events/s is what to look at.
func BenchmarkConsumers(b *testing.B) {
	for _, consumer := range []string{"orders", "notification", "analytics", "logging", "archive"} {
		b.Run(consumer, func(b *testing.B) {
			const size, entities = 256, 10_000
			p := setup(b, options{})
			made := make([]*record.Record, entities)
			for i := range made {
				made[i] = routertest.Record(b, messages.OrderUpdated, benchmarkOrder(i))
			}
			batch := make([]*record.Record, size)
			b.ReportAllocs()
			b.ResetTimer()
			for n := range b.N {
				for i := range batch {
					batch[i] = made[(n*size+i)*7919%entities]
				}
				for i, result := range p.deliver(consumer, batch...) {
					if result.Outcome != record.Done {
						b.Fatalf("record %d: got %s of class %q, want done", i, result.Outcome, result.Class)
					}
				}
			}
			b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

func benchmarkOrder(number int) messages.OrderEvent {
	return messages.OrderEvent{
		OrderID: fmt.Sprintf("ord-%d", number), PatientID: "pat-1042", PharmacyID: "ph-3", TotalPrice: messages.NumberOf(149.99), Status: "processing",
		Items: []messages.OrderItemEvent{{ProductID: "p-amox-500", Quantity: 2, Price: messages.NumberOf(62.5)}},
	}
}
