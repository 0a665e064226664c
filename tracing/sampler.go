package tracing

import (
	"context"
	"encoding/binary"
	"math/rand/v2"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// sampler goes by what was decided where the trace began, and decides for the traces that begin here, and for those whose sender left it to us.
type sampler struct{ parent, ratio sdktrace.Sampler }

func newSampler(ratio float64) sampler {
	ours := sdktrace.TraceIDRatioBased(ratio)
	return sampler{parent: sdktrace.ParentBased(ours), ratio: ours}
}

// ShouldSample implements OpenTelemetry's Sampler.
func (s sampler) ShouldSample(p sdktrace.SamplingParameters) sdktrace.SamplingResult {
	if p.ParentContext.Value(undecidedKey{}) != nil {
		return s.ratio.ShouldSample(p)
	}
	return s.parent.ShouldSample(p)
}

// Description implements OpenTelemetry's Sampler.
func (s sampler) Description() string { return s.parent.Description() }

// undecidedKey is in the context of a span whose sender left the sampling to us.
type undecidedKey struct{}

// derivedKey is in the context of a record that brought no trace: it has the id of the one that it gets.
type derivedKey struct{}

// generator makes random ids, but for the trace of a record that brought none.
type generator struct{}

// NewIDs implements OpenTelemetry's IDGenerator.
func (g generator) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	id, derived := ctx.Value(derivedKey{}).(trace.TraceID)
	for !derived && !id.IsValid() {
		binary.BigEndian.PutUint64(id[:8], rand.Uint64())
		binary.BigEndian.PutUint64(id[8:], rand.Uint64())
	}
	return id, g.NewSpanID(ctx, id)
}

// NewSpanID implements OpenTelemetry's IDGenerator.
func (generator) NewSpanID(context.Context, trace.TraceID) (id trace.SpanID) {
	for !id.IsValid() {
		binary.BigEndian.PutUint64(id[:], rand.Uint64())
	}
	return id
}
