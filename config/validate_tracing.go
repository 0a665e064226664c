package config

import "net/url"

func (c *checker) tracing() {
	tracing := c.settings.Tracing
	if !(tracing.SampleRatio >= 0 && tracing.SampleRatio <= 1) {
		c.refuse("tracing.sample_ratio", tracing.SampleRatio, "it is a part of all traces", "write a number from 0 to 1, "+c.usual("tracing.sample_ratio"))
	}
	if !tracing.Enabled {
		// Its default comes from variables that other programs of the machine need as they are.
		return
	}
	const example = "http://localhost:4318"
	endpoint, err := url.Parse(tracing.Endpoint)
	switch {
	case err != nil || endpoint.Host == "" || endpoint.Scheme != "http" && endpoint.Scheme != "https":
		c.refuse("tracing.endpoint", tracing.Endpoint, "it is not the URL of a collector", "write one, for example "+example)
	case endpoint.User != nil:
		c.refuse("tracing.endpoint", endpoint.Redacted(), "it has a password in it, and settings are shown", "take it out, and put the header into OTEL_EXPORTER_OTLP_HEADERS")
	}
}
