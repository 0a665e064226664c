package observe

import (
	"log/slog"
	"net/http"
	"runtime"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics is everything that /metrics shows, on a registry of its own. Names of OpenTelemetry (messaging_*) and of kafka_exporter (kafka_*)
// are theirs, so that dashboards that people have go on working; ours begin with millrace_. No label holds anything from a record.
// All methods may be called from any goroutine.
type Metrics struct {
	registry *prometheus.Registry

	duration                      *prometheus.HistogramVec
	consumed, sent                *prometheus.CounterVec
	retries, deadLetters, skipped *prometheus.CounterVec
	gaps, firstSeen               *prometheus.CounterVec
	transitions, normalised       *prometheus.CounterVec
	spans                         *prometheus.CounterVec
	abandoned                     *prometheus.CounterVec
	notifications                 *prometheus.CounterVec
	inFlight, alarms, paused      *prometheus.GaugeVec

	consumers *children[consumerLabels, *ConsumerMetrics]
	sends     *children[sendLabels, prometheus.Counter]
	lag       atomic.Pointer[[]Lag]
}

type consumerLabels struct{ consumer, group, topic string }

type sendLabels struct{ topic, errorType string }

// NewMetrics returns metrics in which everything is 0. Version is the binary's, for millrace_build_info.
func NewMetrics(version string) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry()}
	m.duration = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "messaging_process_duration_seconds",
		Help: "Duration of one try of one record, by consumer group, topic, outcome and, where it failed, class.",
		// OpenTelemetry's buckets, with two below them: most functions here take microseconds.
		Buckets: []float64{.0001, .001, .005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10},
	}, []string{"group", "topic", "outcome", "error_type"})
	m.consumed = m.counter("messaging_client_consumed_messages_total", "Records that were handed to a consumer group's functions.", "group", "topic")
	m.sent = m.counter("messaging_client_sent_messages_total", "Records sent, and with an error_type those that could not be.",
		"topic", "error_type")
	m.retries = m.counter("millrace_retries_total", "Tries after a record's first.", "consumer", "topic")
	m.deadLetters = m.counter("millrace_dead_letters_total", "Dead letters that the brokers acknowledged, by class.", "consumer", "topic", "class")
	m.skipped = m.counter("millrace_skipped_total", "Records that a policy or a missing route passed, by reason.", "consumer", "topic", "reason")
	m.gaps = m.counter("millrace_gap_records_total", "Offsets that were passed without being read; 1 for a log that ended before the position.", "consumer", "topic")
	m.firstSeen = m.counter("millrace_first_seen_total", "Entities whose first seen event was not their first action.", "consumer", "topic")
	m.transitions = m.counter("millrace_transitions_accepted_total", "Forbidden status changes that the policy accepted.", "consumer", "topic")
	m.normalised = m.counter("millrace_normalised_total", "Events with a value in another spelling than the contract's.", "consumer", "topic")
	m.spans = m.counter("millrace_trace_spans_total", "Spans by what became of them; all but the exported ones were dropped.", "outcome")
	m.abandoned = m.counter("millrace_abandoned_records_total", "Records whose function went on past the drain deadline and its cancelled context.",
		"consumer", "topic")
	m.notifications = m.counter("millrace_notifications_total",
		"Notifications by how they ended: sent, repeated (sent before), no_recipient, no_template, refused, failed (a try), in_doubt, parked.",
		"audience", "channel", "outcome")
	m.inFlight = m.gauge("millrace_in_flight", "Records that a consumer has taken and not finished.", "consumer", "topic")
	m.alarms = m.gauge("millrace_alarm", "1 while the condition lasts.", "kind", "consumer", "topic", "partition")
	m.paused = m.gauge("millrace_paused", "1 while an operator's pause lasts; without topic or partition it covers all.", "consumer", "topic", "partition")
	build := m.gauge("millrace_build_info", "Always 1.", "version", "go_version")
	build.WithLabelValues(version, runtime.Version()).Set(1)

	m.consumers = newChildren(m.newConsumer)
	m.sends = newChildren(func(l sendLabels) prometheus.Counter { return m.sent.WithLabelValues(l.topic, l.errorType) })
	m.registry.MustRegister(m.duration, lagCollector{&m.lag}, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *Metrics) counter(name, help string, labels ...string) *prometheus.CounterVec {
	vector := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	m.registry.MustRegister(vector)
	return vector
}

func (m *Metrics) gauge(name, help string, labels ...string) *prometheus.GaugeVec {
	vector := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
	m.registry.MustRegister(vector)
	return vector
}

// Show adds what health knows to the metrics. It is called once.
func (m *Metrics) Show(health *Health) { m.registry.MustRegister(healthCollector{health}) }

// Registry is where a plugin adds metrics of its own, and what a test gathers.
func (m *Metrics) Registry() *prometheus.Registry { return m.registry }

// Handler serves the metrics in Prometheus's formats. What cannot be gathered is left out and logged.
func (m *Metrics) Handler(logger *slog.Logger) http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog:            slog.NewLogLogger(logger.Handler(), slog.LevelError),
		ErrorHandling:       promhttp.ContinueOnError,
		MaxRequestsInFlight: 4,
		Timeout:             10 * time.Second,
	})
}

// Sent counts records that the brokers acknowledged.
func (m *Metrics) Sent(topic string, count int) {
	m.sends.get(sendLabels{topic: topic}).Add(float64(count))
}

// SendFailed counts records that could not be sent. ErrorType names the kind of failure, for example timeout; it is never an error's text.
func (m *Metrics) SendFailed(topic, errorType string, count int) {
	m.sends.get(sendLabels{topic, errorType}).Add(float64(count))
}

// Spans counts spans by what became of them, for example exported.
func (m *Metrics) Spans(outcome string, count int) {
	m.spans.WithLabelValues(outcome).Add(float64(count))
}

// Notified counts how a notification ended, or a try of it. Audience, channel and outcome are of a few fixed names; a notification that never
// came to a channel has none.
func (m *Metrics) Notified(audience, channel, outcome string) {
	m.notifications.WithLabelValues(audience, channel, outcome).Inc()
}

// alarm sets the gauge of one alarm.
func (m *Metrics) alarm(key alarmKey, value float64) {
	m.alarms.WithLabelValues(key.kind, key.consumer, key.topic, partitionLabel(key.partition)).Set(value)
}

// Paused says whether a pause of a consumer's intake lasts; an empty topic or a partition of -1 stands for all of them.
func (m *Metrics) Paused(consumer, topic string, partition int32, paused bool) {
	value := 0.0
	if paused {
		value = 1
	}
	m.paused.WithLabelValues(consumer, topic, partitionLabel(partition)).Set(value)
}

// partitionLabel is empty for a condition that is no single partition's.
func partitionLabel(partition int32) string {
	if partition < 0 {
		return ""
	}
	return strconv.FormatInt(int64(partition), 10)
}
