package tracing_test

import (
	"maps"
	"testing"

	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/tracing"
	"github.com/prantikov/millrace/tracing/tracingtest"
)

func TestSpanOfATry(t *testing.T) {
	t.Parallel()
	always := map[string]string{
		"messaging.system": "kafka", "messaging.operation.name": "process", "messaging.operation.type": "process",
		"messaging.destination.name": "order-events", "messaging.destination.partition.id": "3", "messaging.kafka.offset": "17",
		"messaging.consumer.group.name": "orders-group", "millrace.consumer": "orders",
	}
	tests := map[string]struct {
		attempt int
		value   []byte
		tried   router.Tried
		more    map[string]string
		status  string
	}{
		"a try that is done": {
			attempt: 1, value: []byte("{}"), tried: router.Tried{Action: "shipped", Function: "handlers.orders.shipped", Outcome: record.Done},
			more: map[string]string{"millrace.attempt": "1", "millrace.outcome": "done", "millrace.action": "shipped", "code.function.name": "handlers.orders.shipped"},
		},
		"a try that fails": {
			attempt: 2, value: []byte("{}"), tried: router.Tried{Outcome: record.Parked, Failure: "timeout"},
			more: map[string]string{"millrace.attempt": "2", "millrace.outcome": "parked", "error.type": "timeout"}, status: "timeout",
		},
		"a tombstone": {
			attempt: 1, tried: router.Tried{Outcome: record.DeadLettered, Failure: "tombstone"},
			more: map[string]string{"millrace.attempt": "1", "millrace.outcome": "dead_letter", "error.type": "tombstone",
				"messaging.kafka.message.tombstone": "true"}, status: "tombstone",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spans := exported(t, 1, func(traced *tracing.Tracing) {
				r := order("x-patient", canary)
				r.Value = test.value
				try(t, traced, r, test.attempt, test.tried)
			})
			if len(spans) != 1 {
				t.Fatalf("got %d spans, want 1", len(spans))
			}
			got, want := spans[0], maps.Clone(always)
			maps.Copy(want, test.more)
			if got.Name != "process order-events" || got.Kind != "consumer" || got.Service != "millrace-test" {
				t.Errorf("got span %q of kind %s by %s, want process order-events of kind consumer by millrace-test", got.Name, got.Kind, got.Service)
			}
			if !maps.Equal(got.Attributes, want) {
				t.Errorf("got attributes\n%v, want\n%v", got.Attributes, want)
			}
			if got.Failed != (test.status != "") || got.Status != test.status {
				t.Errorf("got status %q, failed %t, want %q", got.Status, got.Failed, test.status)
			}
		})
	}
}

// Ensure the fan-out, all tries, what a restart repeats, and the dead letter of a record are in one trace, also when it brought none.
func TestOneTraceOfARecord(t *testing.T) {
	t.Parallel()
	const trace = "0af7651916cd43dd8448eb211c80319c"
	tests := map[string]struct {
		headers       []string
		trace, parent string
	}{
		"a trace of the producer": {[]string{"traceparent", "00-" + trace + "-b7ad6b7169203331-01"}, trace, "b7ad6b7169203331"},
		"none":                    {nil, "", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var spans []tracingtest.Span
			for range 2 { // two runs of the program
				spans = append(spans, exported(t, 1, func(traced *tracing.Tracing) {
					r := order(test.headers...)
					try(t, traced, r, 1, router.Tried{Outcome: record.Parked, Failure: "failed"})
					giveUp(t, traced, r)
					other := handler
					other.Consumer = "logging"
					_, end := traced.Process(other)(t.Context(), r, 1)
					end(router.Tried{Outcome: record.Done})
				})...)
			}
			if len(spans) != 8 {
				t.Fatalf("got %d spans, want 4 of each run: two tries, a dead letter, another consumer", len(spans))
			}
			byID := map[string]tracingtest.Span{}
			for _, span := range spans {
				byID[span.ID] = span
			}
			for _, span := range spans {
				if span.Trace != spans[0].Trace || test.trace != "" && span.Trace != test.trace {
					t.Errorf("got %s in trace %s, want all in one, that of the record", span.Name, span.Trace)
				}
				if span.Name == "send order-events-dlt" {
					if parent := byID[span.Parent]; parent.Attributes["millrace.attempt"] != "2" || span.Kind != "producer" {
						t.Errorf("got the dead letter as %s of %q, want it as producer of the last try", span.Kind, parent.Name)
					}
				} else if span.Parent != test.parent {
					t.Errorf("got parent %q of %s, want %q", span.Parent, span.Name, test.parent)
				}
			}
		})
	}
}

// giveUp makes the spans of a last try and of the dead letter.
func giveUp(t *testing.T, traced *tracing.Tracing, r *record.Record) {
	t.Helper()
	sent := &sender{}
	ctx, end := traced.Process(handler)(t.Context(), r, 2)
	if err := traced.DeadLetters(sent, "-dlt").Write(ctx, record.Letter{Record: r}); err != nil {
		t.Error(err)
	}
	end(router.Tried{Outcome: record.DeadLettered, Failure: "failed"})
	if len(sent.letters) != 1 || len(sent.letters[0].Record.Headers) != len(r.Headers) {
		t.Errorf("got dead letters %v, want the one with the record's own headers", sent.letters)
	}
}

// Ensure records of other places, or the same place at another time, are in other traces.
func TestRecordsHaveTracesOfTheirOwn(t *testing.T) {
	t.Parallel()
	changes := []func(*record.Record){
		func(*record.Record) {},
		func(r *record.Record) { r.Topic = "other-events" },
		func(r *record.Record) { r.Partition++ },
		func(r *record.Record) { r.Offset++ },
		func(r *record.Record) { r.Timestamp = r.Timestamp.AddDate(0, 0, 1) },
	}
	spans := exported(t, 1, func(traced *tracing.Tracing) {
		for _, change := range changes {
			r := order()
			change(r)
			try(t, traced, r, 1, router.Tried{})
		}
	})
	traces := map[string]bool{}
	for _, span := range spans {
		traces[span.Trace] = true
	}
	if len(traces) != len(changes) {
		t.Errorf("got %d traces, want %d", len(traces), len(changes))
	}
}

// Ensure what a dead letter waits for is no try.
func TestALetterAloneIsNoTry(t *testing.T) {
	t.Parallel()
	spans := exported(t, 1, func(traced *tracing.Tracing) {
		ctx, end := traced.Process(handler)(t.Context(), order(), 0)
		if err := traced.DeadLetters(&sender{}, "-dlt").Write(ctx, record.Letter{Record: order()}); err != nil {
			t.Error(err)
		}
		end(router.Tried{Outcome: record.DeadLettered})
		try(t, traced, order(), 1, router.Tried{})
	})
	if len(spans) != 2 || spans[0].Name != "send order-events-dlt" || spans[0].Trace != spans[1].Trace {
		t.Errorf("got %+v, want the sending alone, in the record's trace", spans)
	}
}
