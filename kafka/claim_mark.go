package kafka

import (
	"cmp"
	"log/slog"
	"time"

	"github.com/prantikov/millrace/progress"
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
	text, _ := done.Fitting()
	c.mark(mark{frontier: frontier, text: string(text)})
}

// mark gives the frontier and the done set above it to sarama when they have changed.
func (c *claim) mark(next mark) {
	switch {
	case next == c.marked:
		return
	case next.frontier > c.marked.frontier:
		c.session.MarkOffset(c.topic, c.partition, next.frontier, next.text)
		c.settings.Hooks.Committed(c.topic, c.partition, next.frontier)
	default:
		// MarkOffset ignores the offset that it has, whatever the metadata.
		c.session.ResetOffset(c.topic, c.partition, next.frontier, next.text)
	}
	c.marked = next
}

// giveBack commits and ends the claim. Commit waits for the broker's answer, which is why it is never called while records flow.
func (c *claim) giveBack() {
	c.look()
	c.session.Commit()
	if !c.fetching {
		// The client remembers it for who takes the partition next, also when that is us.
		c.fetch(true)
	}
	if c.fullAlarm {
		c.settings.Hooks.Alarm(AlarmWindowFull, c.topic, c.partition, false, "")
	}
	c.settings.Hooks.Lost(c.topic, c.partition)
}

// committed is a group's position on a partition with what was committed beside it.
type committed struct {
	offset   int64
	metadata string
}

// done is the done set that the former owner committed; empty for metadata that is not ours.
func (c committed) done(logger *slog.Logger) progress.DoneSet {
	var done progress.DoneSet
	if err := done.UnmarshalText([]byte(c.metadata)); err != nil {
		logger.Debug("the metadata of a commit is somebody else's", "offset", c.offset, "error", err)
	}
	return done
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
