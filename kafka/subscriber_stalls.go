package kafka

import (
	"fmt"
	"sync"
	"time"

	"github.com/IBM/sarama"
)

// stalls are the partitions whose consumers had stopped and were made anew, each with an alarm until something is delivered again. It is
// safe for concurrent use.
type stalls struct {
	hook  func(kind AlarmKind, topic string, partition int32, on bool, text string)
	after time.Duration

	mu sync.Mutex
	// on has the offset at which each stands.
	on map[partitionOf]int64
}

func (s *stalls) raise(at partitionOf, next int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.on == nil {
		s.on = map[partitionOf]int64{}
	}
	s.on[at] = next
	s.say(at, true)
}

func (s *stalls) say(at partitionOf, on bool) {
	text := ""
	if on {
		text = fmt.Sprintf("records wait at offset %d, and the client brought none of them for %s; reading is begun anew", s.on[at], s.after)
	}
	s.hook(AlarmStalled, at.topic, at.partition, on, text)
}

// taken begins the alarm again: whoever keeps alarms ends those of a partition that is given back, and this one was, to be taken again.
func (s *stalls) taken(at partitionOf) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, on := s.on[at]; on {
		s.say(at, true)
	}
}

// at ends the alarm of a partition that has gone on.
func (s *stalls) at(at partitionOf, next int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if stood, on := s.on[at]; on && next > stood {
		delete(s.on, at)
		s.say(at, false)
	}
}

// keep ends the alarms of partitions that are another member's now.
func (s *stalls) keep(sess sarama.ConsumerGroupSession) {
	s.mu.Lock()
	defer s.mu.Unlock()
	claimed := map[partitionOf]bool{}
	for topic, partitions := range sess.Claims() {
		for _, partition := range partitions {
			claimed[partitionOf{topic, partition}] = true
		}
	}
	for at := range s.on {
		if !claimed[at] {
			delete(s.on, at)
			s.say(at, false)
		}
	}
}
