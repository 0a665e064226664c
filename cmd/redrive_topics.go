package cmd

import (
	"slices"
	"time"

	"github.com/prantikov/millrace/deadletter"
	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/router"
)

// redriveTopics are those of the enabled consumers, or of these alone: each has one, from which it takes back what it gave up.
func (s *session) redriveTopics(only ...string) []kafka.RedriveTopic {
	var redrives []kafka.RedriveTopic
	for _, consumer := range s.app.consumers {
		name, taken := s.redriveTopic(consumer)
		if !taken || len(only) > 0 && !slices.Contains(only, consumer.Name()) {
			continue
		}
		redrive := kafka.RedriveTopic{Name: name, Consumer: consumer.Name()}
		for _, declared := range s.taken(consumer) {
			redrive.Sources = append(redrive.Sources, declared.Topic())
		}
		redrives = append(redrives, redrive)
	}
	return redrives
}

// redriveTopic is the name of a consumer's redrive topic; false where it takes nothing under these settings.
func (s *session) redriveTopic(consumer *router.Consumer) (string, bool) {
	return s.settings.RedriveTopic(consumer.Name()), len(s.taken(consumer)) > 0
}

// homes are where the dead letters of each consumer go back to.
func (s *session) homes() []deadletter.Home {
	homes := make([]deadletter.Home, 0, len(s.app.consumers))
	for _, consumer := range s.app.consumers {
		home := deadletter.Home{
			Consumer: consumer.Name(), Group: s.settings.Consumer(consumer.Name()).Group, Topic: s.settings.RedriveTopic(consumer.Name()),
		}
		for _, declared := range s.taken(consumer) {
			home.Takes = append(home.Takes, s.topicName(declared.Topic()))
		}
		homes = append(homes, home)
	}
	return homes
}

// outside says whether a consumer has effects that nobody can take back.
func (s *session) outside(name string) bool {
	return slices.ContainsFunc(s.app.consumers, func(c *router.Consumer) bool { return c.Name() == name && c.Outside() })
}

// positions are where the consumer is, by its subscriber. On its redrive topic it is not known how old a record is: it has the timestamp that it
// had when it was first sent, and has waited since somebody gave it back.
func (m *member) positions(at positioned) []kafka.PartitionPosition {
	positions := at.Positions()
	for i := range positions {
		if positions[i].Topic == m.redrive {
			positions[i].Oldest = time.Time{}
		}
	}
	return positions
}
