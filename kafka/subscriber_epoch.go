package kafka

import (
	"errors"
	"fmt"

	"github.com/IBM/sarama"
)

// errDated ends a session whose client would go on committing the epoch of a leader that is long gone.
var errDated = errors.New("the group's position had the epoch of a leader")

// undate commits the positions of claimed partitions again as they are, but without the epoch of the leader that Java's client and others
// commit with theirs. Sarama keeps that epoch and commits it with every later position. Once another leader has come, the next Java member asks
// where the log of that epoch ended, takes its position beyond for a log that was cut, and goes back to there: it would handle again what
// was handled here. The client has read the epoch already, so the session ends, and the next one finds none.
func (s *session) undate(sess sarama.ConsumerGroupSession, topic string, claimed []int32, positions map[int32]committed) error {
	dated, offsets := map[int32]committed{}, map[int32]int64{}
	for _, partition := range claimed {
		if at, known := positions[partition]; known && at.dated {
			dated[partition], offsets[partition] = at, at.offset
		}
	}
	if len(dated) == 0 {
		return nil
	}
	if err := s.commit(sess, topic, dated); err != nil {
		return fmt.Errorf("committing the position of group %q on %q without a leader's epoch: %w", s.m.settings.Group, topic, err)
	}
	s.m.settings.Logger.Info("takes over what another program has committed", "topic", topic, "positions", offsets)
	s.end()
	return errDated
}
