package kafka

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/IBM/sarama"

	"github.com/prantikov/millrace/config"
)

// ErrNotAlone is why a subscriber of an exclusive consumer ends: at its first assignment it was not given all partitions of its topics, and
// who has them is not a dead member that the group still counts on, so another process runs this consumer. The subscriber has taken nothing,
// leaves the group and closes its channels; the other process goes on.
// A subscriber that did own all partitions never ends this way: it takes nothing until it owns them all again.
var ErrNotAlone = errors.New("another process runs this consumer")

// errIncomplete is the error of an assignment that lacks partitions although the member is alone: the topic has just grown.
var errIncomplete = errors.New("assignment lacks partitions of a topic")

// soleName is the name of the strategy in the group. All versions that share a group must mean the same by it.
const soleName = "millrace-sole"

// sole is the strategy of exclusive members, and what a member remembers for it: all partitions of a topic go to one member, and who had
// them keeps them. So a second process that joins takes nothing away from the one that runs, not even for a moment.
type sole struct {
	alarm alarm

	mu sync.Mutex
	// owned is true once the member owned all partitions of its topics.
	owned bool
	// generation is the last one of the group in which the member was given partitions; 0 for none.
	generation int32
}

var (
	_ sarama.SubscriptionUserDataBalanceStrategy = (*sole)(nil)
	_ sarama.OnAssignmentBalanceStrategy         = (*sole)(nil)
)

// Name is the strategy's name in the group.
func (*sole) Name() string { return soleName }

// SubscriptionUserData tells the group's leader since when this member owns partitions.
func (s *sole) SubscriptionUserData([]string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strconv.AppendInt(nil, int64(s.generation), 10), nil
}

// OnAssignment remembers the generation in which the member was given partitions.
func (s *sole) OnAssignment(given *sarama.ConsumerGroupMemberAssignment, generation int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if given != nil && len(given.Topics) > 0 {
		s.generation = generation
	}
}

// AssignmentData has nothing to add to an assignment.
func (*sole) AssignmentData(string, map[string][]int32, int32) ([]byte, error) { return nil, nil }

// Plan gives each topic to one member: the one that owned partitions last, else the first by name. The group's leader calls it.
func (*sole) Plan(members map[string]sarama.ConsumerGroupMemberMetadata, topics map[string][]int32) (sarama.BalanceStrategyPlan, error) {
	names := slices.Sorted(maps.Keys(members))
	slices.SortStableFunc(names, func(a, b string) int { return int(since(members[b]) - since(members[a])) })
	plan := sarama.BalanceStrategyPlan{}
	for topic, partitions := range topics {
		for _, name := range names {
			if slices.Contains(members[name].Topics, topic) {
				plan.Add(name, topic, partitions...)
				break
			}
		}
	}
	return plan, nil
}

// since reads what SubscriptionUserData wrote; what cannot be read counts as never.
func since(member sarama.ConsumerGroupMemberMetadata) int64 {
	generation, err := strconv.ParseInt(string(member.UserData), 10, 32)
	if err != nil {
		return 0
	}
	return generation
}

// checkSole compares the assignment of an exclusive member with all there is. An assignment that lacks something makes the session idle. At
// a first one, the member fails with ErrNotAlone when the other is still there after a while.
func (s *session) checkSole(sess sarama.ConsumerGroupSession) error {
	complete, err := s.ownsAll(sess)
	if err != nil {
		return err
	}
	mine := &s.m.sole
	switch {
	case complete:
		mine.setOwned()
		mine.alarm.clear()
		return nil
	case mine.ownedOnce():
		mine.alarm.raise("another process has taken partitions of this consumer, waiting until it gives them back", ErrNotAlone)
		s.idle = true
		return nil
	}
	alone, err := s.alone()
	if err != nil {
		return err
	}
	if alone {
		return errIncomplete
	}
	s.idle = true
	s.doubt = time.AfterFunc(doubtFor(s.m.settings.Kafka), func() {
		s.m.fail(ErrNotAlone)
		s.end()
	})
	return nil
}

// doubtFor is how long another member of the group is given to prove that it lives. One that was killed while it waited to join is in the
// first assignment like anyone, and may be given all; the group only finds out when its session is over, and this member some heartbeats later.
func doubtFor(s config.Kafka) time.Duration { return sessionTimeout(s) + 2*heartbeatInterval(s) }

func (s *sole) setOwned() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.owned = true
}

func (s *sole) ownedOnce() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.owned
}

// ownsAll says whether the assignment has every partition of every topic.
func (s *session) ownsAll(sess sarama.ConsumerGroupSession) (bool, error) {
	for _, topic := range s.topics {
		partitions, err := s.client.Partitions(topic)
		if err != nil {
			return false, fmt.Errorf("asking for the partitions of %q: %w", topic, err)
		}
		if len(sess.Claims()[topic]) < len(partitions) {
			return false, nil
		}
	}
	return true, nil
}

// alone says whether the group has no other member.
func (s *session) alone() (bool, error) {
	described, err := s.describe()
	return err == nil && len(described.Members) == 1, err
}
