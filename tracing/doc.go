// Package tracing owns the spans of OpenTelemetry: which trace a record belongs to, a span for each try and for each sending, and their export
// over OTLP. It never puts anything of a record into a span but where it stands, and nothing of the pipeline waits for it.
package tracing
