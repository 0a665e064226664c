package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/IBM/sarama"
)

// TopicIDs returns the id that the brokers gave each of these topics when it was made (KIP-516): a topic that was deleted and made anew, or
// one of the same name in another cluster, has another. It leaves out topics that do not exist, and all of a cluster that is too old for ids.
func (r *Reader) TopicIDs(ctx context.Context, topics []string) (map[string]string, error) {
	described, err := await(ctx, func() ([]*sarama.TopicMetadata, error) { return r.admin.DescribeTopics(topics) })
	if err != nil {
		return nil, fmt.Errorf("asking for the ids of topics: %w", explained(err))
	}
	return idsOf(described), nil
}

// Existing returns which of the topics there are. It asks once for all of them, where a question about one that is missing is asked again for a while.
func (r *Reader) Existing(ctx context.Context, topics []string) (map[string]bool, error) {
	existing := make(map[string]bool, len(topics))
	if len(topics) == 0 {
		return existing, nil
	}
	described, err := await(ctx, func() ([]*sarama.TopicMetadata, error) { return r.admin.DescribeTopics(topics) })
	if err != nil {
		return nil, fmt.Errorf("asking which topics there are: %w", explained(err))
	}
	for _, topic := range described {
		switch {
		case errors.Is(topic.Err, sarama.ErrUnknownTopicOrPartition):
		case denied(topic.Err):
			return nil, fmt.Errorf("asking for topic %q: %w", topic.Name, explained(needing(topic.Err, OperationDescribe, ResourceTopic, topic.Name)))
		default:
			existing[topic.Name] = true
		}
	}
	return existing, nil
}
