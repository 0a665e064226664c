package kafka

import (
	"context"
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
