package observe

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// Lag is where a consumer group stands on a partition. A negative offset is unknown.
type Lag struct {
	Group     string
	Topic     string
	Partition int32
	// Committed is the group's offset, negative when it has none.
	Committed int64
	// Oldest and End are the partition's first offset and the one after its last.
	Oldest, End int64
	// Lag is the number of records that the group has before it.
	Lag int64
}

// Lag replaces what the metrics show of groups and partitions. What is not among the rows is not shown any more: none at all while Kafka
// is away.
func (m *Metrics) Lag(rows []Lag) { m.lag.Store(&rows) }

// lagCollector shows the rows that were set last, so that a scrape never sees half of a change. It belongs to no vector: a partition
// that is gone leaves no series behind.
type lagCollector struct{ rows *atomic.Pointer[[]Lag] }

type lagDescriptions struct{ lag, committed, end, oldest *prometheus.Desc }

func describeLag() lagDescriptions {
	group := []string{"consumergroup", "topic", "partition"}
	partition := []string{"topic", "partition"}
	return lagDescriptions{
		lag:       prometheus.NewDesc("kafka_consumergroup_lag", "Records that the group has before it on the partition.", group, nil),
		committed: prometheus.NewDesc("kafka_consumergroup_current_offset", "Offset that the group has committed.", group, nil),
		end:       prometheus.NewDesc("kafka_topic_partition_current_offset", "Offset after the partition's last record.", partition, nil),
		oldest:    prometheus.NewDesc("kafka_topic_partition_oldest_offset", "Offset of the partition's first record.", partition, nil),
	}
}

// Describe sends the descriptions of the four metrics.
func (lagCollector) Describe(descriptions chan<- *prometheus.Desc) {
	d := describeLag()
	for _, description := range []*prometheus.Desc{d.lag, d.committed, d.end, d.oldest} {
		descriptions <- description
	}
}

// Collect sends the rows, and each partition once however many groups read it.
func (c lagCollector) Collect(metrics chan<- prometheus.Metric) {
	rows := c.rows.Load()
	if rows == nil {
		return
	}
	d := describeLag()
	send := func(description *prometheus.Desc, value int64, labels ...string) {
		if value >= 0 {
			metrics <- prometheus.MustNewConstMetric(description, prometheus.GaugeValue, float64(value), labels...)
		}
	}
	type position struct {
		group, topic string
		partition    int32
	}
	seen := map[position]bool{}
	first := func(p position) bool {
		known := seen[p]
		seen[p] = true
		return !known
	}
	for _, row := range *rows {
		partition := partitionLabel(row.Partition)
		// A row that comes twice would spoil the whole scrape.
		if first(position{row.Group, row.Topic, row.Partition}) {
			send(d.lag, row.Lag, row.Group, row.Topic, partition)
			send(d.committed, row.Committed, row.Group, row.Topic, partition)
		}
		if first(position{"", row.Topic, row.Partition}) {
			send(d.end, row.End, row.Topic, partition)
			send(d.oldest, row.Oldest, row.Topic, partition)
		}
	}
}
