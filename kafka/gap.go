package kafka

import (
	"context"
	"fmt"
)

// Gap is offsets of a partition that are passed without being read: those from From up to, and without, To. To is below From when the
// log ended before the group's position and is read from its start.
type Gap struct {
	Topic     string
	Partition int32
	From, To  int64
	// Reason says why, in words for people.
	Reason string
}

const (
	// ReasonRetention is a gap of what the log does not have any more.
	ReasonRetention = "retention has passed offsets that this consumer never read"
	// ReasonLogEndsBefore is a gap of a position that the log does not have yet.
	ReasonLogEndsBefore = "the log ends before this consumer's position, reading it from its start"
)

// gap says that offsets are about to be passed. With an error they must not be: nobody would know of them. Then the session ends, nothing is
// marked, and the next session finds the same gap, so a store that is away for a while loses no row. It is not waited for here, because
// the whole group waits for a member that sets up.
func (s *session) gap(ctx context.Context, gap Gap) error {
	if err := s.m.settings.Hooks.Gap(ctx, gap); err != nil {
		return fmt.Errorf("recording a gap of %s/%d from %d to %d: %w", gap.Topic, gap.Partition, gap.From, gap.To, err)
	}
	s.m.settings.Logger.Error("gap: "+gap.Reason, "topic", gap.Topic, "partition", gap.Partition, "from", gap.From, "to", gap.To)
	return nil
}
