package kafka

import (
	"fmt"
	"time"
)

const (
	// windowRecords bounds how many records a partition's window spans, from the frontier to what was read last.
	windowRecords = 20_000
	// windowRuns bounds the runs of the done set, so that its text fits into the metadata of a commit: a run takes two bytes and
	// seldom more, in a window of this length.
	windowRuns = 1_200
	// fullFor is how long a window is full before that is an alarm: a burst is none.
	fullFor = time.Second
)

// room is how much may be taken now: so many records, and no further one once they weigh so much.
type room struct {
	records int
	bytes   int64
}

// room is how much new may be taken now. The claim's lock is held.
func (c *claim) room() room {
	if c.progress.Fresh() > 0 || c.settings.Serial && c.flights > 0 || c.m.pauses.has(c.topic, c.partition) {
		return room{}
	}
	if c.fill(); c.full {
		return room{}
	}
	spans, _ := c.progress.Window()
	_, bytes := c.progress.Pending()
	r := room{records: min(c.settings.Kafka.BatchRecords, windowRecords-spans), bytes: c.m.memory.perPartition() - bytes}
	// What is in flight beyond the keys that can go at once waits for its turn, so that none of them is idle while we look for more.
	keys := 2 * c.m.concurrency()
	left := keys - c.progress.Keys()
	if left <= 0 || c.sidewise && left < keys/4 {
		// Few records at a time would be many batches.
		return room{}
	}
	if c.sidewise {
		r.records = min(r.records, left)
	}
	return r
}

// fill looks whether the window is full: at its limit, and then until a quarter of it is free again. The claim's lock is held.
func (c *claim) fill() {
	spans, runs := c.progress.Window()
	_, bytes := c.progress.Pending()
	most := c.m.memory.perPartition()
	if c.full {
		c.full = spans > windowRecords*3/4 || runs > windowRuns*3/4 || bytes > most*3/4
	} else {
		c.full = spans >= windowRecords || runs >= windowRuns || bytes >= most
	}
}

// tellFull raises and ends the alarm of a full window, and lets the client fetch only what there is room for: what it has fetched and
// nobody takes would keep its other partitions waiting.
func (c *claim) tellFull() {
	c.mu.Lock()
	full, paused := c.full, c.m.pauses.has(c.topic, c.partition)
	text := ""
	if full && !c.fullAlarm {
		text = c.fullText()
	}
	c.mu.Unlock()
	if fetching := !full && !paused; fetching != c.fetching {
		c.fetching = fetching
		c.fetch(fetching)
	}
	switch {
	case !full:
		c.fullSince = time.Time{}
		if c.fullAlarm {
			c.fullAlarm = false
			c.settings.Hooks.Alarm(AlarmWindowFull, c.topic, c.partition, false, "")
		}
	case c.fullSince.IsZero():
		c.fullSince = time.Now()
	case !c.fullAlarm && time.Since(c.fullSince) > fullFor:
		c.fullAlarm = true
		c.settings.Hooks.Alarm(AlarmWindowFull, c.topic, c.partition, true, text)
	}
}

// fullText says what holds the window. The claim's lock is held.
func (c *claim) fullText() string {
	spans, _ := c.progress.Window()
	oldest := c.progress.Oldest()
	if oldest == nil {
		return "the window is full"
	}
	return fmt.Sprintf("the window is full: %d records wait behind %s, whose key is not finished; nothing more is taken from the partition", spans, oldest.Position)
}
