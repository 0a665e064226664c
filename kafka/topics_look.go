package kafka

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/IBM/sarama"
)

// cluster is what there is.
type cluster struct {
	brokers int
	// maxMessageBytes is what a topic takes that was not told otherwise.
	maxMessageBytes int
	topics          map[string]TopicPlan
}

// look asks for the brokers and the topics with these names.
func look(admin sarama.ClusterAdmin, names []string) (cluster, error) {
	brokers, controller, err := admin.DescribeCluster()
	if err != nil {
		return cluster{}, fmt.Errorf("asking for the brokers: %w", explained(err))
	}
	c := cluster{brokers: len(brokers), maxMessageBytes: defaultMaxMessageBytes, topics: map[string]TopicPlan{}}
	c.maxMessageBytes = brokerLimit(admin, controller)
	if len(names) == 0 {
		return c, nil
	}
	described, err := admin.DescribeTopics(names)
	if err != nil {
		return cluster{}, fmt.Errorf("asking for the topics: %w", explained(err))
	}
	for _, topic := range described {
		if topic.Err == sarama.ErrUnknownTopicOrPartition {
			continue
		}
		if topic.Err != sarama.ErrNoError && topic.Err != sarama.ErrLeaderNotAvailable {
			return cluster{}, fmt.Errorf("asking for topic %q: %w", topic.Name, explained(needing(topic.Err, OperationDescribe, ResourceTopic, topic.Name)))
		}
		plan := TopicPlan{Topic: topic.Name, Exists: true, Partitions: len(topic.Partitions)}
		if len(topic.Partitions) > 0 {
			plan.Replicas = len(topic.Partitions[0].Replicas)
		}
		entries, err := topicConfig(admin, topic.Name)
		if err != nil {
			return cluster{}, fmt.Errorf("asking for the settings of topic %q: %w", topic.Name, explained(needing(err, OperationDescribeConfigs, ResourceTopic, topic.Name)))
		}
		c.topics[topic.Name] = configured(plan, entries)
	}
	return c, nil
}

// knownWithin bounds how long a topic that one broker knows may be unknown to another: the brokers hear of a new one one after another.
const knownWithin = 5 * time.Second

// topicConfig asks for the settings of a topic that exists.
func topicConfig(admin sarama.ClusterAdmin, name string) ([]sarama.ConfigEntry, error) {
	for limit := time.Now().Add(knownWithin); ; <-time.After(lookAgain) {
		entries, err := describeConfig(admin, sarama.TopicResource, name)
		if !errors.Is(err, sarama.ErrUnknownTopicOrPartition) || time.Now().After(limit) {
			return entries, err
		}
	}
}

// describeConfig asks for the settings of one topic or broker.
func describeConfig(admin sarama.ClusterAdmin, kind sarama.ConfigResourceType, name string) ([]sarama.ConfigEntry, error) {
	results, err := admin.DescribeConfigs([]*sarama.ConfigResource{{Type: kind, Name: name}}, sarama.DescribeConfigsOptions{})
	if err != nil {
		return nil, err
	}
	var entries []sarama.ConfigEntry
	for _, result := range results {
		if result.ErrorCode != sarama.ErrNoError {
			return nil, result.ErrorCode
		}
		entries = append(entries, result.Configs...)
	}
	return entries, nil
}

// brokerLimit is message.max.bytes of the broker; Kafka's default where we may not ask.
func brokerLimit(admin sarama.ClusterAdmin, broker int32) int {
	entries, err := describeConfig(admin, sarama.BrokerResource, strconv.Itoa(int(broker)))
	if err != nil {
		return defaultMaxMessageBytes
	}
	for _, entry := range entries {
		if bytes, err := strconv.Atoi(entry.Value); entry.Name == "message.max.bytes" && err == nil {
			return bytes
		}
	}
	return defaultMaxMessageBytes
}

// configured is the plan with the topic's settings.
func configured(plan TopicPlan, entries []sarama.ConfigEntry) TopicPlan {
	for _, entry := range entries {
		switch number, err := strconv.ParseInt(entry.Value, 10, 64); {
		case entry.Name == cleanupEntry:
			plan.Cleanup = entry.Value
		case err != nil:
		case entry.Name == retentionEntry && number < 0:
			plan.Retention = -1
		case entry.Name == retentionEntry:
			plan.Retention = time.Duration(number) * time.Millisecond
		case entry.Name == bytesEntry:
			plan.MaxMessageBytes = int(number)
		case entry.Name == timestampAhead:
			plan.limitsAhead = true
		}
	}
	return plan
}
