package kafka

import (
	"errors"
	"time"

	"github.com/IBM/sarama"
)

// The values of kafka.rebalance.
const (
	rebalanceEager       = "eager"
	rebalanceMigrate     = "migrate"
	rebalanceCooperative = "cooperative"
)

// cooperative says whether the member keeps its partitions through a rebalance, all but those that it is to give up.
func (m *member) cooperative() bool {
	return !m.settings.Exclusive && m.settings.Kafka.Rebalance == rebalanceCooperative
}

// strategies are how the group may share its partitions, the one that is wanted first. The group takes the first that all members have, and
// only a member that has no other than cooperative-sticky acts cooperatively: hence two rollouts, migrate and then cooperative.
func (m *member) strategies() []sarama.BalanceStrategy {
	switch {
	case m.settings.Exclusive:
		return []sarama.BalanceStrategy{&m.sole, sarama.NewBalanceStrategyRange()}
	case m.cooperative():
		return []sarama.BalanceStrategy{&joinWatch{BalanceStrategy: sarama.NewBalanceStrategyCooperativeSticky(), m: m}}
	case m.settings.Kafka.Rebalance == rebalanceMigrate:
		return []sarama.BalanceStrategy{sarama.NewBalanceStrategyCooperativeSticky(), sarama.NewBalanceStrategyRange()}
	default:
		return []sarama.BalanceStrategy{sarama.NewBalanceStrategyRange()}
	}
}

// joinWatch is a strategy that tells the member when it joins and what it was given. It has the optional methods of what it wraps, which
// embedding alone would hide from the client.
type joinWatch struct {
	sarama.BalanceStrategy
	m *member
}

var (
	_ sarama.SubscriptionUserDataBalanceStrategy = (*joinWatch)(nil)
	_ sarama.OnAssignmentBalanceStrategy         = (*joinWatch)(nil)
	_ sarama.RebalanceProtocolBalanceStrategy    = (*joinWatch)(nil)
)

// SupportedProtocols are those of the strategy.
func (w *joinWatch) SupportedProtocols() []sarama.RebalanceProtocol {
	if s, ok := w.BalanceStrategy.(sarama.RebalanceProtocolBalanceStrategy); ok {
		return s.SupportedProtocols()
	}
	return []sarama.RebalanceProtocol{sarama.RebalanceProtocolEager}
}

// afterJoin is how much longer than the group waits for its members the answer to one of them is waited for.
const afterJoin = 5 * time.Second

// SubscriptionUserData is asked for right before the member asks to join.
func (w *joinWatch) SubscriptionUserData(topics []string) ([]byte, error) {
	w.m.joining.begin(rebalanceTimeout(w.m.settings.Kafka) + afterJoin)
	if s, ok := w.BalanceStrategy.(sarama.SubscriptionUserDataBalanceStrategy); ok {
		return s.SubscriptionUserData(topics)
	}
	return nil, nil
}

// OnAssignment is told what the member was given, before anything is taken from it. A claim whose window is full does not see that its
// channel is closed, so it is told here.
func (w *joinWatch) OnAssignment(given *sarama.ConsumerGroupMemberAssignment, generation int32) {
	defer w.m.joining.end()
	if s, ok := w.BalanceStrategy.(sarama.OnAssignmentBalanceStrategy); ok {
		s.OnAssignment(given, generation)
	}
	w.m.joining.assigned(given, generation)
	for _, c := range w.m.claims.all() {
		if w.m.joining.tookBack(c) {
			c.drain.begin()
		}
	}
}

// refusal is when the last commit of a claim was first refused.
type refusal struct{ first time.Time }

// mayPass says whether a commit that was refused for its generation is worth another try: the group has gone on, but this member with it, or
// it is about to. A claim is told to end before the session has its new generation, and one may end in the middle of a join. When everybody
// has joined, which is when the generation changes, the answer to the join is not far.
func (r *refusal) mayPass(m *member, sent int32, err error) bool {
	if r.first.IsZero() {
		r.first = time.Now()
	}
	if !m.cooperative() || !errors.Is(err, sarama.ErrIllegalGeneration) || time.Since(r.first) > afterJoin {
		return false
	}
	return m.joining.generation.Load() != sent || !m.joining.deadline().IsZero()
}
