package kafka

import (
	"slices"
	"time"

	"github.com/IBM/sarama"

	"github.com/prantikov/millrace/record"
)

// flight is records of one partition that are handed over together, and what became of them. The claim's lock guards it.
type flight struct {
	records  []*record.Record
	attempts []record.Attempts
	settled  []bool
	bytes    int64
	// began is when the records were handed over.
	began time.Time
	// until is when the last parked record is due.
	until time.Time
	over  bool
}

// take waits for a record and takes all that wait behind it, up to the size of a batch. It returns nil when the partition is wanted back.
func (c *claim) take() *flight {
	for {
		select {
		case <-c.drain.stopping:
			return nil
		case message, ok := <-c.source.Messages():
			if !ok {
				return nil
			}
			f := c.takeWaiting(message)
			c.settings.Hooks.HighWater(c.topic, c.partition, c.source.HighWaterMarkOffset())
			if len(f.records) > 0 {
				return f
			}
		}
	}
}

// takeWaiting makes a flight of a record and those that are there already.
func (c *claim) takeWaiting(message *sarama.ConsumerMessage) *flight {
	most := min(c.settings.Kafka.BatchRecords, len(c.source.Messages())+1)
	f := &flight{records: make([]*record.Record, 0, most)}
	c.mu.Lock()
	defer c.mu.Unlock()
	for taken := 1; ; taken++ {
		r := fromClient(message)
		size := r.Size()
		if c.progress.Deliver(r.Offset, size) {
			f.records = append(f.records, r)
			f.bytes += int64(size)
		}
		if taken == most {
			break
		}
		// As many wait as were counted: nobody else takes any.
		message = <-c.source.Messages()
	}
	f.attempts = make([]record.Attempts, len(f.records))
	f.settled = make([]bool, len(f.records))
	return f
}

// batch is the flight as its handler sees it.
func (f *flight) batch(c *claim) *record.Batch {
	return &record.Batch{
		Records: f.records, Attempts: slices.Clone(f.attempts), Claim: c.id, Stopping: c.drain.stopping,
		Report: func(index int, result record.Result) { c.report(f, index, result) },
	}
}

// report takes the first result of a record and says whether the record is finished with it.
func (f *flight) report(index int, result record.Result) bool {
	if f.over || index < 0 || index >= len(f.records) || f.settled[index] {
		return false
	}
	if result.Outcome.Finished() {
		f.settled[index] = true
		return true
	}
	if made := &f.attempts[index]; result.Attempts > made.Made {
		now := time.Now()
		made.Made = result.Attempts
		// A result does not say when its tries were, so the first one's times are those of the hand-over and of the report.
		if made.First.IsZero() {
			made.First, made.FirstFailure = f.began, now
		}
	}
	if result.Outcome == record.Parked && result.Until.After(f.until) {
		f.until = result.Until
	}
	return false
}

// end closes the flight for results and returns what is unfinished, in the order of the log, or nil.
func (f *flight) end() *flight {
	f.over = true
	left := &flight{until: f.until}
	for i, r := range f.records {
		if !f.settled[i] {
			left.records = append(left.records, r)
			left.attempts = append(left.attempts, f.attempts[i])
			left.bytes += int64(r.Size())
		}
	}
	if len(left.records) == 0 {
		return nil
	}
	left.settled = make([]bool, len(left.records))
	return left
}

// timestamp is that of the record with this offset; zero when the flight is nil or has no such record.
func (f *flight) timestamp(offset int64) time.Time {
	if f == nil {
		return time.Time{}
	}
	for _, r := range f.records {
		if r.Offset == offset {
			return r.Timestamp
		}
	}
	return time.Time{}
}
