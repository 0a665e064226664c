package config

import (
	"net/url"
	"slices"
	"strings"
)

// deriveStandard fills in a setting that nothing of ours sets, from variables that OpenTelemetry has defined for every program.
func (l *Loaded) deriveStandard(path string, find func(lookup func(name string) string) (value, variable string)) {
	one := l.known.paths[path]
	if l.values[one.key()] != "" {
		return
	}
	value, variable := find(l.standard)
	l.values[one.key()] = value
	if variable != "" {
		l.Origins[path] = Origin{Source: SourceEnvironment, Name: variable}
	}
}

// standard is the value of a variable that is not ours; the last one of the name counts.
func (l *Loaded) standard(name string) string {
	for _, entry := range slices.Backward(l.sources.Environ) {
		if value, found := strings.CutPrefix(entry, name+"="); found {
			return value
		}
	}
	return ""
}

// standardEndpoint is the collector's address: OpenTelemetry has one variable for traces alone, and one for all signals, to which the path of
// traces is added.
func standardEndpoint(lookup func(string) string) (value, variable string) {
	const traces, all, path = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT", "/v1/traces"
	if endpoint := lookup(traces); endpoint != "" {
		return withoutPassword(endpoint), traces
	}
	if endpoint := lookup(all); endpoint != "" {
		return withoutPassword(strings.TrimSuffix(endpoint, "/") + path), all
	}
	return "http://localhost:4318" + path, ""
}

// withoutPassword hides the password of a URL: settings are shown. With tracing.enabled such a URL is a mistake, so the password is not missed.
func withoutPassword(endpoint string) string {
	parsed, err := url.Parse(endpoint)
	if err != nil || parsed.User == nil {
		return endpoint
	}
	return parsed.Redacted()
}

func standardService(lookup func(string) string) (value, variable string) {
	const name = "OTEL_SERVICE_NAME"
	if service := lookup(name); service != "" {
		return service, name
	}
	return "millrace", ""
}
