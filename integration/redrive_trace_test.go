//go:build unix

package integration_test

import (
	"slices"
	"syscall"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/prantikov/millrace/tracing/tracingtest"
)

// Ensure one trace goes from the tries of a record through its dead letter to the try of what comes back, also when the record brought none.
func TestOneTraceThroughARedrive(t *testing.T) {
	t.Parallel()
	for name, headers := range map[string][]kgo.RecordHeader{
		"from the W3C's header":        {{Key: "traceparent", Value: []byte("00-" + traceOfRecord + "-" + parentOfRecord + "-01")}},
		"of a record that brings none": nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			collector := tracingtest.Start(t)
			p := carelessPlatform(t, tracing(collector))
			p.careless(t, "topics", "apply").ends(0)
			id := "ord-" + p.word + "-failed"
			p.produce(t, &kgo.Record{Topic: "order-events", Key: []byte(id), Value: order(id), Headers: headers, Timestamp: now()})
			run := p.careless(t, "run", "--consumers", "careless")
			letters := p.topics["order-events"] + "-dlt"
			eventually(t, "it is a dead letter", func() bool { return len(p.broker.read(t, letters)) == 1 || !run.running() })
			p.careless(t, "dlq", "redrive", "--consumer", "careless", "--execute").ends(0)
			home := "process " + p.groups["careless"] + "-redrive"
			eventually(t, "it came back and is done", func() bool {
				return !run.running() || slices.ContainsFunc(collector.Spans(), func(span tracingtest.Span) bool { return span.Name == home })
			})
			run.signal(syscall.SIGTERM)
			run.ends(0)

			spans := collector.Spans()
			if len(spans) != 6 {
				t.Errorf("got %d spans, want four tries, the sending of the dead letter and the try of what came back", len(spans))
			}
			for _, span := range spans {
				if span.Trace != spans[0].Trace || headers != nil && span.Trace != traceOfRecord {
					t.Errorf("got %s in trace %s, want all in one", span.Name, span.Trace)
				}
				if span.Name != home {
					continue
				}
				if span.Attributes["millrace.outcome"] != "done" || span.Attributes["millrace.original"] == "" || span.Attributes["millrace.dead_letter"] == "" {
					t.Errorf("got attributes %v, want a try that is done, of a record and its dead letter", span.Attributes)
				}
			}
		})
	}
}
