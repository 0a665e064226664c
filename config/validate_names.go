package config

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// maxTopicName is Kafka's.
const maxTopicName = 249

func (c *checker) topics() {
	c.suffix()
	c.redriveSuffix()
	c.retention("dead_letters.retention", c.settings.DeadLetters.Retention)
	before := len(c.mistakes)
	c.topic("topics.defaults.", c.settings.TopicDefaults)
	inherited := c.mistakes[before:]
	owners := map[string]string{}
	for _, name := range sortedKeys(c.settings.Topics) {
		topic := c.settings.Topics[name]
		start, prefix := len(c.mistakes), "topics."+name+"."
		c.topic(prefix, topic)
		c.topicName(prefix+"name", topic.Name)
		c.dropInherited(start, prefix, "topics.defaults.", inherited)
		if other, taken := owners[topic.Name]; taken {
			c.refuse(prefix+"name", topic.Name, "it is that of topics."+other+".name too, and a record could not be told to be of one or the other",
				"give each topic its own", "topics."+other+".name")
			continue
		}
		owners[topic.Name] = name
	}
	for _, name := range sortedKeys(owners) {
		if other, taken := owners[name+c.settings.DeadLetters.Suffix]; taken && c.settings.DeadLetters.Suffix != "" {
			c.refuse("topics."+other+".name", c.settings.Topics[other].Name, "the dead letters of topics."+owners[name]+" go to a topic of this name",
				"give it another, or change dead_letters.suffix", "topics."+owners[name]+".name", "dead_letters.suffix")
		}
	}
}

func (c *checker) suffix() {
	suffix := c.settings.DeadLetters.Suffix
	if suffix == "" {
		c.refuse("dead_letters.suffix", "", "dead letters would go back to the topic that they came from", c.usual("dead_letters.suffix"))
	} else if !legalInTopic(suffix) {
		c.refuse("dead_letters.suffix", suffix, "a topic's name has letters, digits, . _ and - only", c.usual("dead_letters.suffix"))
	}
}

func (c *checker) redriveSuffix() {
	switch suffix := c.settings.DeadLetters.RedriveSuffix; {
	case suffix == "":
		c.refuse("dead_letters.redrive_suffix", "", "dead letters would come back on a topic that has the name of a group", c.usual("dead_letters.redrive_suffix"))
	case !legalInTopic(suffix):
		c.refuse("dead_letters.redrive_suffix", suffix, "a topic's name has letters, digits, . _ and - only", c.usual("dead_letters.redrive_suffix"))
	}
}

func legalInTopic(name string) bool { return regexp.MustCompile(`^[a-zA-Z0-9._-]+$`).MatchString(name) }

func (c *checker) topicName(path, name string) {
	const advice = "write the topic's name as the brokers have it"
	switch {
	case name == "" || name == "." || name == "..":
		c.refuse(path, name, "it is no name that Kafka takes", advice)
	case !legalInTopic(name):
		c.refuse(path, name, "a topic's name has letters, digits, . _ and - only", advice)
	case len(name) > maxTopicName:
		c.refuse(path, name, fmt.Sprintf("it has %d characters and Kafka takes %d", len(name), maxTopicName), advice)
	case len(name)+len(c.settings.DeadLetters.Suffix) > maxTopicName:
		c.refuse(path, name, fmt.Sprintf("with dead_letters.suffix it has more than the %d characters that Kafka takes", maxTopicName),
			"shorten one of the two", "dead_letters.suffix")
	}
}

func (c *checker) topic(prefix string, topic Topic) {
	if c.atLeast(prefix+"partitions", topic.Partitions, 1) && topic.Partitions > math.MaxInt32 {
		c.refuse(prefix+"partitions", topic.Partitions, "it is more than Kafka can say", c.usual(prefix+"partitions"))
	}
	if c.atLeast(prefix+"replicas", topic.Replicas, 1) && topic.Replicas > math.MaxInt16 {
		c.refuse(prefix+"replicas", topic.Replicas, "it is more than Kafka can say", c.usual(prefix+"replicas"))
	}
	c.retention(prefix+"retention", topic.Retention)
	if c.atLeast(prefix+"max_message_bytes", topic.MaxMessageBytes, 0) {
		c.withEnvelope(prefix+"max_message_bytes", topic.MaxMessageBytes)
		if limit := c.settings.Kafka.MaxDecompressedBytes; limit > 0 && topic.MaxMessageBytes > limit {
			c.refuse(prefix+"max_message_bytes", topic.MaxMessageBytes,
				fmt.Sprintf("a batch of this size is larger than kafka.max_decompressed_bytes (%s) and could never be read", formatSize(limit)),
				"make it smaller or the other larger", "kafka.max_decompressed_bytes")
		}
	}
	c.oneOf(prefix+"manage", topic.Manage)
	c.oneOf(prefix+"key", topic.KeyRule)
	c.oneOf(prefix+"unknown_action", topic.UnknownAction)
	c.oneOf(prefix+"unknown_status", topic.UnknownStatus)
	c.oneOf(prefix+"tombstone", topic.Tombstone)
	c.oneOf(prefix+"transitions", topic.Transitions)
}

func (c *checker) retention(path string, value time.Duration) {
	// Kafka counts in milliseconds: less would be 0 there.
	if value != -1 && value < time.Millisecond {
		c.refuse(path, value, "nothing would be kept", c.usual(path)+", and -1 keeps for ever")
	}
}

// dropInherited takes back what was reported for the defaults already.
func (c *checker) dropInherited(start int, prefix, defaults string, inherited []*Mistake) {
	c.mistakes = append(c.mistakes[:start:start], slices.DeleteFunc(slices.Clone(c.mistakes[start:]), func(own *Mistake) bool {
		return slices.ContainsFunc(inherited, func(other *Mistake) bool {
			return strings.TrimPrefix(own.Path, prefix) == strings.TrimPrefix(other.Path, defaults) && own.Value == other.Value && own.Reason == other.Reason
		})
	})...)
}

func (c *checker) consumers() {
	before := len(c.mistakes)
	c.consumer("consumers.defaults.", c.settings.Consumers.Defaults)
	inherited := c.mistakes[before:]
	owners, redriveOwners := map[string]string{}, map[string]string{}
	for _, name := range sortedKeys(c.settings.Consumers.ByName) {
		consumer := c.settings.Consumers.ByName[name]
		start, prefix := len(c.mistakes), "consumers."+name+"."
		c.consumer(prefix, consumer)
		c.group(prefix+"group", consumer.Group)
		c.dropInherited(start, prefix, "consumers.defaults.", inherited)
		if !consumer.Enabled {
			continue
		}
		if other, taken := owners[consumer.Group]; taken {
			c.refuse(prefix+"group", consumer.Group,
				"it is that of consumers."+other+" too, and they would share a topic's records instead of each getting all",
				"give each consumer its own group", "consumers."+other+".group")
			continue
		}
		owners[consumer.Group] = name
		c.redriveTopic(name, redriveOwners)
	}
}

func (c *checker) group(path, group string) {
	if strings.TrimSpace(group) != group || group == "" || strings.ContainsFunc(group, unicode.IsControl) {
		c.refuse(path, group, "it is no name of a consumer group", "write one without spaces around it, or remove the line")
	}
}

func (c *checker) consumer(prefix string, consumer Consumer) {
	for _, topic := range consumer.Topics {
		if _, found := c.settings.Topics[topic]; !found && len(c.settings.Topics) > 0 && !c.partial {
			c.refuse(prefix+"topics", topic, "there is no topic of this name", "the nearest is "+nearest(topic, sortedKeys(c.settings.Topics)))
		}
	}
	if consumer.Start != "earliest" && consumer.Start != "latest" {
		if _, err := time.Parse(time.RFC3339, consumer.Start); err != nil {
			c.refuse(prefix+"start", consumer.Start, "it is no place to start", "write earliest, latest or a time like 2026-01-31T08:00:00Z")
		}
	}
	c.oneOf(prefix+"unknown_action", consumer.UnknownAction)
	c.oneOf(prefix+"unknown_status", consumer.UnknownStatus)
	c.oneOf(prefix+"tombstone", consumer.Tombstone)
	c.oneOf(prefix+"transitions", consumer.Transitions)
	c.oneOf(prefix+"ordering", consumer.Ordering)
	if c.atLeast(prefix+"concurrency", consumer.Concurrency, 1); consumer.Concurrency > mostConcurrency {
		c.refuse(prefix+"concurrency", consumer.Concurrency, "it is more than one process can be trusted with", "write at most "+strconv.Itoa(mostConcurrency))
	}
	drain := c.settings.Kafka.DrainTimeout
	if c.positive(prefix+"timeout", consumer.Timeout) && drain > 0 && consumer.Timeout > drain {
		c.refuse(prefix+"timeout", consumer.Timeout, "it is longer than "+also("kafka.drain_timeout", drain)+", so a stop would cut a try off that may still succeed",
			"make it shorter or the other longer", "kafka.drain_timeout")
	}
	c.retry(prefix+"retry.", consumer.Retry)
}

// mostConcurrency bounds the keys side by side: each is a goroutine with a stack.
const mostConcurrency = 100_000

func (c *checker) retry(prefix string, retry Retry) {
	c.atLeast(prefix+"tries", retry.Tries, 1)
	initial := c.positive(prefix+"initial_interval", retry.InitialInterval)
	if c.positive(prefix+"max_interval", retry.MaxInterval) && initial && retry.InitialInterval > retry.MaxInterval {
		c.refuse(prefix+"initial_interval", retry.InitialInterval, "the first pause is longer than the longest, "+also("retry.max_interval", retry.MaxInterval),
			"make it shorter or the other longer", prefix+"max_interval")
	}
	c.positive(prefix+"max_elapsed", retry.MaxElapsed)
	if !(retry.Jitter >= 0 && retry.Jitter <= 1) {
		c.refuse(prefix+"jitter", retry.Jitter, "it is the part of a pause that is random", "write a number from 0 to 1, "+c.usual(prefix+"jitter"))
	}
}
