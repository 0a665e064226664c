package kafka

import (
	"context"
	"fmt"

	"github.com/IBM/sarama"
)

// Resumer is told where the group is with partitions of a topic that are taken, before any of their records is read; a partition on which it
// has no position, or one that the log does not have, is left out. Who keeps progress of its own learns from it that the group has gone on without
// it: another program had the group. An error ends the session, and the member tries again.
type Resumer func(ctx context.Context, topic string, positions map[int32]int64) error

// resume tells the group's positions on partitions that are taken. A member that takes nothing says nothing.
func (s *session) resume(sess sarama.ConsumerGroupSession, topic string, taken map[int32]int64) error {
	tell := s.m.settings.Resume
	if tell == nil || s.idle {
		return nil
	}
	if err := tell(sess.Context(), topic, taken); err != nil {
		return fmt.Errorf("going on with %q where the group is: %w", topic, err)
	}
	return nil
}
