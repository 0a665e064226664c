package config

import (
	"slices"
	"strings"

	"github.com/prantikov/millrace/config/spring"
)

// springInstead is what Spring can be told and Millrace does in its own way. All of these that a file has are told in one sentence.
type springInstead struct {
	// names are properties; one that ends in a dot is all that is below it.
	names []string
	// sentence says what Millrace does instead.
	sentence string
	// silent says that a text asks for nothing else than what Millrace does.
	silent func(text string) bool
}

// bothNames are a property of one kind of client by Spring's and by Kafka's name.
func bothNames(side, own, kafka string) []string {
	names := []string{"spring.kafka.properties." + kafka, "spring.kafka." + side + ".properties." + kafka}
	if own != "" {
		names = append([]string{"spring.kafka." + side + "." + own}, names...)
	}
	return names
}

// everyClient are the names of what each kind of client can have.
func everyClient(kafka ...string) []string {
	var names []string
	for _, one := range kafka {
		for _, section := range []string{"", "admin.", "producer.", "consumer."} {
			names = append(names, "spring.kafka."+section+"properties."+one)
		}
	}
	return names
}

func springInsteads() []springInstead {
	return []springInstead{
		{names: bothNames("consumer", "enable-auto-commit", "enable.auto.commit"), silent: isFalse,
			sentence: "committing what was read and not yet handled would lose records, so Millrace takes false instead of true and commits what is finished"},
		{names: []string{"spring.kafka.listener.ack-mode", "spring.kafka.listener.ack-count", "spring.kafka.listener.ack-time", "spring.kafka.listener.async-acks"},
			sentence: "Millrace commits what is finished, once in each kafka.commit_interval and at every stop, and no function acknowledges by itself"},
		{names: slices.Concat(bothNames("consumer", "key-deserializer", "key.deserializer"), bothNames("consumer", "value-deserializer", "value.deserializer"),
			bothNames("producer", "key-serializer", "key.serializer"), bothNames("producer", "value-serializer", "value.serializer"), everyClient("spring.json.", "spring.deserializer.")),
			sentence: "Millrace reads and writes the JSON of Spring's serializers by topic and action; no type header chooses what is made of a record, so there is nothing to trust"},
		{names: []string{"spring.kafka.listener.type"}, silent: is("single"), sentence: "records are read in batches and each is handed to its function alone"},
		{names: bothNames("producer", "", "partitioner.class"), sentence: "keys go to the partitions to which Java's default partitioner sends them"},
		{names: bothNames("producer", "", "max.in.flight.requests.per.connection"), sentence: "the idempotent producer keeps the order by itself"},
		{names: []string{"spring.kafka.producer.transaction-id-prefix", "spring.kafka.template.transaction-id-prefix"},
			sentence: "Millrace sends without transactions; effects in its store are exactly once by the progress that is written with them"},
		{names: []string{"spring.kafka.listener.missing-topics-fatal"}, silent: is("true"),
			sentence: "a topic that is missing is made at the start, or is an error where topics.<name>.manage is off"},
		{names: []string{"spring.kafka.admin.fail-fast"}, sentence: "a broker that is away at start is waited for (kafka.wait), then it is an error"},
		{names: []string{"spring.kafka.retry.topic.enabled"}, silent: is("true"), sentence: "a record that fails is always tried again (consumers.<name>.retry)"},
		{names: []string{"spring.kafka.retry.topic.backoff.multiplier", "spring.kafka.retry.topic.multiplier", "spring.kafka.retry.topic.backoff.jitter",
			"spring.kafka.retry.topic.backoff.random", "spring.kafka.retry.topic.random-back-off"},
			sentence: "each pause is twice as long as the one before, up to consumers.<name>.retry.max_interval, and a part of it is random (consumers.<name>.retry.jitter)"},
		{names: slices.Concat(everyClient("ssl.endpoint.identification.algorithm")), silent: is("https"),
			sentence: "that a broker's certificate has its host name is always checked, as https does instead of an empty text"},
		{names: slices.Concat([]string{"spring.kafka.ssl.protocol"}, everyClient("ssl.protocol", "ssl.enabled.protocols")), sentence: "the newest TLS that the broker has is taken, 1.2 or later"},
		{names: everyClient("sasl.login.callback.handler.class", "sasl.client.callback.handler.class", "sasl.login.class"),
			sentence: "no class is loaded; a token comes from kafka.sasl.token_file or kafka.sasl.token_url"},
		{names: []string{"spring.kafka.listener.observation-enabled", "spring.kafka.template.observation-enabled"}, sentence: "metrics are always there, at /metrics"},
		{names: []string{"spring.kafka.listener.immediate-stop"}, sentence: "a stop lets the records that are running end (kafka.drain_timeout) and begins no other"},
		{names: []string{"spring.kafka.listener.log-container-config"}, sentence: "millrace config show prints every setting"},
	}
}

// is says that a text is this word, however it is written.
func is(word string) func(string) bool {
	return func(text string) bool { return strings.EqualFold(strings.TrimSpace(text), word) }
}

func isFalse(text string) bool {
	value, err := spring.Switch(text)
	return err == nil && !value
}
