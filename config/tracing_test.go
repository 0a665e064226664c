package config_test

import (
	"testing"

	"github.com/prantikov/millrace/config"
)

func TestMistakesOfTracing(t *testing.T) {
	t.Parallel()
	endpoint := func(url string) func(*config.Settings) {
		return func(s *config.Settings) { s.Tracing.Enabled, s.Tracing.Endpoint = true, url }
	}
	runMistakes(t, map[string]mistakeCase{
		"more than all":             {func(s *config.Settings) { s.Tracing.SampleRatio = 1.5 }, "tracing.sample_ratio", "1.5", "a part of all"},
		"less than none":            {func(s *config.Settings) { s.Tracing.SampleRatio = -0.1 }, "tracing.sample_ratio", "-0.1", "a part of all"},
		"an address without scheme": {endpoint("collector:4318"), "tracing.endpoint", `"collector:4318"`, "not the URL"},
		"a scheme that is not HTTP": {endpoint("grpc://collector:4317"), "tracing.endpoint", `"grpc://collector:4317"`, "not the URL"},
		"a password in the URL":     {endpoint("https://a:secret@collector"), "tracing.endpoint", `"https://a:xxxxx@collector"`, "password"},
	})
}

func TestTracingIsOffByDefault(t *testing.T) {
	t.Parallel()
	want := config.Tracing{Endpoint: "http://localhost:4318/v1/traces", SampleRatio: 0.1, Service: "millrace"}
	if got := config.Default().Tracing; got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// Ensure what OpenTelemetry has variables for is taken from them where nothing of ours says it, and says where it came from.
func TestTracingTakesTheStandardVariables(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		yaml    string
		environ []string
		path    string
		want    string
		origin  string
	}{
		"the service's name": {"", []string{"OTEL_SERVICE_NAME=router"}, "tracing.service", "router", "OTEL_SERVICE_NAME"},
		"the file before the service's name": {"tracing: {service: mine}", []string{"OTEL_SERVICE_NAME=router"},
			"tracing.service", "mine", "FILE:1"},
		"our variable before theirs": {"", []string{"OTEL_SERVICE_NAME=router", "MILLRACE_TRACING_SERVICE=ours"},
			"tracing.service", "ours", "MILLRACE_TRACING_SERVICE"},
		"an empty variable": {"", []string{"OTEL_SERVICE_NAME="}, "tracing.service", "millrace", "default"},
		"the endpoint of all signals": {"", []string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318/"},
			"tracing.endpoint", "http://collector:4318/v1/traces", "OTEL_EXPORTER_OTLP_ENDPOINT"},
		"the endpoint of traces before that": {"", []string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://t:1/x", "OTEL_EXPORTER_OTLP_ENDPOINT=http://a:2"},
			"tracing.endpoint", "http://t:1/x", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"},
		"a password is not shown": {"", []string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://a:secret@collector"},
			"tracing.endpoint", "http://a:xxxxx@collector/v1/traces", "OTEL_EXPORTER_OTLP_ENDPOINT"},
		// Other programs of the machine may need it so, and tracing is off.
		"an endpoint that is none is no mistake while tracing is off": {"", []string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=collector:4317"},
			"tracing.endpoint", "collector:4317", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sources(t, test.yaml, test.environ...)
			origin := test.origin
			if origin == "FILE:1" {
				origin = s.File + ":1"
			}
			row := find(config.Rows(load(t, s)), test.path)
			if row.Value != test.want || row.Origin != origin {
				t.Errorf("got %q from %s, want %q from %s", row.Value, row.Origin, test.want, origin)
			}
		})
	}
}
