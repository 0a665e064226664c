package kafka

import (
	"context"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/prantikov/millrace/record"
)

// nackPause is how long a record waits after a nack until it comes again.
const nackPause = 100 * time.Millisecond

// handOver gives a batch to whoever subscribed and returns when its handling ended, or when the partition is wanted back and nothing is
// in flight. It returns false when the handling was abandoned.
type handOver func(c *claim, b *record.Batch) bool

// handOverBatch is the face with a message per batch.
func handOverBatch(c *claim, b *record.Batch) bool {
	ctx, cancel := context.WithCancel(c.ctx)
	defer cancel()
	m := message.NewMessage(b.Records[0].Position.String(), nil)
	m.SetContext(record.NewBatchContext(ctx, b))
	if !c.send(m) {
		return true
	}
	return c.await(m) != abandoned
}

// handOverRecords is the face with a message per record, one after another.
func handOverRecords(c *claim, b *record.Batch) bool {
	for i := range b.Records {
		for made := 0; ; {
			end := c.handRecord(b.Records[i])
			if end == abandoned {
				return false
			}
			if end == unsent {
				return true
			}
			made++
			if end == acked {
				b.Report(i, record.Result{Outcome: record.Done, Attempts: made})
				break
			}
			if !c.pause(nackPause) {
				return true
			}
		}
	}
	return true
}

func (c *claim) handRecord(r *record.Record) ending {
	ctx, cancel := context.WithCancel(c.ctx)
	defer cancel()
	// The message is acked by whoever gets it, so it must have the channels that NewMessage makes.
	m := message.NewMessage(messageID(r), r.Value)
	m.Metadata = metadataOf(r)
	m.SetContext(record.NewContext(ctx, r))
	if !c.send(m) {
		return unsent
	}
	return c.await(m)
}

// ending is how a message ended.
type ending int

const (
	acked ending = iota
	nacked
	abandoned
	// unsent is the ending of a message that nobody took before the partition was wanted back.
	unsent
)

// send gives the message to whoever subscribed. It returns false when the partition was wanted back first.
func (c *claim) send(m *message.Message) bool {
	if c.isStopping() {
		return false
	}
	select {
	case c.subscribed.out <- m:
		return true
	case <-c.drain.stopping:
		return false
	}
}

// await waits for the end of a message.
func (c *claim) await(m *message.Message) ending {
	select {
	case <-m.Acked():
		return acked
	case <-m.Nacked():
		return nacked
	case <-c.drain.abandoned:
		return abandoned
	}
}

// pause waits and says whether the partition is still ours then.
func (c *claim) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-c.drain.stopping:
		return false
	}
}
