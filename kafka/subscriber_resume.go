package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/IBM/sarama"
)

// Resumer is told where the group is with partitions of a topic that are taken, before any of their records is read; a partition on which it
// has no position, or one that the log does not have, is left out. Who keeps progress of its own learns from it that the group has gone on without
// it: another program had the group, or what it keeps is an older copy. An error ends the session, and the member tries again, but for that of
// [Stop].
type Resumer func(ctx context.Context, topic string, positions map[int32]Position) error

// Position is a group's position on a partition.
type Position struct {
	Offset int64
	// Ours says that a [Subscriber] committed it, and no other client or tool.
	Ours bool
}

// Stop makes an error of a [Resumer] one after which the subscriber does not try again: it leaves the group, closes its channels, and its Err
// returns the error.
func Stop(err error) error { return &stopError{err} }

type stopError struct{ error }

func (e *stopError) Unwrap() error { return e.error }

// resume tells the group's positions on partitions that are taken. A member that takes nothing says nothing.
func (s *session) resume(sess sarama.ConsumerGroupSession, topic string, taken map[int32]Position) error {
	tell := s.m.settings.Resume
	if tell == nil || s.idle {
		return nil
	}
	err := tell(sess.Context(), topic, taken)
	if stop := (*stopError)(nil); errors.As(err, &stop) {
		s.m.fail(stop.error)
		s.m.forGood.Store(true) // nobody comes back to go on with its partitions
		s.end()
	}
	if err != nil {
		return fmt.Errorf("going on with %q where the group is: %w", topic, err)
	}
	return nil
}
