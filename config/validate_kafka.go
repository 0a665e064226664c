package config

import (
	"fmt"
	"math"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"
)

func (c *checker) connection() {
	kafka := c.settings.Kafka
	for _, broker := range kafka.Brokers {
		host, port, err := net.SplitHostPort(broker)
		number, portErr := strconv.ParseUint(port, 10, 16)
		if err != nil || portErr != nil || host == "" || number == 0 {
			c.refuse("kafka.brokers", broker, "it is not host:port", "write for example localhost:9092, several with commas")
		}
	}
	c.oneOf("kafka.engine", kafka.Engine)
	c.oneOf("kafka.rebalance", kafka.Rebalance)
	if strings.TrimSpace(kafka.ClientID) == "" {
		c.refuse("kafka.client_id", kafka.ClientID, "brokers know a client by it", c.usual("kafka.client_id"))
	}
	c.instance(kafka)
	c.version(kafka.Version)
	if kafka.Wait < 0 {
		c.refuse("kafka.wait", kafka.Wait, "it must not be negative", "0 does not wait, "+c.usual("kafka.wait"))
	}
	c.positive("kafka.commit_interval", kafka.CommitInterval)
	if kafka.IsolationLevel != "read_committed" {
		c.refuse("kafka.isolation_level", kafka.IsolationLevel, "records of aborted transactions would be handled as if they had happened",
			"set it to read_committed")
	}
	c.oneOf("kafka.unreadable", kafka.Unreadable)
	c.atLeast("kafka.fetch_bytes", kafka.FetchBytes, 1)
	c.atLeast("kafka.batch_records", kafka.BatchRecords, 1)
	c.atLeast("kafka.memory", kafka.Memory, leastMemory)
	if c.atLeast("kafka.max_decompressed_bytes", kafka.MaxDecompressedBytes, 1) && kafka.MaxDecompressedBytes < kafka.Producer.MaxMessageBytes {
		c.refuse("kafka.max_decompressed_bytes", kafka.MaxDecompressedBytes,
			fmt.Sprintf("a record of kafka.producer.max_message_bytes (%s) could be sent but never read", formatSize(kafka.Producer.MaxMessageBytes)),
			c.usual("kafka.max_decompressed_bytes"), "kafka.producer.max_message_bytes")
	}
}

// longestInstance leaves room for a consumer's name within the 249 characters that Kafka takes.
const longestInstance = 150

func (c *checker) instance(kafka Kafka) {
	const advice = "write hostname, or a name that no other process has"
	switch name := kafka.InstanceID; {
	case name == "":
	case !legalInTopic(name):
		c.refuse("kafka.instance_id", name, "an instance id has letters, digits, . _ and - only", advice)
	case len(name) > longestInstance:
		c.refuse("kafka.instance_id", name, fmt.Sprintf("it has %d characters, and with a consumer's name Kafka takes no more than %d of them", len(name), longestInstance), advice)
	case kafka.Engine == "watermill":
		c.refuse("kafka.instance_id", name, "watermill-kafka joins a group once for each topic, and a group has one member of a name",
			"remove the line, or set kafka.engine to millrace", "kafka.engine")
	}
}

// version takes what the client takes, from the first Kafka on that has all that we use (zstd batches, KIP-110: 2.1).
func (c *checker) version(version string) {
	parts := regexp.MustCompile(`^(\d{1,4})\.(\d{1,4})\.(\d{1,4})$`).FindStringSubmatch(version)
	if parts == nil {
		c.refuse("kafka.version", version, "it is not a version of Kafka", "write the oldest that the brokers run, for example 2.8.0")
		return
	}
	major, _ := strconv.Atoi(parts[1])
	minor, _ := strconv.Atoi(parts[2])
	if major < 2 || major == 2 && minor < 1 {
		c.refuse("kafka.version", version, "brokers before 2.1.0 lack what Millrace needs", "write the oldest that the brokers run, 2.1.0 or later")
	}
}

// deadlines checks that what must end before something else does: a heartbeat in time although a fetch stalls, and
// try ≤ drain < close < rebalance.
func (c *checker) deadlines() {
	kafka := c.settings.Kafka
	session := c.positive("kafka.session_timeout", kafka.SessionTimeout)
	heartbeat := c.positive("kafka.heartbeat_interval", kafka.HeartbeatInterval)
	read := c.positive("kafka.read_timeout", kafka.ReadTimeout)
	rebalance := c.positive("kafka.rebalance_timeout", kafka.RebalanceTimeout)
	drain := c.positive("kafka.drain_timeout", kafka.DrainTimeout)
	closing := c.positive("kafka.close_timeout", kafka.CloseTimeout)
	if session && heartbeat && kafka.HeartbeatInterval >= (kafka.SessionTimeout+2)/3 {
		c.refuse("kafka.heartbeat_interval", kafka.HeartbeatInterval,
			"it is not less than a third of "+also("kafka.session_timeout", kafka.SessionTimeout)+", so two lost heartbeats cost the partitions",
			"set it below a third of the session timeout", "kafka.session_timeout")
	}
	if session && heartbeat && read && kafka.ReadTimeout >= kafka.SessionTimeout-kafka.HeartbeatInterval {
		c.refuse("kafka.read_timeout", kafka.ReadTimeout,
			fmt.Sprintf("with %s it does not fit into %s, and a stalled fetch holds heartbeats back until the group gives the partitions to others",
				also("kafka.heartbeat_interval", kafka.HeartbeatInterval), also("kafka.session_timeout", kafka.SessionTimeout)),
			"set it below the session timeout less a heartbeat", "kafka.heartbeat_interval", "kafka.session_timeout")
	}
	if drain && closing {
		c.before("kafka.drain_timeout", kafka.DrainTimeout, "kafka.close_timeout", kafka.CloseTimeout, "the router would close on work that may still end")
	}
	if closing && rebalance {
		c.before("kafka.close_timeout", kafka.CloseTimeout, "kafka.rebalance_timeout", kafka.RebalanceTimeout, "the group would throw out a member that is still closing")
	}
}

func (c *checker) before(path string, first time.Duration, laterPath string, later time.Duration, reason string) {
	if first >= later {
		c.refuse(path, first, "it is not shorter than "+also(laterPath, later)+", so "+reason, "make it shorter or the other longer", laterPath)
	}
}

// also names another setting and its value within a reason.
func also(path string, value time.Duration) string {
	return path + " (" + formatDuration(value) + ")"
}

func (c *checker) producer() {
	producer := c.settings.Kafka.Producer
	if producer.Acks != "all" {
		c.refuse("kafka.producer.acks", producer.Acks, "a record that not all in-sync replicas have is lost with its broker", "set it to all")
	}
	if !producer.Idempotent {
		c.refuse("kafka.producer.idempotent", false, "an answer that is lost on its way would send the record twice and out of order", "set it to true")
	}
	c.oneOf("kafka.producer.compression", producer.Compression)
	if producer.Retries < 1 {
		c.refuse("kafka.producer.retries", producer.Retries, "an idempotent producer must be able to send again", "set it to 1 or more, "+c.usual("kafka.producer.retries"))
	}
	c.positive("kafka.producer.retry_backoff", producer.RetryBackoff)
	delivery := c.positive("kafka.producer.delivery_timeout", producer.DeliveryTimeout)
	if producer.Linger < 0 {
		c.refuse("kafka.producer.linger", producer.Linger, "it must not be negative", "0 does not wait")
	} else if delivery && producer.Linger > 0 {
		c.before("kafka.producer.linger", producer.Linger, "kafka.producer.delivery_timeout", producer.DeliveryTimeout, "records would wait until it is too late")
	}
	c.atLeast("kafka.producer.batch_bytes", producer.BatchBytes, 0)
	if c.atLeast("kafka.producer.max_message_bytes", producer.MaxMessageBytes, 1) {
		c.withEnvelope("kafka.producer.max_message_bytes", producer.MaxMessageBytes)
	}
}

// envelope is what a dead letter may be larger than its record.
const envelope = 1 << 20

// withEnvelope checks that the dead letter of the largest record still has a size that Kafka can say.
func (c *checker) withEnvelope(path string, bytes int) {
	if bytes > math.MaxInt32-envelope {
		c.refuse(path, bytes, "the dead letter of such a record (1 MiB more) would be larger than Kafka can take", "leave 1 MiB below 2 GiB")
	}
}

// leastMemory is what the fetches of a few partitions need.
const leastMemory = 8 << 20
