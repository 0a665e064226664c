package kafka

import (
	"strings"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/rcrowley/go-metrics"

	"github.com/prantikov/millrace/config"
	"github.com/prantikov/millrace/kafka/kafkatest"
)

func TestClientConfigIsSafe(t *testing.T) {
	t.Parallel()
	c, err := clientConfig(kafkatest.Settings("127.0.0.1:1"))
	if err != nil {
		t.Fatal(err)
	}
	safe := map[string]bool{
		"acks is all":                             c.Producer.RequiredAcks == sarama.WaitForAll,
		"the producer is idempotent":              c.Producer.Idempotent,
		"one request at a time":                   c.Net.MaxOpenRequests == 1,
		"three retries":                           c.Producer.Retry.Max == 3,
		"100 ms apart":                            c.Producer.Retry.Backoff == 100*time.Millisecond,
		"no topic is created by a typing error":   !c.Metadata.AllowAutoTopicCreation,
		"metadata of our topics only":             !c.Metadata.Full,
		"a group begins at the oldest":            c.Consumer.Offsets.Initial == sarama.OffsetOldest,
		"an offset out of range is no silent gap": !c.Consumer.Group.ResetInvalidOffsets,
		"only what was committed is read":         c.Consumer.IsolationLevel == sarama.ReadCommitted,
		"errors are returned":                     c.Consumer.Return.Errors,
		"marks are committed":                     c.Consumer.Offsets.AutoCommit.Enable,
		"a stall does not cost the member":        c.Net.ReadTimeout+c.Consumer.Group.Heartbeat.Interval < c.Consumer.Group.Session.Timeout,
		"decompression is bounded":                sarama.MaxDecompressedBatchSize > 0,
		"the version is set":                      c.Version == sarama.V2_8_0_0,
	}
	for what, holds := range safe {
		if !holds {
			t.Errorf("%s: got false, want true", what)
		}
	}
}

func TestClientConfigRefusesWhatLosesRecords(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		change func(*config.Kafka)
		want   string
	}{
		"no brokers":                      {func(s *config.Kafka) { s.Brokers = nil }, "kafka.brokers"},
		"an unknown version":              {func(s *config.Kafka) { s.Version = "new" }, "kafka.version"},
		"a version without cooperation":   {func(s *config.Kafka) { s.Version = "2.3.0" }, "kafka.version"},
		"acks of one broker":              {func(s *config.Kafka) { s.Producer.Acks = "1" }, "kafka.producer.acks"},
		"a producer that repeats":         {func(s *config.Kafka) { s.Producer.Idempotent = false }, "kafka.producer.idempotent"},
		"a retry below zero":              {func(s *config.Kafka) { s.Producer.Retries = -1 }, "kafka.producer.retries"},
		"an unknown codec":                {func(s *config.Kafka) { s.Producer.Compression = "rar" }, "kafka.producer.compression"},
		"reading what was aborted":        {func(s *config.Kafka) { s.IsolationLevel = "read_uncommitted" }, "kafka.isolation_level"},
		"answers that outlast a session":  {func(s *config.Kafka) { s.ReadTimeout = 9 * time.Second }, "kafka.read_timeout"},
		"a drain that outlasts the group": {func(s *config.Kafka) { s.DrainTimeout = time.Hour }, "kafka.drain_timeout"},
		"unbounded decompression":         {func(s *config.Kafka) { s.MaxDecompressedBytes = -1 }, "kafka.max_decompressed_bytes"},
	}
	for name, test := range cases {
		t.Run(name+" is refused by name", func(t *testing.T) {
			t.Parallel()
			s := kafkatest.Settings("127.0.0.1:1")
			test.change(&s)
			if _, err := clientConfig(s); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got error %v, want one that names %s", err, test.want)
			}
		})
	}
}

func TestClientConfigNamesAllMistakesAtOnce(t *testing.T) {
	t.Parallel()
	_, err := clientConfig(config.Kafka{Version: "x", Producer: config.Producer{Acks: "0", Compression: "rar"}})
	for _, want := range []string{"kafka.brokers", "kafka.version", "acks", "idempotent", "compression"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want one that names %s", err, want)
		}
	}
}

func TestNoMetricsMeasureNothing(t *testing.T) {
	t.Parallel()
	metrics.GetOrRegisterMeter("a", noMetrics{}).Mark(1)
	metrics.GetOrRegisterCounter("b", noMetrics{}).Inc(1)
	if got := metrics.GetOrRegisterHistogram("c", noMetrics{}, metrics.NewUniformSample(1)).Count(); got != 0 {
		t.Errorf("got %d measurements, want 0", got)
	}
}
