package config

func tracingSettings() []Setting {
	return []Setting{
		{Path: "tracing.enabled", Kind: KindSwitch, Default: "false", Spring: "management.tracing.enabled",
			Doc: "Make spans of OpenTelemetry for each try of a record and each sending, and export them."},
		{Path: "tracing.endpoint", Kind: KindText, Spring: "management.otlp.tracing.endpoint",
			Derived: "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, or OTEL_EXPORTER_OTLP_ENDPOINT with /v1/traces, or http://localhost:4318/v1/traces",
			Doc:     "The URL of a collector that takes OTLP over HTTP; without a path it gets /v1/traces."},
		{Path: "tracing.sample_ratio", Kind: KindNumber, Default: "0.1", Spring: "management.tracing.sampling.probability",
			Doc: "The part of the traces that begin here that are kept, 0 to 1; what began elsewhere is sampled as it was there."},
		{Path: "tracing.service", Kind: KindText, Derived: "OTEL_SERVICE_NAME, or millrace", Spring: "spring.application.name",
			Doc: "The service's name in the traces (service.name)."},
	}
}
