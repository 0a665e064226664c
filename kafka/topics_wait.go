package kafka

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/IBM/sarama"
)

// waitForLeaders waits until every partition of the topics has a leader: before that, a group that joins is given nothing.
func waitForLeaders(ctx context.Context, admin sarama.ClusterAdmin, plans []TopicPlan) error {
	ctx, cancel := context.WithTimeoutCause(ctx, readPatience, fmt.Errorf("not all partitions had a leader after %s", readPatience))
	defer cancel()
	var names []string
	partitions := map[string]int{}
	for _, plan := range plans {
		if plan.Action != ActionMissing {
			names = append(names, plan.Topic)
			partitions[plan.Topic] = plan.Partitions + plan.AddPartitions
		}
	}
	if len(names) == 0 {
		return nil
	}
	notReady := func(topic *sarama.TopicMetadata) bool {
		return leaderless(topic) || len(topic.Partitions) < partitions[topic.Name]
	}
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		topics, err := await(ctx, func() ([]*sarama.TopicMetadata, error) { return admin.DescribeTopics(names) })
		if err == nil && !slices.ContainsFunc(topics, notReady) && len(topics) == len(names) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the leaders of the topics: %w", context.Cause(ctx))
		case <-again.C:
		}
	}
}

// leaderless says whether the topic cannot be read yet.
func leaderless(topic *sarama.TopicMetadata) bool {
	return topic.Err != sarama.ErrNoError || slices.ContainsFunc(topic.Partitions, func(p *sarama.PartitionMetadata) bool {
		return p.Err != sarama.ErrNoError && p.Err != sarama.ErrReplicaNotAvailable || p.Leader < 0
	})
}
