package kafka

import (
	"cmp"
	"time"
)

// look marks the frontier and says what has changed. Only run's goroutine calls it.
func (c *claim) look() {
	c.tellFull()
	c.mu.Lock()
	finished, frontier := c.finished, c.progress.Frontier()
	c.finished = 0
	if finished == 0 && frontier == c.marked.frontier {
		c.mu.Unlock()
		return
	}
	done := c.progress.Done()
	c.mu.Unlock()
	if finished > 0 {
		c.settings.Hooks.Progressed(c.topic, c.partition, time.Now())
	}
	c.mark(mark{frontier: frontier, text: besidePosition(frontier, done)})
}

// mark gives the frontier and the done set above it to sarama when they have changed.
func (c *claim) mark(next mark) {
	switch {
	case next == c.marked:
		return
	case next.frontier > c.marked.frontier:
		c.sink.MarkOffset(c.topic, c.partition, next.frontier, next.text)
		c.settings.Hooks.Committed(c.topic, c.partition, next.frontier)
	default:
		// MarkOffset ignores the offset that it has, whatever the metadata.
		c.sink.ResetOffset(c.topic, c.partition, next.frontier, next.text)
	}
	c.marked, c.moved = next, true
}

// giveBack commits and ends the claim. It waits for the broker's answer, which is why nothing is committed this way while records flow.
func (c *claim) giveBack() {
	c.look()
	if c.moved {
		at := committed{offset: c.marked.frontier, metadata: c.marked.text}
		if err := c.sink.commitLast(c.drain.ctx, c.topic, c.partition, at); err != nil {
			c.settings.Logger.Warn("the last commit of a partition was refused: what was finished since the one before is delivered again",
				"topic", c.topic, "partition", c.partition, "error", explained(err))
		}
	}
	if !c.fetching {
		// The client remembers it for who takes the partition next, also when that is us.
		c.fetch(true)
	}
	if c.fullAlarm {
		c.settings.Hooks.Alarm(AlarmWindowFull, c.topic, c.partition, false, "")
	}
	c.settings.Hooks.Lost(c.topic, c.partition)
}

// position is how far the claim is, for people and for lag.
func (c *claim) position() PartitionPosition {
	c.mu.Lock()
	defer c.mu.Unlock()
	pending, bytes := c.progress.Pending()
	p := PartitionPosition{
		Topic: c.topic, Partition: c.partition, Next: c.progress.Next(), Frontier: c.progress.Frontier(),
		HighWater: c.source.HighWaterMarkOffset(), Pending: pending, PendingBytes: bytes, InFlight: c.progress.InFlight(),
		Waiting: c.progress.Parked(), Paused: c.m.pauses.has(c.topic, c.partition), Full: c.full, Delivered: c.delivered,
	}
	if oldest := c.progress.Oldest(); oldest != nil {
		p.Oldest = oldest.Timestamp
	}
	return p
}

func (cs *claims) positions() []PartitionPosition {
	all := cs.all()
	positions := make([]PartitionPosition, 0, len(all))
	for _, c := range all {
		positions = append(positions, c.position())
	}
	return positions
}

func comparePositions(a, b PartitionPosition) int {
	return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
}
