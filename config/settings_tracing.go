package config

// Tracing is the spans of OpenTelemetry.
type Tracing struct {
	// Enabled makes spans. Default false: then no record costs anything for it.
	Enabled bool `koanf:"enabled"`
	// Endpoint is the URL of a collector that takes OTLP over HTTP; without a path it gets /v1/traces. Default
	// OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, or OTEL_EXPORTER_OTLP_ENDPOINT with /v1/traces behind it, or http://localhost:4318/v1/traces.
	Endpoint string `koanf:"endpoint"`
	// SampleRatio is the part, 0 to 1, of the traces that begin here. What began elsewhere is sampled as it was there. Default 0.1.
	SampleRatio float64 `koanf:"sample_ratio"`
	// Service is service.name. Default OTEL_SERVICE_NAME, or millrace.
	Service string `koanf:"service"`
}
