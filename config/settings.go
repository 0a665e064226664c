// Package config owns every setting: its meaning, unit, default, environment name and Kafka's own name, where each value came from, and
// the check that reports all mistakes at once. It never opens anything but the configuration files and knows no other package of ours.
package config

import "time"

// Settings is the whole configuration. Its zero value is of no use: [Default] returns the defaults, [Load] what the files, the environment
// and the flags make of them.
type Settings struct {
	// Config is the configuration file; empty for none. Default config.yaml in the working directory, when there is one.
	Config string `koanf:"config"`
	// Profile names the profile file that was laid over the file (config.PROFILE.yaml); empty for none.
	Profile string `koanf:"profile"`
	// DataDir is the directory of everything that Millrace keeps. Default ./data.
	DataDir string `koanf:"data_dir"`
	// Dev starts or finds the embedded broker in the data directory instead of asking for brokers.
	Dev     bool    `koanf:"dev"`
	HTTP    HTTP    `koanf:"http"`
	Metrics Metrics `koanf:"metrics"`
	Log     Log     `koanf:"log"`
	Kafka   Kafka   `koanf:"kafka"`
	// Topics has each topic by its own name, with TopicDefaults already filled in.
	Topics map[string]Topic `koanf:"-"`
	// TopicDefaults counts for each topic that does not set the same itself (topics.defaults).
	TopicDefaults Topic       `koanf:"-"`
	DeadLetters   DeadLetters `koanf:"dead_letters"`
	Consumers     Consumers   `koanf:"-"`
	Limits        Limits      `koanf:"limits"`
	Store         Store       `koanf:"store"`
	Privacy       Privacy     `koanf:"privacy"`
	Analytics     Analytics   `koanf:"analytics"`
	Tracing       Tracing     `koanf:"tracing"`
	// Archive, Logging and Notification are those of the sinks of the same name.
	Archive      Archive      `koanf:"archive"`
	Logging      Logging      `koanf:"logging"`
	Notification Notification `koanf:"notification"`
	// Plugins has a section per plugin as the files have it, without the environment; [Loaded.Plugin] reads it as the plugin means it.
	Plugins Sections `koanf:"-"`
}

// Consumer returns the settings of a consumer: its own, or the defaults under its name when it has none.
func (s Settings) Consumer(name string) Consumer {
	if own, found := s.Consumers.ByName[name]; found {
		return own
	}
	consumer := s.Consumers.Defaults
	consumer.Group = name
	return consumer
}

// Topic returns the settings of a topic by its own name: its own, or the defaults under its name when it has none.
func (s Settings) Topic(name string) Topic {
	if own, found := s.Topics[name]; found {
		return own
	}
	topic := s.TopicDefaults
	topic.Name = name
	return topic
}

// HTTP is the address for this machine alone. It has /metrics, /healthz and /readyz.
type HTTP struct {
	// Address is host:port on loopback. Default 127.0.0.1:7070; when the default is taken, the next free port.
	Address string `koanf:"address"`
}

// Metrics is the address of /metrics, /healthz and /readyz for others: Prometheus, and the kubelet's probes.
type Metrics struct {
	// Address is any host:port; :7071 is every address of the machine. Nothing there asks for a login, and nothing there shows anything of a
	// record or changes anything. Empty, the default, leaves them at HTTP.Address alone.
	Address string `koanf:"address"`
}

// Log is what is written to stderr.
type Log struct {
	// Level is debug, info, warn or error. Default info.
	Level string `koanf:"level"`
	// Format is auto (text on a terminal, JSON elsewhere), text or json. Default auto.
	Format string `koanf:"format"`
}

// Kafka is the connection to the brokers and both ends of it.
type Kafka struct {
	// Brokers are host:port addresses (bootstrap.servers). No default.
	Brokers []string `koanf:"brokers"`
	// Engine is millrace, or watermill for watermill-kafka's subscriber and publisher. Default millrace.
	Engine string `koanf:"engine"`
	// ClientID is client.id. Default millrace.
	ClientID string `koanf:"client_id"`
	// InstanceID makes each consumer a static member of its group, INSTANCE-CONSUMER (group.instance.id): a restart within the session timeout
	// moves no partition. [InstanceHostname] takes the host's name. Default empty: a stop leaves the groups.
	InstanceID string `koanf:"instance_id"`
	// Version is the oldest Kafka that the brokers run. Default 2.8.0.
	Version string `koanf:"version"`
	// Wait is how long a broker that is away at start is waited for. Default 60 s.
	Wait time.Duration `koanf:"wait"`
	// SessionTimeout is session.timeout.ms. Default 10 s: a killed process must not hold its group for longer.
	SessionTimeout time.Duration `koanf:"session_timeout"`
	// HeartbeatInterval is heartbeat.interval.ms. Default 2 s.
	HeartbeatInterval time.Duration `koanf:"heartbeat_interval"`
	// ReadTimeout is how long an answer of a broker is waited for. Default 2.5 s; with a heartbeat it must fit into the session timeout,
	// for a stalled fetch holds the connection on which heartbeats go.
	ReadTimeout time.Duration `koanf:"read_timeout"`
	// RebalanceTimeout is how long a group waits for its members to give partitions back (max.poll.interval.ms). Default 60 s.
	RebalanceTimeout time.Duration `koanf:"rebalance_timeout"`
	// DrainTimeout is how long work in flight may take to end on a stop or a rebalance. Default 20 s.
	DrainTimeout time.Duration `koanf:"drain_timeout"`
	// CloseTimeout is how long the router as a whole may take to close: the drain, the last commit, the dead letters. Default 30 s.
	CloseTimeout time.Duration `koanf:"close_timeout"`
	// CommitInterval is auto.commit.interval.ms: how often the frontier is committed. Default 1 s.
	CommitInterval time.Duration `koanf:"commit_interval"`
	// IsolationLevel is isolation.level. Default and only safe value: read_committed.
	IsolationLevel string `koanf:"isolation_level"`
	// Rebalance is how a group's partitions change hands: eager, cooperative, or migrate on the way from one to the other. Default eager.
	Rebalance string `koanf:"rebalance"`
	// FetchBytes is max.partition.fetch.bytes: what one fetch asks of a partition. Default 1 MiB.
	FetchBytes int `koanf:"fetch_bytes"`
	// Memory is what all consumers together keep of records that were read and are not finished, and of those that are read ahead.
	// It is divided over the partitions. Default 256 MiB.
	Memory int `koanf:"memory"`
	// BatchRecords is how many records of a partition are handed over at once, at most. Default 512.
	BatchRecords int `koanf:"batch_records"`
	// MaxDecompressedBytes bounds what one compressed batch may grow to. Default 256 MiB.
	MaxDecompressedBytes int `koanf:"max_decompressed_bytes"`
	// Unreadable is what is done about a batch that cannot be read: [UnreadableHold] or [UnreadableSkip]. Default hold.
	Unreadable string   `koanf:"unreadable"`
	Security   Security `koanf:"security"`
	TLS        TLS      `koanf:"tls"`
	SASL       SASL     `koanf:"sasl"`
	Producer   Producer `koanf:"producer"`
}

// InstanceHostname is the value of kafka.instance_id that stands for the name of the host.
const InstanceHostname = "hostname"

const (
	// UnreadableHold keeps a partition before a batch that cannot be read, with an alarm.
	UnreadableHold = "hold"
	// UnreadableSkip passes exactly the offsets of the batch and records them as a gap.
	UnreadableSkip = "skip"
)

// Producer is how records are sent.
type Producer struct {
	// Acks is acks. Default and only safe value: all.
	Acks string `koanf:"acks"`
	// Idempotent is enable.idempotence. Default and only safe value: true.
	Idempotent bool `koanf:"idempotent"`
	// Compression is compression.type: none, gzip, snappy, lz4 or zstd. Default none.
	Compression string `koanf:"compression"`
	// Retries is how often a record is sent again after the first try. Default 3.
	Retries int `koanf:"retries"`
	// RetryBackoff is the pause between two tries (retry.backoff.ms). Default 100 ms.
	RetryBackoff time.Duration `koanf:"retry_backoff"`
	// Linger is linger.ms. Default 0.
	Linger time.Duration `koanf:"linger"`
	// BatchBytes is batch.size; 0 leaves it to the client. Default 0.
	BatchBytes int `koanf:"batch_bytes"`
	// MaxMessageBytes is max.request.size. Default 1 MiB.
	MaxMessageBytes int `koanf:"max_message_bytes"`
	// DeliveryTimeout is how long a dead letter is tried to be written before its partition is held with an alarm. Default 2 min.
	DeliveryTimeout time.Duration `koanf:"delivery_timeout"`
}

// Topic is one topic and what its consumers do with the unusual. The key in [Settings.Topics] is the topic's own name in the code, for
// example order-events.
type Topic struct {
	// Name is the topic's name on the brokers. Default: its own name.
	Name string `koanf:"name"`
	// Manage is [ManageOn], or [ManageOff] for a topic that others own: it and its dead-letter topic are checked and never made. Default on.
	Manage string `koanf:"manage"`
	// Partitions is the number of partitions that the topic is made with. Default 6.
	Partitions int `koanf:"partitions"`
	// Replicas is the replication factor. Default 3, or as many as there are brokers.
	Replicas int `koanf:"replicas"`
	// Retention is retention.ms. Default 168 h; -1 for ever.
	Retention time.Duration `koanf:"retention"`
	// MaxMessageBytes is max.message.bytes; 0 leaves the broker's default. Default 0.
	MaxMessageBytes int `koanf:"max_message_bytes"`
	// KeyRule is id (the key is the entity's id), patientId or any. Default id.
	KeyRule string `koanf:"key"`
	// UnknownAction, UnknownStatus and Tombstone are dead-letter or skip. Default dead-letter.
	UnknownAction string `koanf:"unknown_action"`
	UnknownStatus string `koanf:"unknown_status"`
	Tombstone     string `koanf:"tombstone"`
	// Transitions is dead-letter or accept, for a status that cannot follow the present one. Default dead-letter.
	Transitions string `koanf:"transitions"`
}

const (
	// ManageOn creates a topic that is missing.
	ManageOn = "on"
	// ManageOff only checks a topic, and says with which commands its owner can make it.
	ManageOff = "off"
)

// DeadLetters is where records go that a consumer gave up on.
type DeadLetters struct {
	// Suffix is what a topic's name gets. Default -dlt (Spring Kafka 3.3 and later; before that .DLT).
	Suffix string `koanf:"suffix"`
	// Retention is retention.ms of the dead-letter topics. Default 720 h.
	Retention time.Duration `koanf:"retention"`
	// RedriveSuffix is what a consumer group's name gets for the topic on which its dead letters come back to it. Default -redrive.
	RedriveSuffix string `koanf:"redrive_suffix"`
}

// Consumers has the settings of all consumers and of each by name.
type Consumers struct {
	// Defaults counts for each consumer that does not set the same itself.
	Defaults Consumer
	// ByName has each consumer that exists, with the defaults already filled in.
	ByName map[string]Consumer
}

// Consumer is the level of Spring's @KafkaListener.
type Consumer struct {
	// Enabled starts the consumer. Default true.
	Enabled bool `koanf:"enabled"`
	// Topics restricts the consumer to these topics (own names); empty for all it has routes for.
	Topics []string `koanf:"topics"`
	// Group is group.id. Default: the consumer's name.
	Group string `koanf:"group"`
	// Start is earliest, latest or an RFC 3339 time: where a group without any position on a topic begins. Default earliest.
	Start string `koanf:"start"`
	// Timeout is how long one try may take. Default 10 s.
	Timeout time.Duration `koanf:"timeout"`
	// Ordering is key, partition to handle all records of a partition one after another, or declared for what the consumer was declared
	// with: partition for archive and logging, else key. Default declared.
	Ordering string `koanf:"ordering"`
	// Concurrency is how many keys are handled side by side. Default 64.
	Concurrency int   `koanf:"concurrency"`
	Retry       Retry `koanf:"retry"`
	// UnknownAction, UnknownStatus and Tombstone are dead-letter, skip, or topic for the topic's policy. Default topic.
	UnknownAction string `koanf:"unknown_action"`
	UnknownStatus string `koanf:"unknown_status"`
	Tombstone     string `koanf:"tombstone"`
	// Transitions is dead-letter, accept, or topic for the topic's policy. Default topic.
	Transitions string `koanf:"transitions"`
}

// OrderingDeclared is the ordering that leaves it to the consumer's declaration.
const OrderingDeclared = "declared"

// PolicyOfTopic is the value of a consumer's policy that leaves it to the topic.
const PolicyOfTopic = "topic"

// Retry is how often a record is tried and how long is waited in between.
type Retry struct {
	// Tries counts all tries, the first one too. Default 4.
	Tries int `koanf:"tries"`
	// InitialInterval is the first pause; each later one is twice as long. Default 100 ms.
	InitialInterval time.Duration `koanf:"initial_interval"`
	// MaxInterval bounds the pause. Default 5 s.
	MaxInterval time.Duration `koanf:"max_interval"`
	// MaxElapsed bounds the time from the first try to the last. Default 30 s.
	MaxElapsed time.Duration `koanf:"max_elapsed"`
	// Jitter is the part of a pause that is random, 0 to 1. Default 0.2.
	Jitter float64 `koanf:"jitter"`
}

// Limits bounds what a decoding consumer takes.
type Limits struct {
	// ValueBytes bounds the value. Default 4 MiB.
	ValueBytes int `koanf:"value_bytes"`
	// Headers bounds the number of headers. Default 1,000.
	Headers int `koanf:"headers"`
}

// Privacy is how patients are kept apart without being named.
type Privacy struct {
	// KeyFile has the key of the pseudonyms. Default privacy.key in the data directory, made at the first start.
	KeyFile string `koanf:"key_file"`
}

// Analytics is how events are counted and measured.
type Analytics struct {
	// TimeZone is the IANA zone of a day. Default UTC.
	TimeZone string `koanf:"time_zone"`
}
