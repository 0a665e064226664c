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
type handOver func(ctx context.Context, c *claim, b *record.Batch) bool

// handOverBatch is the face with a message per batch.
func handOverBatch(ctx context.Context, c *claim, b *record.Batch) bool {
	m := message.NewMessage(b.Records[0].Position.String(), nil)
	m.SetContext(record.NewBatchContext(ctx, b))
	if !c.send(m) {
		return true
	}
	return c.await(m) != abandoned
}

// handOverRecords is the face with a message per record, one after another.
func handOverRecords(ctx context.Context, c *claim, b *record.Batch) bool {
	for i := range b.Records {
		for made := b.Attempts[i].Made; ; {
			end := c.handRecord(ctx, b.Records[i])
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
			b.Report(i, record.Result{Outcome: record.Unfinished, Attempts: made})
			if !c.pause(nackPause) {
				return true
			}
		}
	}
	return true
}

func (c *claim) handRecord(ctx context.Context, r *record.Record) ending {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// The message is acked by whoever gets it, so it must have the channels that NewMessage leaves out.
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

// await waits for the end of a message and marks the frontier meanwhile.
func (c *claim) await(m *message.Message) ending {
	c.look.Reset(lookEvery)
	defer c.look.Stop()
	for {
		select {
		case <-m.Acked():
			return acked
		case <-m.Nacked():
			return nacked
		case <-c.look.C:
			c.mark()
			c.look.Reset(lookEvery)
		case <-c.drain.abandoned:
			return abandoned
		}
	}
}
