package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/IBM/sarama"

	"github.com/prantikov/millrace/config"
)

// Groups asks about consumer groups and takes members out of them, from outside: it joins none. It is safe for concurrent use.
type Groups struct {
	admin sarama.ClusterAdmin
}

// NewGroups connects.
func NewGroups(ctx context.Context, s config.Kafka) (*Groups, error) {
	reader, err := NewReader(ctx, s)
	if err != nil {
		return nil, err
	}
	return &Groups{admin: reader.admin}, nil
}

// Close ends it.
func (g *Groups) Close() error { return g.admin.Close() }

// Instances returns the instance ids (group.instance.id) of the group's members, in order; none of a group that does not exist.
func (g *Groups) Instances(ctx context.Context, group string) ([]string, error) {
	described, err := await(ctx, func() ([]*sarama.GroupDescription, error) { return g.admin.DescribeConsumerGroups([]string{group}) })
	if err != nil {
		return nil, fmt.Errorf("asking for the members of group %q: %w", group, explained(err))
	}
	var instances []string
	for _, one := range described {
		if one.Err != sarama.ErrNoError && one.Err != sarama.ErrGroupIDNotFound {
			return nil, fmt.Errorf("asking for the members of group %q: %w", group, explained(one.Err))
		}
		for _, member := range one.Members {
			if member.GroupInstanceId != nil {
				instances = append(instances, *member.GroupInstanceId)
			}
		}
	}
	slices.Sort(instances)
	return instances, nil
}

// Remove takes the member with this instance id out of the group, so that others get its partitions at once, and says whether there was
// one. A process that still runs under it joins again by itself.
func (g *Groups) Remove(ctx context.Context, group, instance string) (bool, error) {
	answer, err := await(ctx, func() (*sarama.LeaveGroupResponse, error) {
		return g.admin.RemoveMemberFromConsumerGroup(group, []string{instance})
	})
	if err == nil {
		err = leaveError(answer)
	}
	if errors.Is(err, sarama.ErrGroupIDNotFound) || errors.Is(err, sarama.ErrUnknownMemberId) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("taking %q out of group %q: %w", instance, group, explained(err))
	}
	return len(answer.Members) == 1 && answer.Members[0].Err == sarama.ErrNoError, nil
}
