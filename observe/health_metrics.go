package observe

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// healthCollector shows what health knows. It is worked out when it is asked for, and belongs to no vector: a partition that is given back
// leaves no series behind.
type healthCollector struct{ health *Health }

type healthDescriptions struct{ age, stuck, held, joined, kafka *prometheus.Desc }

func describeHealth() healthDescriptions {
	partition := []string{"consumer", "topic", "partition"}
	return healthDescriptions{
		age: prometheus.NewDesc("millrace_frontier_age_seconds",
			"Age, by its own timestamp, of the oldest record that is delivered and not finished; 0 when none waits.", partition, nil),
		stuck: prometheus.NewDesc("millrace_stuck",
			"1 while the frontier stands although records wait and nothing outside is to blame, as /healthz says it.", partition, nil),
		held: prometheus.NewDesc("millrace_held",
			"1 while something outside holds the partition, or without topic and partition the whole consumer. A pause is none.", partition, nil),
		joined: prometheus.NewDesc("millrace_joined",
			"1 while the consumer is a member of its group, as /readyz says it.", []string{"consumer", "group"}, nil),
		kafka: prometheus.NewDesc("millrace_kafka_answers", "1 while the brokers answer, as /readyz says it.", nil, nil),
	}
}

// Describe sends the descriptions of the metrics.
func (healthCollector) Describe(descriptions chan<- *prometheus.Desc) {
	d := describeHealth()
	for _, description := range []*prometheus.Desc{d.age, d.stuck, d.held, d.joined, d.kafka} {
		descriptions <- description
	}
}

// Collect sends what health knows at this moment.
func (c healthCollector) Collect(metrics chan<- prometheus.Metric) {
	d := describeHealth()
	gauge := func(description *prometheus.Desc, value float64, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(description, prometheus.GaugeValue, value, labels...)
	}
	h := c.health
	h.mutex.Lock()
	defer h.mutex.Unlock()
	now := h.now()
	gauge(d.kafka, oneIf(h.kafka))
	for consumer, known := range h.groups {
		gauge(d.joined, oneIf(known.joined), consumer, known.group)
	}
	for key, state := range h.partitions {
		gauge(d.age, state.age(now).Seconds(), key.labels()...)
		gauge(d.stuck, oneIf(h.stuck(key, now)), key.labels()...)
		if len(h.holds[key]) == 0 {
			gauge(d.held, 0, key.labels()...)
		}
	}
	for key, holds := range h.holds {
		if len(holds) > 0 {
			gauge(d.held, 1, key.labels()...)
		}
	}
}

// age is that of the oldest record that waits; 0 when none does.
func (p *partitionState) age(now time.Time) time.Duration {
	if p.waiting == 0 {
		return 0
	}
	since := p.oldest
	if since.IsZero() {
		since = p.standing
	}
	return max(0, now.Sub(since))
}

func (k partitionKey) labels() []string {
	return []string{k.consumer, k.topic, partitionLabel(k.partition)}
}

func oneIf(condition bool) float64 {
	if condition {
		return 1
	}
	return 0
}
