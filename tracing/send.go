package tracing

import (
	"context"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router"
)

// notPublished is the class of a sending that failed, or of which nothing is known.
const notPublished = "not_published"

// Send begins the span of sending a record, and appends the traceparent header that makes it the parent of whoever handles the record. A record
// that has a trace in its headers already keeps them as they are. What is returned ends the span.
func (t *Tracing) Send(ctx context.Context, r *record.Record) (context.Context, func(record.Position, error)) {
	ctx, carried := brought(ctx, r)
	ctx, end := t.send(ctx, r.Topic)
	if !carried {
		propagation.TraceContext{}.Inject(ctx, headers{r})
	}
	return ctx, end
}

// send begins the span of sending something to a topic.
func (t *Tracing) send(ctx context.Context, topic string) (context.Context, func(record.Position, error)) {
	ctx, span := t.tracer.Start(ctx, "send "+topic, trace.WithSpanKind(trace.SpanKindProducer), trace.WithAttributes(
		attribute.String("messaging.system", "kafka"),
		attribute.String("messaging.operation.name", "send"),
		attribute.String("messaging.operation.type", "send"),
		attribute.String("messaging.destination.name", topic),
	))
	return ctx, func(at record.Position, err error) {
		switch {
		case err != nil:
			fail(span, notPublished)
		case at.Offset >= 0 && at.Partition >= 0:
			span.SetAttributes(
				attribute.String("messaging.destination.partition.id", strconv.FormatInt(int64(at.Partition), 10)),
				attribute.Int64("messaging.kafka.offset", at.Offset),
			)
		}
		span.End()
	}
}

// DeadLetters gives each dead letter's writing a span in the trace of its record. The letter itself stays as it is: it has the record's own
// headers, so whoever redrives it goes on with the same trace.
func (t *Tracing) DeadLetters(to router.DeadLetters, suffix string) router.DeadLetters {
	return letters{tracing: t, to: to, suffix: suffix}
}

type letters struct {
	tracing *Tracing
	to      router.DeadLetters
	suffix  string
}

// Write implements [router.DeadLetters].
func (l letters) Write(ctx context.Context, letter record.Letter) error {
	ctx, end := l.tracing.send(ctx, letter.Record.Topic+l.suffix)
	err := l.to.Write(ctx, letter)
	end(record.Position{Partition: -1, Offset: -1}, err)
	return err
}
