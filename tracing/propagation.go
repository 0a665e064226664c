package tracing

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"strings"

	"go.opentelemetry.io/contrib/propagators/b3"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/prantikov/millrace/record"
)

// traceparent is the header of the W3C that we write.
const traceparent = "traceparent"

// carriedIn are the headers in which a record can bring its trace: the W3C's, and those of Zipkin that older services send. No other header is
// looked at: tracestate and baggage may hold anything, a patient too, and would leave with our spans.
var carriedIn = [...]string{traceparent, "b3", "x-b3-traceid", "x-b3-spanid", "x-b3-sampled", "x-b3-flags", "x-b3-parentspanid"}

// headers shows a record's headers to OpenTelemetry.
type headers struct{ record *record.Record }

// Get implements OpenTelemetry's TextMapCarrier: the last header of the name counts, in whatever case. A producer that serialises its headers
// to JSON puts quotes around them.
func (h headers) Get(name string) string {
	if !isCarrier(name) {
		return ""
	}
	for i := len(h.record.Headers) - 1; i >= 0; i-- {
		if strings.EqualFold(h.record.Headers[i].Key, name) {
			return strings.Trim(string(h.record.Headers[i].Value), `"`)
		}
	}
	return ""
}

// Set implements OpenTelemetry's TextMapCarrier.
func (h headers) Set(name, value string) {
	if name == traceparent {
		// What others share is not written to.
		kept := h.record.Headers[:len(h.record.Headers):len(h.record.Headers)]
		h.record.Headers = append(kept, record.Header{Key: name, Value: []byte(value)})
	}
}

// Keys implements OpenTelemetry's TextMapCarrier.
func (h headers) Keys() []string { return carriedIn[:] }

func isCarrier(name string) bool {
	for _, known := range carriedIn {
		if strings.EqualFold(known, name) {
			return true
		}
	}
	return false
}

// Carries says whether the record brings a trace that can be continued.
func Carries(r *record.Record) bool {
	_, carried := brought(context.Background(), r)
	return carried
}

// brought returns the context with the span in which the record was sent, as its headers have it.
func brought(ctx context.Context, r *record.Record) (context.Context, bool) {
	if len(r.Headers) == 0 {
		return ctx, false
	}
	carrier := headers{r}
	if found := (propagation.TraceContext{}).Extract(ctx, carrier); hasNewSpan(ctx, found) {
		return found, true
	}
	zipkin := b3.New()
	found := zipkin.Extract(ctx, carrier)
	if !hasNewSpan(ctx, found) {
		return ctx, false
	}
	if undecided(zipkin, found) {
		found = context.WithValue(found, undecidedKey{}, true)
	}
	return found, true
}

func hasNewSpan(before, after context.Context) bool {
	found := trace.SpanContextFromContext(after)
	return found.IsValid() && !found.Equal(trace.SpanContextFromContext(before))
}

// undecided says whether the sender left the sampling to us. The library knows, but shows it only in what it would write.
func undecided(zipkin propagation.TextMapPropagator, ctx context.Context) bool {
	written := propagation.MapCarrier{}
	zipkin.Inject(ctx, written)
	return strings.Count(written["b3"], "-") == 1
}

// traceOf returns a context with the trace of a record: the one that it brings, else the one of the context, else one that its position and
// time make. So all consumers of a record, its retries, what a restart repeats of it and its dead letter are in one trace, without a header
// more: the dead letter has the position where the record first stood.
func traceOf(ctx context.Context, r *record.Record) context.Context {
	if found, carried := brought(ctx, r); carried {
		return found
	}
	if trace.SpanContextFromContext(ctx).IsValid() {
		return ctx
	}
	return context.WithValue(ctx, derivedKey{}, derived(r))
}

// derived is the id of the trace of a record that brought none. Key and value are not in it: who knows how it is made could try which patient
// fits.
func derived(r *record.Record) trace.TraceID {
	place := append([]byte(r.Topic), 0)
	place = binary.BigEndian.AppendUint32(place, uint32(r.Partition))
	place = binary.BigEndian.AppendUint64(place, uint64(r.Offset))
	place = binary.BigEndian.AppendUint64(place, uint64(r.Timestamp.UnixMilli()))
	sum := sha256.Sum256(place)
	return trace.TraceID(sum[:16])
}
