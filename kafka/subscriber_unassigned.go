package kafka

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/IBM/sarama"
)

// watchUnassigned looks for partitions that the group has given to no member, now and then until the session ends.
//
// A member that comes back under its instance id is given what it had, and nothing is shared anew: neither what a topic has grown meanwhile
// nor a topic that the member did not read before. And the client of a leader that came back is not told that it leads, so nobody looks any
// more whether topics grow. A partition that stays unassigned makes the member leave and join again, which shares everything anew.
func (s *session) watchUnassigned(sess sarama.ConsumerGroupSession) {
	ticker := time.NewTicker(s.m.settings.StalledAfter / 2)
	defer ticker.Stop()
	// A cooperative group is at rest without the partitions that somebody still drains.
	long := max(s.m.settings.StalledAfter, s.m.settings.DrainTimeout+abandonAfter)
	since := map[partitionOf]time.Time{}
	for {
		select {
		case <-sess.Context().Done():
			return
		case <-ticker.C:
		}
		now, err := s.unassigned()
		if err != nil {
			s.m.settings.Logger.Debug("looking for partitions that no member has", "error", explained(err))
			continue
		}
		maps.DeleteFunc(since, func(at partitionOf, _ time.Time) bool { return !slices.Contains(now, at) })
		for _, at := range now {
			if _, known := since[at]; !known {
				since[at] = time.Now()
			} else if time.Since(since[at]) >= long {
				s.m.settings.Logger.Info("no member of the group has this partition, joining anew", "topic", at.topic, "partition", at.partition)
				s.m.joinAnew.Store(true)
				s.end()
				return
			}
		}
	}
}

// unassigned are the partitions of the session's topics that no member has; none while the group is not at rest.
func (s *session) unassigned() ([]partitionOf, error) {
	described, err := s.describe()
	if err != nil || described.State != "Stable" {
		return nil, err
	}
	given := map[partitionOf]bool{}
	for _, member := range described.Members {
		assignment, err := member.GetMemberAssignment()
		if err != nil {
			return nil, fmt.Errorf("reading the assignment of a member of group %q: %w", s.m.settings.Group, err)
		}
		if assignment == nil {
			continue
		}
		for topic, partitions := range assignment.Topics {
			for _, partition := range partitions {
				given[partitionOf{topic, partition}] = true
			}
		}
	}
	if err := s.client.RefreshMetadata(s.topics...); err != nil {
		return nil, err
	}
	var nobodys []partitionOf
	for _, topic := range s.topics {
		partitions, err := s.client.Partitions(topic)
		if err != nil {
			return nil, err
		}
		for _, partition := range partitions {
			if at := (partitionOf{topic, partition}); !given[at] {
				nobodys = append(nobodys, at)
			}
		}
	}
	return nobodys, nil
}

// describe asks the group's coordinator for its state and its members. A group of the newer protocol (KIP-848, a Java service with
// group.protocol=consumer) has no members here, not even this one.
func (s *session) describe() (*sarama.GroupDescription, error) {
	group := s.m.settings.Group
	coordinator, err := s.client.Coordinator(group)
	if err != nil {
		return nil, fmt.Errorf("asking for the members of group %q: %w", group, err)
	}
	answer, err := coordinator.DescribeGroups(&sarama.DescribeGroupsRequest{Version: 4, Groups: []string{group}})
	if err != nil {
		return nil, fmt.Errorf("asking for the members of group %q: %w", group, err)
	}
	if len(answer.Groups) != 1 {
		return nil, fmt.Errorf("asking for the members of group %q: %w", group, sarama.ErrIncompleteResponse)
	}
	return answer.Groups[0], nil
}
