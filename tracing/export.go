package tracing

import (
	"context"
	"log/slog"
	"sync/atomic"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// bounded gives ended spans to the processor that exports them in batches, as long as not too many wait there. That one would drop by itself
// what does not fit, and tell nobody how much it was.
type bounded struct {
	sdktrace.SpanProcessor
	waiting *atomic.Int64
	count   func(End, int)
}

// OnEnd implements OpenTelemetry's SpanProcessor. It never waits.
func (b *bounded) OnEnd(span sdktrace.ReadOnlySpan) {
	if !span.SpanContext().IsSampled() {
		return
	}
	if b.waiting.Add(1) > mostWaiting {
		b.waiting.Add(-1)
		b.count(Overflowed, 1)
		return
	}
	b.SpanProcessor.OnEnd(span)
}

// exporter counts what became of the spans. The error goes no further: OpenTelemetry would print it.
type exporter struct {
	sdktrace.SpanExporter
	waiting *atomic.Int64
	count   func(End, int)
	logger  *slog.Logger
	// away is set while exports fail, so that each outage is one line. Exports come one after another.
	away bool
}

// ExportSpans implements OpenTelemetry's SpanExporter. It never returns an error.
func (e *exporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	err := e.SpanExporter.ExportSpans(ctx, spans)
	e.waiting.Add(-int64(len(spans)))
	switch {
	case err != nil:
		e.count(Refused, len(spans))
	default:
		e.count(Exported, len(spans))
	}
	switch {
	case err != nil && !e.away:
		e.logger.Warn("spans cannot be exported (tracing.endpoint): they are dropped and counted until they can", "error", err)
	case err == nil && e.away:
		e.logger.Info("spans are exported again")
	}
	e.away = err != nil
	return nil
}
