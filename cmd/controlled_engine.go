package cmd

import (
	"github.com/prantikov/millrace/control"
	"github.com/prantikov/millrace/kafka"
)

// This file is all that the control has to know of the engine's own. What an engine does not have yet is refused by name.

// controlPositions translates the engine's positions. The engine has no window and parks no key, so nothing waits and nothing is full.
func controlPositions(positions []kafka.PartitionPosition) []control.Position {
	translated := make([]control.Position, len(positions))
	for i, p := range positions {
		translated[i] = control.Position{
			Topic: p.Topic, Partition: p.Partition, Next: p.Next, Frontier: p.Frontier, HighWater: p.HighWater, Pending: p.Pending, Oldest: p.Oldest,
		}
	}
	return translated
}

// keys is the concurrency of a consumer that has one, or why it has none.
func (s *service) keys(m *member) (control.Concurrency, string) {
	if m.consumer.Durable() {
		return nil, "it has a unit of work, so its records are taken one after another and committed together"
	}
	concurrent, ok := any(s.router).(control.Concurrency)
	if !ok {
		return nil, "its records are taken one after another, partition by partition"
	}
	return concurrent, ""
}
