package router_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/router/routertest"
)

// BenchmarkWalk is what one record costs from the batch to its outcome: message, middlewares, decoding, dispatch, a function that does nothing.
func BenchmarkWalk(b *testing.B) {
	const size = 512
	nothing := func(context.Context, messages.Event[messages.AppointmentEvent]) error { return nil }
	consumer, err := router.Consume("bench", router.On(messages.AppointmentCreated, nothing))
	if err != nil {
		b.Fatal(err)
	}
	made, err := router.New(router.Settings{
		DeadLetters: &flakyLetters{}, Types: messages.Types(),
		Observe: func(router.Handler) router.Observer {
			return router.Observer{Tried: func(time.Duration, record.Result) {}, Ended: func(*record.Record, record.Result) {}}
		},
	}, watermill.NopLogger{})
	if err != nil {
		b.Fatal(err)
	}
	walker, err := made.Walker(consumer, router.ConsumerSettings{})
	if err != nil {
		b.Fatal(err)
	}
	records := make([]*record.Record, size)
	for i := range records {
		records[i] = routertest.Record(b, messages.AppointmentCreated, appointment(fmt.Sprintf("a-%d", i)))
		records[i].Offset = int64(i)
		records[i].Headers = []record.Header{
			{Key: "__TypeId__", Value: []byte("com.example.events.AppointmentEvent")},
			{Key: "traceparent", Value: []byte("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")},
		}
	}
	results := make([]record.Outcome, size)
	batch := &record.Batch{
		Records: records, Stopping: make(chan struct{}), Side: func() {},
		Report: func(i int, result record.Result) { results[i] = result.Outcome },
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := walker.Walk(context.Background(), batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/size, "ns/record")
	for i, outcome := range results {
		if outcome != record.Done {
			b.Fatalf("record %d ended as %s, want done", i, outcome)
		}
	}
}
