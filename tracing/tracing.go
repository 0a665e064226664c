package tracing

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// scope names who makes these spans.
const scope = "github.com/prantikov/millrace"

const (
	// mostWaiting bounds the spans in memory that are not exported yet; what is more is dropped and counted.
	mostWaiting = 4096
	// exportEvery is how long a span waits for others to be exported with, at most; exportTime how long one export may take.
	exportEvery = time.Second
	exportTime  = 10 * time.Second
)

// Settings is where spans go and how many of them.
type Settings struct {
	// Endpoint is the URL of a collector that takes OTLP over HTTP. Without a path it gets /v1/traces.
	Endpoint string
	// SampleRatio is the part, 0 to 1, of the traces that begin here. What began elsewhere is sampled as it was there.
	SampleRatio float64
	// Service and Version say who we are.
	Service, Version string
	// Count is told how many spans ended in which way. Default: nobody counts.
	Count func(end End, spans int)
	// Logger gets a line when the collector is away and one when it is back. Default: none.
	Logger *slog.Logger
}

// End is what became of a span.
type End string

const (
	// Exported spans were taken by the collector.
	Exported End = "exported"
	// Overflowed spans were dropped because too many waited.
	Overflowed End = "overflowed"
	// Refused spans were dropped because the collector was away or took none.
	Refused End = "refused"
)

// Tracing makes spans. Make one with [Open] or [Over]. It is safe for concurrent use.
type Tracing struct {
	tracer   trace.Tracer
	provider *sdktrace.TracerProvider // nil when it is somebody else's
}

// Open makes spans and exports them. It connects at the first export, so a collector that is away is no error. What else OpenTelemetry's
// exporter takes from its own variables (OTEL_EXPORTER_OTLP_HEADERS, OTEL_EXPORTER_OTLP_CERTIFICATE …) it takes here too.
func Open(ctx context.Context, settings Settings) (*Tracing, error) {
	if settings.Count == nil {
		settings.Count = func(End, int) {}
	}
	if settings.Logger == nil {
		settings.Logger = slog.New(slog.DiscardHandler)
	}
	endpoint, err := endpointURL(settings.Endpoint)
	if err != nil {
		return nil, err
	}
	sender, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(endpoint))
	if err != nil {
		return nil, fmt.Errorf("making the exporter of spans: %w", err)
	}
	who, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithFromEnv(), resource.WithAttributes(
		attribute.String("service.name", settings.Service), attribute.String("service.version", settings.Version),
	))
	if err != nil {
		return nil, fmt.Errorf("describing this service to the collector (OTEL_RESOURCE_ATTRIBUTES): %w", err)
	}
	waiting := &atomic.Int64{}
	exports := &exporter{SpanExporter: sender, waiting: waiting, count: settings.Count, logger: settings.Logger}
	batches := sdktrace.NewBatchSpanProcessor(exports,
		sdktrace.WithMaxQueueSize(mostWaiting), sdktrace.WithBatchTimeout(exportEvery), sdktrace.WithExportTimeout(exportTime))
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithResource(who), sdktrace.WithSampler(newSampler(settings.SampleRatio)), sdktrace.WithIDGenerator(generator{}),
		sdktrace.WithSpanProcessor(&bounded{SpanProcessor: batches, waiting: waiting, count: settings.Count}),
	)
	return &Tracing{tracer: provider.Tracer(scope, trace.WithInstrumentationVersion(settings.Version)), provider: provider}, nil
}

// Over makes spans with the provider of a program that has one already, and leaves sampling and export to that.
func Over(provider trace.TracerProvider) *Tracing { return &Tracing{tracer: provider.Tracer(scope)} }

// endpointURL is the whole URL to which spans are posted.
func endpointURL(endpoint string) (string, error) {
	parsed, err := url.Parse(endpoint)
	if err != nil || parsed.Host == "" {
		return "", fmt.Errorf("reading tracing.endpoint %q: want a URL such as http://localhost:4318", endpoint)
	}
	if parsed.Path == "" || parsed.Path == "/" {
		parsed.Path = "/v1/traces"
	}
	return parsed.String(), nil
}

// Close exports what waits, for as long as the context lasts, and ends. What is left then is dropped.
func (t *Tracing) Close(ctx context.Context) error {
	if t.provider == nil {
		return nil
	}
	if err := t.provider.Shutdown(ctx); err != nil {
		return fmt.Errorf("exporting the last spans (tracing.endpoint): %w", err)
	}
	return nil
}
