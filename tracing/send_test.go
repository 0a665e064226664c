package tracing_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/tracing"
)

func contains(text, part string) bool { return strings.Contains(text, part) }

// sender takes dead letters, or refuses them.
type sender struct {
	letters []record.Letter
	refuse  error
}

func (s *sender) Write(_ context.Context, letter record.Letter) error {
	s.letters = append(s.letters, letter)
	return s.refuse
}

func TestSentRecordCarriesItsSpan(t *testing.T) {
	t.Parallel()
	shared := make([]record.Header, 1, 8)
	shared[0] = record.Header{Key: "content-type", Value: []byte("application/json")}
	first, second := order(), order()
	first.Headers, second.Headers = shared, shared
	spans := exported(t, 1, func(traced *tracing.Tracing) {
		for _, r := range []*record.Record{first, second} {
			_, end := traced.Send(t.Context(), r)
			end(record.Position{Topic: r.Topic, Partition: 2, Offset: 99}, nil)
			try(t, traced, r, 1, router.Tried{Outcome: record.Done})
		}
	})
	if len(spans) != 4 {
		t.Fatalf("got %d spans, want 4", len(spans))
	}
	for i, r := range []*record.Record{first, second} {
		sent, handled := spans[2*i], spans[2*i+1]
		if sent.Name != "send order-events" || sent.Kind != "producer" || sent.Attributes["messaging.kafka.offset"] != "99" || sent.Attributes["messaging.destination.partition.id"] != "2" {
			t.Errorf("got %+v, want the sending with its position", sent)
		}
		value, _ := r.Header("traceparent")
		if want := "00-" + sent.Trace + "-" + sent.ID + "-01"; string(value) != want || len(r.Headers) != 2 {
			t.Errorf("got traceparent %q among %d headers, want %q appended to the one", value, len(r.Headers), want)
		}
		if handled.Trace != sent.Trace || handled.Parent != sent.ID {
			t.Errorf("got the try in trace %s with parent %s, want %s with %s", handled.Trace, handled.Parent, sent.Trace, sent.ID)
		}
	}
	if spans[0].Trace == spans[2].Trace {
		t.Error("got both sendings in one trace, want two")
	}
}

func TestSentRecordWithATraceKeepsItsHeaders(t *testing.T) {
	t.Parallel()
	for _, headers := range [][]string{
		{"traceparent", "00-" + trace128 + "-" + parent + "-01"}, {"b3", trace128 + "-" + parent + "-1"},
	} {
		r := order(headers...)
		spans := exported(t, 0, func(traced *tracing.Tracing) {
			_, end := traced.Send(t.Context(), r)
			end(r.Position, nil)
		})
		if len(r.Headers) != 1 || string(r.Headers[0].Value) != headers[1] {
			t.Errorf("got headers %v, want them as they were", r.Headers)
		}
		if len(spans) != 1 || spans[0].Trace != trace128 || spans[0].Parent != parent {
			t.Errorf("got %+v, want one sending in the record's trace", spans)
		}
	}
}

func TestSentRecordThatIsNotSampledSaysSo(t *testing.T) {
	t.Parallel()
	r := order()
	spans := exported(t, 0, func(traced *tracing.Tracing) {
		_, end := traced.Send(t.Context(), r)
		end(r.Position, nil)
	})
	value, _ := r.Header("traceparent")
	if len(spans) != 0 || !strings.HasSuffix(string(value), "-00") {
		t.Errorf("got %d spans and traceparent %q, want none and one that is not sampled", len(spans), value)
	}
}

func TestFailedSendingHasAClassAndNoText(t *testing.T) {
	t.Parallel()
	refused := errors.New("refused for " + canary)
	spans := exported(t, 1, func(traced *tracing.Tracing) {
		_, end := traced.Send(t.Context(), order())
		end(record.Position{Partition: -1, Offset: -1}, refused)
		if err := traced.DeadLetters(&sender{refuse: refused}, "-dlt").Write(t.Context(), record.Letter{Record: order()}); !errors.Is(err, refused) {
			t.Errorf("got %v, want the error of the writing", err)
		}
	})
	if len(spans) != 2 {
		t.Fatalf("got %d spans, want 2", len(spans))
	}
	for _, span := range spans {
		if !span.Failed || span.Status != "not_published" || span.Attributes["error.type"] != "not_published" {
			t.Errorf("got %+v, want it failed as not_published", span)
		}
	}
}

// Ensure a program that has a provider of its own gets its spans there.
func TestSpansOfSomebodyElsesProvider(t *testing.T) {
	t.Parallel()
	recorder := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))
	traced := tracing.Over(provider)
	r := order()
	ctx, span := provider.Tracer("theirs").Start(t.Context(), "request")
	_, end := traced.Send(ctx, r)
	end(r.Position, nil)
	span.End()
	if err := traced.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	ended := recorder.Ended()
	if len(ended) != 2 || ended[0].Name() != "send order-events" || ended[0].Parent().SpanID() != span.SpanContext().SpanID() {
		t.Errorf("got %d spans, want the sending as a child of the request", len(ended))
	}
}
