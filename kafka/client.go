package kafka

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/IBM/sarama"

	"github.com/prantikov/millrace/config"
)

// clientConfig returns the client's settings for the consuming side: what must hold for at least once is fixed here, the rest comes from s.
// A zero number or text in s means its default. The error joins every unsafe or impossible setting and names each as in the configuration file.
//
// Who sends starts from [producerConfig], who administers from [adminConfig]: their answers take longer than a heartbeat may wait.
func clientConfig(s config.Kafka) (*sarama.Config, error) {
	version, err := checkSettings(s)
	if err != nil {
		return nil, err
	}
	c := sarama.NewConfig()
	c.ClientID = cmp.Or(s.ClientID, "millrace")
	c.Version = version
	c.MetricRegistry = noMetrics{}

	// A typing error in a topic's name must not create a topic, and no client needs the metadata of topics that are not its own.
	c.Metadata.AllowAutoTopicCreation = false
	c.Metadata.Full = false
	c.Metadata.RefreshFrequency = time.Minute

	setConsumer(c, s)
	setProducer(c, s.Producer)
	setNetwork(c, s)
	secure(c, s)
	limitDecompression(cmp.Or(s.MaxDecompressedBytes, 256<<20))
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("checking the settings of kafka: %w", err)
	}
	return c, nil
}

// producerConfig is clientConfig for who only sends: a broker may wait for its replicas for longer than a heartbeat may wait for a broker.
func producerConfig(s config.Kafka) (*sarama.Config, error) {
	return slowConfig(s, 15*time.Second)
}

// adminConfig is clientConfig for who asks about or creates topics: the controller answers when the topics are there.
func adminConfig(s config.Kafka) (*sarama.Config, error) {
	c, err := slowConfig(s, 15*time.Second)
	if err != nil {
		return nil, err
	}
	c.Admin.Timeout = 10 * time.Second
	// A cluster's first group waits for its offsets topic to be made.
	c.Admin.Retry.Max, c.Admin.Retry.Backoff = 20, 250*time.Millisecond
	// The client learns of brokers and of their controller only when it asks for all topics.
	c.Metadata.Full = true
	c.Metadata.RefreshFrequency = 10 * time.Minute
	return c, nil
}

// slowConfig is clientConfig with a read timeout that fits no group member.
func slowConfig(s config.Kafka, readTimeout time.Duration) (*sarama.Config, error) {
	c, err := clientConfig(s)
	if err != nil {
		return nil, err
	}
	c.Net.ReadTimeout = max(c.Net.ReadTimeout, readTimeout)
	c.Net.WriteTimeout = c.Net.ReadTimeout
	return c, nil
}

// setConsumer sets what a member of a group needs.
func setConsumer(c *sarama.Config, s config.Kafka) {
	c.Consumer.Return.Errors = true
	c.Consumer.IsolationLevel = sarama.ReadCommitted
	c.Consumer.Fetch.Default = int32(cmp.Or(s.FetchBytes, 1<<20))
	c.Consumer.MaxWaitTime = 500 * time.Millisecond
	// One fetch loop for each broker waits for all its partitions. One whose records nobody takes is left out of it after twice this time,
	// with what it has, and comes back when that was taken.
	c.Consumer.MaxProcessingTime = 50 * time.Millisecond
	c.Consumer.Offsets.Initial = sarama.OffsetOldest
	c.Consumer.Offsets.AutoCommit.Enable = true
	c.Consumer.Offsets.AutoCommit.Interval = cmp.Or(s.CommitInterval, time.Second)
	c.Consumer.Group.ResetInvalidOffsets = false
	c.Consumer.Group.Session.Timeout = sessionTimeout(s)
	c.Consumer.Group.Heartbeat.Interval = heartbeatInterval(s)
	c.Consumer.Group.Rebalance.Timeout = rebalanceTimeout(s)
}

// setProducer sets what makes a send safe: no acknowledged record is lost, none is written twice by the client's own retries, and none overtakes
// another of its partition.
func setProducer(c *sarama.Config, s config.Producer) {
	c.Net.MaxOpenRequests = 1
	c.Producer.RequiredAcks = sarama.WaitForAll
	c.Producer.Idempotent = true
	c.Producer.Partitioner = sarama.NewMurmur2Partitioner
	c.Producer.Retry.Max = cmp.Or(s.Retries, 3)
	c.Producer.Retry.Backoff = cmp.Or(s.RetryBackoff, 100*time.Millisecond)
	c.Producer.Compression = codecs()[cmp.Or(s.Compression, "none")]
	c.Producer.MaxMessageBytes = cmp.Or(s.MaxMessageBytes, 1<<20)
	c.Producer.Flush.Frequency = s.Linger
	if s.Linger > 0 {
		// Without a pause nothing waits for a batch to fill, and sarama warns of bytes without a frequency.
		c.Producer.Flush.Bytes = s.BatchBytes
	}
	c.Producer.Return.Successes = true
	c.Producer.Return.Errors = true
}

// setNetwork bounds every wait for a broker.
func setNetwork(c *sarama.Config, s config.Kafka) {
	c.Net.DialTimeout = 5 * time.Second
	c.Net.ReadTimeout = readTimeout(s)
	c.Net.WriteTimeout = readTimeout(s)
}

func sessionTimeout(s config.Kafka) time.Duration { return cmp.Or(s.SessionTimeout, 10*time.Second) }
func heartbeatInterval(s config.Kafka) time.Duration {
	return cmp.Or(s.HeartbeatInterval, 2*time.Second)
}
func readTimeout(s config.Kafka) time.Duration      { return cmp.Or(s.ReadTimeout, 2500*time.Millisecond) }
func rebalanceTimeout(s config.Kafka) time.Duration { return cmp.Or(s.RebalanceTimeout, time.Minute) }
func drainTimeout(s config.Kafka) time.Duration     { return cmp.Or(s.DrainTimeout, 20*time.Second) }

// codecs has the values of kafka.producer.compression.
func codecs() map[string]sarama.CompressionCodec {
	return map[string]sarama.CompressionCodec{
		"none": sarama.CompressionNone, "gzip": sarama.CompressionGZIP, "snappy": sarama.CompressionSnappy,
		"lz4": sarama.CompressionLZ4, "zstd": sarama.CompressionZSTD,
	}
}

// checkSettings returns the version in s, and an error that joins whatever of s would lose, repeat or reorder records.
func checkSettings(s config.Kafka) (sarama.KafkaVersion, error) {
	var mistakes []error
	refuse := func(wrong bool, format string, values ...any) {
		if wrong {
			mistakes = append(mistakes, fmt.Errorf(format, values...))
		}
	}
	version, err := sarama.ParseKafkaVersion(cmp.Or(s.Version, "2.8.0"))
	refuse(err != nil, "kafka.version is %q: want a version such as 2.8.0", s.Version)
	refuse(err == nil && !version.IsAtLeast(sarama.V2_4_0_0), "kafka.version is %q: want 2.4.0 or later, which keeps partitions during a rebalance", s.Version)
	refuse(len(s.Brokers) == 0, "kafka.brokers is empty: name at least one broker as host:port with kafka.brokers or --brokers")
	refuse(cmp.Or(s.IsolationLevel, "read_committed") != "read_committed", "kafka.isolation_level is %q: only read_committed hides what an aborted transaction wrote", s.IsolationLevel)
	refuse(s.MaxDecompressedBytes < 0 || s.MaxDecompressedBytes > math.MaxInt32, "kafka.max_decompressed_bytes is %d: want more than 0 and less than 2 GiB, or a small batch may fill the memory", s.MaxDecompressedBytes)
	refuse(!slices.Contains([]string{"", config.UnreadableHold, config.UnreadableSkip}, s.Unreadable), "kafka.unreadable is %q: want hold or skip", s.Unreadable)
	refuse(s.FetchBytes < 0 || s.FetchBytes > 50<<20, "kafka.fetch_bytes is %d: want more than 0 and at most 50 MiB", s.FetchBytes)
	refuse(readTimeout(s)+heartbeatInterval(s) >= sessionTimeout(s), "kafka.read_timeout %s and kafka.heartbeat_interval %s do not fit into kafka.session_timeout %s: a stalled answer would cost the group its member", readTimeout(s), heartbeatInterval(s), sessionTimeout(s))
	refuse(drainTimeout(s) >= rebalanceTimeout(s), "kafka.drain_timeout %s is not below kafka.rebalance_timeout %s: the group would go on without a member that still drains", drainTimeout(s), rebalanceTimeout(s))
	mistakes = append(mistakes, checkProducer(s.Producer)...)
	return version, errors.Join(mistakes...)
}

// checkProducer names what of the producer's settings is unsafe or impossible.
func checkProducer(s config.Producer) (mistakes []error) {
	refuse := func(wrong bool, format string, values ...any) {
		if wrong {
			mistakes = append(mistakes, fmt.Errorf(format, values...))
		}
	}
	acks := cmp.Or(s.Acks, "all")
	refuse(acks != "all" && acks != "-1", "kafka.producer.acks is %q: only all keeps an acknowledged record when a broker dies", s.Acks)
	refuse(!s.Idempotent, "kafka.producer.idempotent is false: only true keeps order and writes nothing twice when a send is tried again")
	refuse(s.Retries < 0, "kafka.producer.retries is %d: an idempotent producer needs at least 1", s.Retries)
	_, known := codecs()[cmp.Or(s.Compression, "none")]
	refuse(!known, "kafka.producer.compression is %q: want none, gzip, snappy, lz4 or zstd", s.Compression)
	refuse(s.MaxMessageBytes < 0, "kafka.producer.max_message_bytes is %d: want more than 0", s.MaxMessageBytes)
	refuse(s.Linger < 0, "kafka.producer.linger is %s: want 0 or more", s.Linger)
	refuse(s.BatchBytes < 0, "kafka.producer.batch_bytes is %d: want 0 or more", s.BatchBytes)
	return mistakes
}

// decompression guards sarama's settings that are variables of its package and count for all clients of the process.
var decompression sync.Once

// limitDecompression bounds what one compressed batch may grow to. The first limit of a process counts: its clients read it without a lock.
func limitDecompression(limit int) {
	decompression.Do(func() {
		sarama.MaxDecompressedBatchSize = int32(limit)
		sarama.PanicHandler = survive
	})
}

// survive is what becomes of a panic in one of the client's goroutines, which a hostile answer may cause: the goroutine is gone, and what
// it fetched stands still until the watchdog looks. Without it the process would end, and again at each start.
func survive(panicked any) {
	slog.Error("a goroutine of the Kafka client panicked", "panic", fmt.Sprint(panicked), "stack", string(debug.Stack()))
}
