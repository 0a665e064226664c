package tracing

import (
	"context"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router"
)

// Process makes the spans of one handler's tries, as OpenTelemetry's conventions for messaging have them. They say where the record stands and
// how the try ended, and nothing of its key, value or headers.
func (t *Tracing) Process(handler router.Handler) router.Span {
	name := "process " + handler.Topic
	kind := trace.WithSpanKind(trace.SpanKindConsumer)
	same := trace.WithAttributes(
		attribute.String("messaging.system", "kafka"),
		attribute.String("messaging.operation.name", "process"),
		attribute.String("messaging.operation.type", "process"),
		attribute.String("messaging.destination.name", handler.Topic),
		attribute.String("messaging.consumer.group.name", handler.Group),
		attribute.String("millrace.consumer", handler.Consumer),
	)
	return func(ctx context.Context, r *record.Record, attempt int) (context.Context, func(router.Tried)) {
		back, redriven := record.Redrive{Original: r}, false
		if handler.Redrive {
			if came, ok := record.RedriveOf(r); ok {
				back, redriven = came, true
			}
		}
		// What comes back is in the trace of the record that it was, which may be made of the position that this had.
		ctx = traceOf(ctx, back.Original)
		if attempt == 0 {
			return ctx, func(router.Tried) {}
		}
		ctx, span := t.tracer.Start(ctx, name, kind, same)
		if !span.IsRecording() {
			return ctx, func(router.Tried) { span.End() }
		}
		span.SetAttributes(
			attribute.String("messaging.destination.partition.id", strconv.FormatInt(int64(r.Partition), 10)),
			attribute.Int64("messaging.kafka.offset", r.Offset),
			attribute.Int("millrace.attempt", attempt),
		)
		if redriven {
			span.SetAttributes(
				attribute.String("millrace.original", back.Original.Position.String()), attribute.String("millrace.dead_letter", back.Letter.String()))
		}
		if r.Value == nil {
			span.SetAttributes(attribute.Bool("messaging.kafka.message.tombstone", true))
		}
		return ctx, func(tried router.Tried) { endProcess(span, tried) }
	}
}

func endProcess(span trace.Span, tried router.Tried) {
	span.SetAttributes(attribute.String("millrace.outcome", tried.Outcome.String()))
	if tried.Function != "" {
		span.SetAttributes(attribute.String("code.function.name", tried.Function))
	}
	if tried.Action != "" {
		span.SetAttributes(attribute.String("millrace.action", string(tried.Action)))
	}
	fail(span, tried.Failure)
	span.End()
}

// fail marks a span as failed with a class, never with an error's text.
func fail(span trace.Span, class string) {
	if class != "" {
		span.SetAttributes(attribute.String("error.type", class))
		span.SetStatus(codes.Error, class)
	}
}
