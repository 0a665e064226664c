package millrace_test

import (
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/prantikov/millrace"
	"github.com/prantikov/millrace/kafka/kafkatest"
	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/producer"
)

// Ensure a service that has a tracer of its own sends events that continue its traces, and without one sends no header of tracing.
func TestProducerContinuesTheServicesTrace(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Broker(t)
	topic := kafkatest.Topic(t, broker, 1)
	recorder := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))
	ctx, request := provider.Tracer("service").Start(t.Context(), "request")
	named := producer.Settings{TopicName: func(string) string { return topic }}
	for _, settings := range []millrace.ProducerSettings{
		{Brokers: []string{broker}, Producer: named, Tracer: provider}, {Brokers: []string{broker}, Producer: named},
	} {
		events := millrace.NewProducer(settings)
		if _, err := events.Publish(ctx, messages.OrderCreated, messages.OrderEvent{OrderID: "ord-1", Status: "pending"}); err != nil {
			t.Fatal(err)
		}
		if err := events.Close(); err != nil {
			t.Fatal(err)
		}
	}
	request.End()
	sent := recorder.Ended()[0]
	if sent.Name() != "send "+topic || sent.Parent().SpanID() != request.SpanContext().SpanID() {
		t.Errorf("got span %q, want the sending below the request", sent.Name())
	}
	records := kafkatest.Consume(t, broker, topic, 2)
	value, _ := records[0].Header("traceparent")
	if want := "00-" + request.SpanContext().TraceID().String() + "-" + sent.SpanContext().SpanID().String() + "-01"; string(value) != want {
		t.Errorf("got traceparent %q, want %q", value, want)
	}
	if value, traced := records[1].Header("traceparent"); traced {
		t.Errorf("got traceparent %q without a tracer, want none", value)
	}
}
