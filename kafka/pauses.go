package kafka

import (
	"slices"
	"sync"
)

// pauses are the partitions from which nothing is to be taken, because somebody said so. They hold for partitions that come later too.
type pauses struct {
	mu    sync.RWMutex
	rules []pauseRule
}

// pauseRule is one partition; all of a topic when it is negative, all topics when that is empty.
type pauseRule struct {
	topic     string
	partition int32
}

func (r pauseRule) covers(topic string, partition int32) bool {
	return (r.topic == "" || r.topic == topic) && (r.partition < 0 || r.partition == partition)
}

func (p *pauses) has(topic string, partition int32) bool {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return slices.ContainsFunc(p.rules, func(r pauseRule) bool { return r.covers(topic, partition) })
}

func (p *pauses) add(rule pauseRule) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.Contains(p.rules, rule) {
		p.rules = append(p.rules, rule)
	}
}

// remove takes back the rule and all that cover nothing beyond it.
func (p *pauses) remove(rule pauseRule) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rules = slices.DeleteFunc(p.rules, func(r pauseRule) bool {
		return r == rule || (rule.topic == "" || rule.topic == r.topic) && (rule.partition < 0 || rule.partition == r.partition)
	})
}

// Pause stops taking records of a partition, now and when it is assigned later, until [Subscriber.Resume]. What is in flight ends and is
// committed. A negative partition stands for all partitions of the topic, an empty topic for all topics.
func (s *Subscriber) Pause(topic string, partition int32) {
	s.pauses.add(pauseRule{topic: topic, partition: max(partition, -1)})
	s.wakeAll()
}

// Resume ends what [Subscriber.Pause] began: the same pause, and every narrower one.
func (s *Subscriber) Resume(topic string, partition int32) {
	s.pauses.remove(pauseRule{topic: topic, partition: max(partition, -1)})
	s.wakeAll()
}

// SetConcurrency says how many keys the consumer handles side by side, so that enough records are taken for all of them. Less than 1 means 1.
func (s *Subscriber) SetConcurrency(keys int) {
	s.keys.Store(int64(max(keys, 1)))
	s.wakeAll()
}

// wakeAll makes every claim look again at what it may take.
func (s *Subscriber) wakeAll() {
	s.mu.Lock()
	members := slices.Clone(s.members)
	s.mu.Unlock()
	for _, m := range members {
		for _, c := range m.claims.all() {
			c.mu.Lock()
			c.nudge()
			c.mu.Unlock()
		}
	}
}
