package kafka

import (
	"time"

	"github.com/prantikov/millrace/record"
)

// flight is records of one partition that are handed over together, and which of them are back. The claim's lock guards it.
type flight struct {
	records []*record.Record
	memos   []any
	settled []bool
	// back counts the settled ones, finished those of them that are finished.
	back, finished int
	// fresh is true for records that come from the log, not out of lanes; sided once their keys were taken note of.
	fresh, sided, over bool
}

// batch is the flight as its handler sees it.
func (f *flight) batch(c *claim) *record.Batch {
	return &record.Batch{
		Records: f.records, Memos: f.memos, Claim: c.id, Stopping: c.drain.stopping,
		Report: func(index int, result record.Result) { c.report(f, index, result) },
		Side:   func() { c.side(f) },
	}
}

// settle takes the first result of a record and says whether it was that. What comes after the flight's end is late: the record is
// somebody else's.
func (f *flight) settle(index int) bool {
	if f.over || index < 0 || index >= len(f.records) || f.settled[index] {
		return false
	}
	f.settled[index] = true
	f.back++
	return true
}

// fly hands the flight over, waits for the end of its handling, and takes back what is unfinished.
func (c *claim) fly(f *flight) {
	ended := c.subscribed.hand(c, f.batch(c))
	c.land(f, ended)
}

// report takes the result of one record of a flight.
func (c *claim) report(f *flight, index int, result record.Result) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !f.settle(index) {
		return
	}
	offset := f.records[index].Offset
	switch {
	case result.Outcome.Finished():
		f.finished++
		if c.progress.Finish(offset) {
			c.finished++
		}
	case result.Outcome == record.Parked:
		c.progress.Park(offset, result.Until, result.Memo)
	default:
		c.progress.Return(offset, time.Now().Add(handAgainFirst))
	}
	// As long as keys are in flight that nobody took note of, there is nothing to be done about it.
	if c.progress.Fresh() == 0 {
		c.nudge()
	}
}

// side takes note of the flight's keys.
func (c *claim) side(f *flight) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.over {
		return
	}
	f.sided, c.sidewise = true, true
	c.progress.Side(f.records)
	c.nudge()
}

// land ends the flight. What is unfinished is handed over again after a pause, which grows as long as nothing is finished.
func (c *claim) land(f *flight, ended bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f.over = true
	c.flights--
	if f.fresh && !f.sided {
		c.sidewise = false
	}
	left := len(f.records) - f.back
	if f.finished > 0 {
		c.again.reset()
	}
	if left > 0 {
		until := time.Now().Add(c.again.next())
		for i, r := range f.records {
			if !f.settled[i] {
				c.progress.Park(r.Offset, until, f.memo(i))
			}
		}
	}
	if !ended && left > 0 {
		c.settings.Logger.Error("handler goes on past the drain deadline, abandoned", "topic", c.topic, "partition", c.partition, "records", left)
		c.settings.Hooks.Abandoned(c.topic, c.partition, left)
	}
	c.nudge()
}

func (f *flight) memo(i int) any {
	if f.memos == nil {
		return nil
	}
	return f.memos[i]
}

const (
	// handAgainFirst and handAgainMost bound the pause before records are handed over again that came back without a word.
	handAgainFirst = 100 * time.Millisecond
	handAgainMost  = time.Second
)
