package config

import (
	"slices"
	"strings"

	"github.com/prantikov/millrace/config/spring"
)

// springScope is what rules are made for.
type springScope struct {
	consumers, topics []string
	// aliases are names that an application has given to our topics.
	aliases map[string][]string
	// bundle is the name of Spring's bundle with the certificates of Kafka's clients; empty for none.
	bundle string
}

// scopeOf finds in the files what rules are made for.
func (l *Loaded) scopeOf(environment *spring.Environment) (springScope, error) {
	bundle, err := environment.Resolve("${spring.kafka.consumer.ssl.bundle:${spring.kafka.producer.ssl.bundle:${spring.kafka.ssl.bundle:}}}")
	return springScope{consumers: l.sources.ConsumerNames, topics: l.sources.TopicNames, aliases: topicAliases(environment, l.sources.TopicNames), bundle: bundle}, err
}

// rules are all rules, in the order of the documentation.
func (s springScope) rules() []springRule {
	return slices.Concat(springConnection(), springProducer(), springConsumer(s.consumers), springListener(), springSecurity(), springBundle(s.bundle),
		springTopics(s.topics, s.aliases), springProcess())
}

func springProcess() []springRule {
	return []springRule{
		plainRule("profile", "Several with commas; the last counts most. `spring.profiles.include` and `.group.*` are followed too.", springText, "spring.profiles.active"),
		plainRule("log.level", "", springLevel, "logging.level.root"),
		plainRule("kafka.close_timeout", "One that does not fit is replaced by the default, with a warning.", springDuration, "spring.lifecycle.timeout-per-shutdown-phase"),
	}
}

func springConnection() []springRule {
	return []springRule{
		clientRule("kafka.brokers", "bootstrap-servers", "bootstrap.servers", "", springText, springText),
		clientRule("kafka.client_id", "client-id", "client.id", "", springText, springText),
	}
}

func springProducer() []springRule {
	rule := func(setting, own, kafka, doc string, read, kafkaRead springReader) springRule {
		return sideRule("producer", "kafka.producer."+setting, own, kafka, doc, read, kafkaRead)
	}
	return []springRule{
		rule("acks", "acks", "acks", "Anything but `all` (or `-1`) is replaced by `all`, with a warning.", springAcks, springAcks),
		rule("retries", "retries", "retries", "0 is replaced by 3, with a warning.", springText, springText),
		rule("compression", "compression-type", "compression.type", "", springLower, springLower),
		rule("batch_bytes", "batch-size", "batch.size", "", springSize, springSize),
		rule("linger", "", "linger.ms", "", nil, springMilliseconds),
		rule("idempotent", "", "enable.idempotence", "`false` is replaced by `true`, with a warning.", nil, springSwitch),
		rule("retry_backoff", "", "retry.backoff.ms", "", nil, springMilliseconds),
		rule("max_message_bytes", "", "max.request.size", "", nil, springSize),
		rule("delivery_timeout", "", "delivery.timeout.ms", "", nil, springMilliseconds),
	}
}

func springConsumer(consumers []string) []springRule {
	rule := func(setting, own, kafka, doc string, read, kafkaRead springReader) springRule {
		return sideRule("consumer", setting, own, kafka, doc, read, kafkaRead)
	}
	var rules []springRule
	for _, name := range consumers {
		rules = append(rules, rule("consumers."+name+".group", "group-id", "group.id",
			"`X` becomes `X-<name>` for each consumer, never `X` itself. A whole name is `millrace.consumers.<name>.group`.", springGroup(name), springGroup(name)))
	}
	return append(rules,
		rule("consumers.defaults.start", "auto-offset-reset", "auto.offset.reset",
			"Without it Kafka's clients begin at `latest` and Millrace at `earliest`. `none` becomes `earliest`, with a warning.", springReset, springReset),
		rule("kafka.batch_records", "max-poll-records", "max.poll.records", "", springText, springText),
		rule("kafka.isolation_level", "isolation-level", "isolation.level", "`read_uncommitted` is replaced by `read_committed`, with a warning.", springLower, springLower),
		rule("kafka.commit_interval", "auto-commit-interval", "auto.commit.interval.ms", "Only what is finished is committed.", springDuration, springMilliseconds),
		rule("kafka.heartbeat_interval", "heartbeat-interval", "heartbeat.interval.ms", "One that does not fit is replaced by the default, with a warning.", springDuration, springMilliseconds),
		rule("kafka.session_timeout", "", "session.timeout.ms", "One that does not fit is replaced by the default, with a warning.", nil, springMilliseconds),
		rule("kafka.read_timeout", "", "request.timeout.ms", "One that does not fit into the session timeout is replaced by the default, with a warning.", nil, springMilliseconds),
		rule("kafka.rebalance_timeout", "max-poll-interval", "max.poll.interval.ms", "One that does not fit is replaced by the default, with a warning.", springDuration, springMilliseconds),
		rule("kafka.rebalance", "", "partition.assignment.strategy", "`CooperativeStickyAssignor` is `cooperative`, with another beside it `migrate`, all others `eager`.", nil, springAssignor),
		rule("kafka.instance_id", "", "group.instance.id", "Each consumer's member is this with the consumer's name.", nil, springText),
		rule("kafka.fetch_bytes", "", "max.partition.fetch.bytes", "", nil, springSize),
	)
}

func springListener() []springRule {
	const listener, retry = "spring.kafka.listener.", "spring.kafka.retry.topic."
	return []springRule{
		plainRule("consumers.defaults.concurrency", "Threads of a listener there, keys side by side here.", springText, listener+"concurrency"),
		plainRule("consumers.defaults.enabled", "", springSwitch, listener+"auto-startup"),
		plainRule("consumers.defaults.retry.tries", "", springText, retry+"attempts"),
		plainRule("consumers.defaults.retry.initial_interval", "", springDuration, retry+"backoff.delay", retry+"delay"),
		plainRule("consumers.defaults.retry.max_interval", "", springDuration, retry+"backoff.max-delay", retry+"max-delay"),
		plainRule("topics.defaults.manage", "`false` is `off`: topics are checked and none is made.", springManage, "spring.kafka.admin.auto-create"),
	}
}

// springManage takes whether topics are made at start.
func springManage(text string, at spring.Property) springValue {
	read := springSwitch(text, at)
	switch read.value {
	case "true":
		read.value = "on"
	case "false":
		read.value = "off"
	}
	return read
}

// springTopics has the rules of kafka.topic.<name>, by all names under which an application may speak of a topic of ours.
func springTopics(topics []string, aliases map[string][]string) []springRule {
	var rules []springRule
	for _, topic := range topics {
		names := append(topicNames(topic), aliases[topic]...)
		rule := func(setting, doc string, read springReader, endings ...string) {
			var all []string
			for _, name := range names {
				for _, ending := range endings {
					all = append(all, "kafka.topic."+name+ending)
				}
			}
			one := plainRule("topics."+topic+"."+setting, doc, read, all...)
			own := topicNames(topic)
			one.shown = "kafka.topic." + own[len(own)-1] + endings[len(endings)-1]
			rules = append(rules, one)
		}
		rule("name", "`kafka.topic.order=order-events` says the same.", springText, "", ".name")
		rule("partitions", "", springText, ".partitions")
		rule("replicas", "", springText, ".replicas", ".replication-factor")
		rule("retention", "", springDuration, ".retention", ".retention-ms")
	}
	return rules
}

// topicNames are the ways to say order-events in kafka.topic.<name>: as it is, or order or orders.
func topicNames(topic string) []string {
	names := []string{topic}
	if short, found := strings.CutSuffix(topic, "-events"); found {
		names = append(names, short+"s", short)
	}
	return names
}

// topicAliases finds what an application calls our topics from the values: kafka.topic.sales=order-events says that sales is order-events.
func topicAliases(environment *spring.Environment, topics []string) map[string][]string {
	own := map[string]bool{}
	for _, topic := range topics {
		for _, name := range topicNames(topic) {
			own[spring.Uniform(name)] = true
		}
	}
	aliases := map[string][]string{}
	for _, source := range environment.Sources {
		for _, property := range source.Properties {
			name, found := strings.CutPrefix(property.Key, "kafka.topic.")
			if name = strings.TrimSuffix(name, ".name"); !found || own[name] {
				continue
			}
			value, err := environment.Resolve(property.Text())
			if err == nil && slices.Contains(topics, value) && !slices.Contains(aliases[value], name) {
				aliases[value] = append(aliases[value], name)
			}
		}
	}
	return aliases
}
