package kafka

import (
	"context"
	"errors"
	"time"

	"github.com/IBM/sarama"
)

// committed is a group's position on a partition with what is committed beside it.
type committed struct {
	offset   int64
	metadata string
	// dated is true for a position that was committed with the epoch of its leader.
	dated bool
}

// commit commits positions of any partitions of a topic, as a member of the session's generation and without the epoch of a leader, and
// returns what became of it.
func (s *session) commit(sess sarama.ConsumerGroupSession, topic string, positions map[int32]committed) error {
	coordinator, err := s.client.Coordinator(s.m.settings.Group)
	if err != nil {
		return err
	}
	request := &sarama.OffsetCommitRequest{
		Version: 8, ConsumerGroup: s.m.settings.Group, ConsumerID: sess.MemberID(), ConsumerGroupGeneration: sess.GenerationID(),
		GroupInstanceId: s.m.instanceID(),
	}
	for partition, at := range positions {
		request.AddBlockWithLeaderEpoch(topic, partition, at.offset, -1, 0, at.metadata)
	}
	answer, err := coordinator.CommitOffset(request)
	if err != nil {
		// The client keeps a broken connection until somebody closes it.
		_ = coordinator.Close()
		return err
	}
	for partition := range positions {
		code, ok := answer.Errors[topic][partition]
		if !ok {
			return sarama.ErrIncompleteResponse
		}
		if !errors.Is(code, sarama.ErrNoError) {
			return code
		}
	}
	return nil
}

const (
	// commitAgainFirst and commitAgainMost bound the pause before a last commit that failed is sent again.
	commitAgainFirst = 50 * time.Millisecond
	commitAgainMost  = time.Second
)

// commitForGood sends the last commit of a claim until it stands: what the client's own commit at the end of a session loses while the
// coordinator moves, the next owner would do again. It gives up when the partition is somebody else's, or when ctx ends.
func (s *session) commitForGood(ctx context.Context, sess sarama.ConsumerGroupSession, topic string, partition int32, at committed) error {
	pause := backoff{first: commitAgainFirst, most: commitAgainMost}
	var refused refusal
	for {
		generation := sess.GenerationID()
		err := s.commit(sess, topic, map[int32]committed{partition: at})
		if err == nil || ctx.Err() != nil || lostMembership(err) && !refused.mayPass(s.m, generation, err) {
			return err
		}
		sleep(ctx, pause.next())
		_ = s.client.RefreshCoordinator(s.m.settings.Group)
	}
}

// lostMembership says whether the group has gone on without this member.
func lostMembership(err error) bool {
	for _, gone := range []error{sarama.ErrIllegalGeneration, sarama.ErrUnknownMemberId, sarama.ErrFencedInstancedId, sarama.ErrClosedClient} {
		if errors.Is(err, gone) {
			return true
		}
	}
	return false
}
