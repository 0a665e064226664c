package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/IBM/sarama"
)

// noPosition is the committed offset of a partition for which nothing was committed.
const noPosition = -1

// lookAgain is the pause between two looks at what another member or a broker is about to say.
const lookAgain = 100 * time.Millisecond

// errNoStart is the error of a cooperative member that waited for somebody to begin with a topic.
var errNoStart = errors.New("no member of the group has begun with it")

// place puts every partition of the first assignment where reading is to begin, before the client looks: the start of a topic that the
// group never read, the beginning of a partition that the topic has grown, and the log's start where retention has passed the committed offset.
func (s *session) place(sess sarama.ConsumerGroupSession) error {
	for _, topic := range s.topics {
		claimed := sess.Claims()[topic]
		if len(claimed) == 0 {
			continue
		}
		if s.anew[topic] {
			if err := s.placeAnew(sess, topic); err != nil {
				return err
			}
			for _, partition := range claimed {
				s.remember(topic, partition, committed{offset: noPosition})
			}
		} else if err := s.placeOn(sess, topic, claimed); err != nil {
			return err
		}
		for _, partition := range claimed {
			s.first[partitionOf{topic, partition}] = true
		}
	}
	return nil
}

// placeOn puts partitions of one topic where reading is to begin.
func (s *session) placeOn(sess sarama.ConsumerGroupSession, topic string, claimed []int32) error {
	partitions, err := s.client.Partitions(topic)
	if err != nil {
		return fmt.Errorf("asking for the partitions of %q: %w", topic, err)
	}
	positions, err := s.positionsOrStart(sess, topic, partitions)
	if err != nil {
		return err
	}
	if err := s.undate(sess, topic, claimed, positions); err != nil {
		return err
	}
	taken := map[int32]Position{}
	for _, partition := range claimed {
		within, err := s.placePartition(sess, topic, partition, positions)
		if err != nil {
			return err
		}
		at, known := positions[partition]
		if !known {
			at.offset = noPosition
		}
		s.remember(topic, partition, at)
		if within {
			taken[partition] = Position{Offset: at.offset, Ours: at.ours()}
		}
	}
	return s.resume(sess, topic, taken)
}

// placeLaterFor bounds one try to place a partition that was given later. The client tries again, and looks in between whether the partition
// is still the member's.
const placeLaterFor = 3 * time.Second

// boundedSession is a session whose context ends earlier.
type boundedSession struct {
	sarama.ConsumerGroupSession
	ctx context.Context
}

// Context ends with the session, or earlier.
func (b boundedSession) Context() context.Context { return b.ctx }

// placeLater places a partition that a cooperative member was given after its first ones. Each claim asks until it is placed, once, so what
// Setup placed counts for one claim: the next one of the same partition begins with a look at what is committed then.
func (s *session) placeLater(topic string, partition int32) error {
	at := partitionOf{topic, partition}
	s.placing.Lock()
	first := s.first[at]
	delete(s.first, at)
	s.placing.Unlock()
	if first || s.idle {
		return nil
	}
	ctx, cancel := context.WithTimeout(s.sess.Context(), placeLaterFor)
	defer cancel()
	return s.placeOn(boundedSession{s.sess, ctx}, topic, []int32{partition})
}

func (s *session) remember(topic string, partition int32, at committed) {
	s.placing.Lock()
	defer s.placing.Unlock()
	if s.placed == nil {
		s.placed = map[string]map[int32]committed{}
	}
	if s.placed[topic] == nil {
		s.placed[topic] = map[int32]committed{}
	}
	s.placed[topic][partition] = at
}

// forget makes the next ownership of a partition begin with a look at what is committed then.
func (s *session) forget(topic string, partition int32) {
	s.placing.Lock()
	defer s.placing.Unlock()
	delete(s.placed[topic], partition)
}

// restored is what the group had committed on a partition when it was placed.
func (s *session) restored(topic string, partition int32) committed {
	s.placing.Lock()
	defer s.placing.Unlock()
	if at, known := s.placed[topic][partition]; known {
		return at
	}
	return committed{offset: noPosition}
}

// positionsOrStart returns the group's positions on a topic, those of its start when it has none.
func (s *session) positionsOrStart(sess sarama.ConsumerGroupSession, topic string, partitions []int32) (map[int32]committed, error) {
	s.beginning.Lock()
	defer s.beginning.Unlock()
	positions, err := s.positions(topic, partitions)
	if err != nil || len(positions) > 0 {
		return positions, err
	}
	return s.begin(sess, topic, partitions)
}

// positions returns the group's positions on a topic; partitions without one are not in it.
func (s *session) positions(topic string, partitions []int32) (map[int32]committed, error) {
	group := s.m.settings.Group
	coordinator, err := s.client.Coordinator(group)
	if err != nil {
		return nil, fmt.Errorf("asking for the positions of group %q: %w", group, err)
	}
	request := sarama.NewOffsetFetchRequest(s.client.Config().Version, group, map[string][]int32{topic: partitions})
	// Who had the group may have committed in transactions, the end of which the coordinator hears of a moment later (KIP-447).
	request.RequireStable = request.Version >= 7
	answer, err := coordinator.FetchOffset(request)
	if err != nil {
		// The client keeps a broken connection until somebody closes it, and nobody else may use this one.
		_ = coordinator.Close()
		return nil, fmt.Errorf("asking for the positions of group %q: %w", group, err)
	}
	if err := answer.GroupError(); !errors.Is(err, sarama.ErrNoError) {
		return nil, fmt.Errorf("asking for the positions of group %q: %w", group, err)
	}
	positions := map[int32]committed{}
	for _, partition := range partitions {
		block := answer.GetBlock(topic, partition)
		if block == nil {
			return nil, fmt.Errorf("asking for the position of group %q on %q: %w", group, topic, sarama.ErrIncompleteResponse)
		}
		if !errors.Is(block.Err, sarama.ErrNoError) {
			return nil, fmt.Errorf("asking for the position of group %q on %q: %w", group, topic, block.Err)
		}
		if block.Offset > noPosition {
			positions[partition] = committed{offset: block.Offset, metadata: block.Metadata, dated: block.LeaderEpoch >= 0}
		}
	}
	return positions, nil
}

// begin resolves the start of a topic on which the group has no position, once for all partitions, and commits it. When several members
// begin together, the owner of the first partition does it and the others wait for its commit: a member that lost the partition meanwhile
// is refused by its generation.
func (s *session) begin(sess sarama.ConsumerGroupSession, topic string, partitions []int32) (map[int32]committed, error) {
	if !slices.Contains(sess.Claims()[topic], slices.Min(partitions)) {
		return s.awaitStart(sess.Context(), topic, partitions)
	}
	if err := s.awaitDecision(sess.Context(), s.withoutPosition); err != nil {
		return nil, err
	}
	start := s.m.settings.Starts[topic]
	positions := map[int32]committed{}
	for _, partition := range partitions {
		offset, err := start.offset(s.client, topic, partition)
		if err != nil {
			return nil, fmt.Errorf("resolving start %s of %q: %w", start, topic, err)
		}
		positions[partition] = committed{offset: offset}
	}
	if err := s.commit(sess, topic, positions); err != nil {
		return nil, fmt.Errorf("committing start %s of %q: %w", start, topic, err)
	}
	s.m.settings.Logger.Info("begins with a topic", "topic", topic, "start", start.String(), "positions", positions)
	return positions, nil
}

// awaitStart waits for the positions that another member commits. It gives up when the session ends.
func (s *session) awaitStart(ctx context.Context, topic string, partitions []int32) (map[int32]committed, error) {
	if s.m.cooperative() {
		// A rebalance does not end the session, and who was to begin may be gone.
		limited, cancel := context.WithTimeoutCause(ctx, sessionTimeout(s.m.settings.Kafka), errNoStart)
		defer cancel()
		ctx = limited
	}
	for {
		sleep(ctx, lookAgain)
		if ctx.Err() != nil {
			return nil, fmt.Errorf("waiting for the start of %q: %w", topic, context.Cause(ctx))
		}
		positions, err := s.positions(topic, partitions)
		if err != nil || len(positions) > 0 {
			return positions, err
		}
	}
}

// placePartition moves the position of one partition of the assignment into the log. A partition whose leader does not answer is left as
// it is: sarama waits for it, and the others are not held up. Within says that the group has a position and that the log goes that far. The
// error is that of a gap that could not be recorded.
func (s *session) placePartition(sess sarama.ConsumerGroupSession, topic string, partition int32, positions map[int32]committed) (within bool, err error) {
	position, known := positions[partition]
	at := position.offset
	first, end, err := s.bounds(sess.Context(), topic, partition, at)
	if err != nil {
		s.m.settings.Logger.Debug("asking for the bounds of a log", "topic", topic, "partition", partition, "error", err)
		return known, nil
	}
	if known && (at < first || at > end) && s.isAnother(topic) {
		s.end()
		return false, fmt.Errorf("placing a partition of %q: %w", topic, errAnother)
	}
	switch {
	case !known:
		// The topic has grown since the group began with it.
		sess.MarkOffset(topic, partition, first, "")
	case at < first:
		if err := s.gap(sess.Context(), Gap{topic, partition, at, first, ReasonRetention}); err != nil {
			return false, err
		}
		sess.MarkOffset(topic, partition, first, "")
	case at > end:
		if err := s.gap(sess.Context(), Gap{topic, partition, at, first, ReasonLogEndsBefore}); err != nil {
			return false, err
		}
		sess.ResetOffset(topic, partition, first, "")
	default:
		// It is this already, but for a start that was committed after sarama had asked.
		sess.MarkOffset(topic, partition, at, "")
	}
	return known && at <= end, nil
}

// bounds returns the first offset of a log and the one past its end. An end below the position is asked for again: a new leader may not
// know the end yet.
func (s *session) bounds(ctx context.Context, topic string, partition int32, position int64) (first, end int64, err error) {
	for look := 0; look < 10; look++ {
		if look > 0 {
			sleep(ctx, lookAgain)
		}
		if first, err = s.client.GetOffset(topic, partition, sarama.OffsetOldest); err != nil {
			return 0, 0, err
		}
		if end, err = s.client.GetOffset(topic, partition, sarama.OffsetNewest); err != nil {
			return 0, 0, err
		}
		if position <= end {
			break
		}
	}
	return first, end, ctx.Err()
}
