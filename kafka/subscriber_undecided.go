package kafka

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/IBM/sarama"
)

// oldAfter is the age from which nobody expects a mail for a record that was never handled.
const oldAfter = time.Hour

// decideAgain is how often a member that waits for a decision looks whether it is still needed.
const decideAgain = 5 * time.Second

// ahead is the old records that a group would begin with.
type ahead struct {
	records int64
	// oldest is the timestamp of the first of them; zero when the brokers do not tell.
	oldest time.Time
}

func (a *ahead) add(other ahead) {
	a.records += other.records
	if a.oldest.IsZero() || !other.oldest.IsZero() && other.oldest.Before(a.oldest) {
		a.oldest = other.oldest
	}
}

func (a ahead) String() string {
	text := fmt.Sprintf("it has no position, and %d records lie ahead that are older than %s", a.records, oldAfter)
	if !a.oldest.IsZero() {
		text += fmt.Sprintf(", the oldest %s old", time.Since(a.oldest).Round(time.Minute))
	}
	return text + ": nobody has said whether it begins with them"
}

// awaitDecision returns when it is safe to begin with topics on which the group has no position: at once where somebody has chosen the start,
// else when no old record lies ahead. Until then the member takes nothing, with an alarm; it gives up when the session ends.
func (s *session) awaitDecision(ctx context.Context, topics func() ([]string, error)) error {
	if len(s.m.settings.Undecided) == 0 {
		return nil
	}
	for ; ; sleep(ctx, decideAgain) {
		if ctx.Err() != nil {
			return fmt.Errorf("waiting for somebody to choose the start: %w", context.Cause(ctx))
		}
		undecided, err := topics()
		if err != nil {
			return err
		}
		var all ahead
		for _, topic := range undecided {
			if !slices.Contains(s.m.settings.Undecided, topic) {
				continue
			}
			old, err := s.oldAhead(topic)
			if err != nil {
				return fmt.Errorf("looking for old records of %q: %w", topic, err)
			}
			all.add(old)
		}
		if all.records == 0 {
			s.m.undecided.clear()
			return nil
		}
		s.m.undecided.begin(all.String())
	}
}

// withoutPosition returns those of the session's topics on which the group has no position.
func (s *session) withoutPosition() ([]string, error) {
	var topics []string
	for _, topic := range s.topics {
		partitions, err := s.client.Partitions(topic)
		if err != nil {
			return nil, fmt.Errorf("asking for the partitions of %q: %w", topic, err)
		}
		positions, err := s.positions(topic, partitions)
		if err != nil {
			return nil, err
		}
		if len(positions) == 0 {
			topics = append(topics, topic)
		}
	}
	return topics, nil
}

// oldAhead counts the old records from the start of a topic's log on, by the offsets that they may have.
func (s *session) oldAhead(topic string) (ahead, error) {
	partitions, err := s.client.Partitions(topic)
	if err != nil {
		return ahead{}, err
	}
	var all ahead
	for _, partition := range partitions {
		first, err := Earliest().offset(s.client, topic, partition)
		if err != nil {
			return ahead{}, err
		}
		young, err := StartAt(time.Now().Add(-oldAfter)).offset(s.client, topic, partition)
		if err != nil {
			return ahead{}, err
		}
		if young <= first {
			continue
		}
		oldest, err := s.firstTimestamp(topic, partition)
		if err != nil {
			return ahead{}, err
		}
		all.add(ahead{records: young - first, oldest: oldest})
	}
	return all, nil
}

// firstTimestamp asks for the timestamp of the first record that a partition's log still has, which the client's own question drops.
func (s *session) firstTimestamp(topic string, partition int32) (time.Time, error) {
	leader, err := s.client.Leader(topic, partition)
	if err != nil {
		return time.Time{}, err
	}
	request := sarama.NewOffsetRequest(s.client.Config().Version)
	const anyTime, one = 0, 1
	request.AddBlock(topic, partition, anyTime, one)
	answer, err := leader.GetAvailableOffsets(request)
	if err != nil {
		_ = leader.Close()
		return time.Time{}, err
	}
	block := answer.GetBlock(topic, partition)
	if block == nil || block.Err != sarama.ErrNoError || block.Timestamp < 0 {
		return time.Time{}, nil
	}
	return time.UnixMilli(block.Timestamp), nil
}
