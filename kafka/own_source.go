package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/IBM/sarama"

	"github.com/prantikov/millrace/config"
	"github.com/prantikov/millrace/record"
)

// ownSource reads the partition of one claim with fetches of its own, in place of the group's. It passes a batch that cannot be read, or stays
// before it, as kafka.unreadable says.
type ownSource struct {
	sarama.ConsumerGroupClaim
	s        *session
	claim    *claim
	messages chan *sarama.ConsumerMessage
	// at is the offset that is read next, sent the one behind the last record that was sent.
	at   record.Position
	sent int64
	// alarmed is true while the alarm of a batch is on.
	alarmed bool
	// end is the end of the log as it was last told.
	end atomic.Int64
}

// Messages has the records that this source read.
func (o *ownSource) Messages() <-chan *sarama.ConsumerMessage { return o.messages }

// HighWaterMarkOffset is the end of the log as the broker last told it.
func (o *ownSource) HighWaterMarkOffset() int64 { return o.end.Load() }

const (
	// idleFetch is the pause after a fetch that brought nothing.
	idleFetch = 200 * time.Millisecond
	// holdLooks is how often the start of the log is looked at until a held batch is read again: another leader may have it whole.
	holdLooks = 10
)

// errLogEndsBefore ends the session: the next one says what that means.
var errLogEndsBefore = errors.New("the log ends before the position")

// read reads until the context ends or an error comes.
func (o *ownSource) read(ctx context.Context, reader *alone) error {
	if o.at.Offset < 0 {
		// Nothing was committed and the log's start could not be asked for at the assignment.
		first, err := reader.reader.client.GetOffset(o.at.Topic, o.at.Partition, sarama.OffsetOldest)
		if err != nil {
			return err
		}
		o.at.Offset = first
	}
	for ctx.Err() == nil {
		f, bad, err := reader.next(o.at)
		switch {
		case errors.Is(err, sarama.ErrOffsetOutOfRange):
			err = o.passRetention(ctx, reader)
		case err != nil:
		case bad != nil:
			err = o.meet(ctx, reader, bad)
			reader.narrow = false
		default:
			o.end.Store(max(o.end.Load(), f.stable))
			if !o.send(ctx, f.records) {
				return ctx.Err()
			}
			if f.next == o.at.Offset {
				sleep(ctx, idleFetch)
			}
			o.at.Offset = f.next
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (o *ownSource) send(ctx context.Context, records []*record.Record) bool {
	for _, r := range records {
		m := &sarama.ConsumerMessage{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Timestamp: r.Timestamp, Key: r.Key, Value: r.Value}
		for _, header := range r.Headers {
			m.Headers = append(m.Headers, &sarama.RecordHeader{Key: []byte(header.Key), Value: header.Value})
		}
		select {
		case o.messages <- m:
			o.sent = r.Offset + 1
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// meet is at a batch that cannot be read. It returns nil when reading may go on: behind it, or with it once more.
func (o *ownSource) meet(ctx context.Context, reader *alone, bad *unreadable) error {
	o.alarm(true, bad.text()+o.outlook(bad))
	err := error(nil)
	if o.s.m.settings.Kafka.Unreadable == config.UnreadableSkip && bad.to > bad.from {
		err = o.pass(ctx, Gap{o.at.Topic, o.at.Partition, bad.from, bad.to, bad.text()})
	} else {
		err = o.hold(ctx, reader)
	}
	if err == nil {
		o.alarm(false, "")
	}
	return err
}

// alarm begins or ends the alarm of a batch. That of a partition that is given back ends with the partition.
func (o *ownSource) alarm(on bool, text string) {
	if o.alarmed != on {
		o.alarmed = on
		o.s.m.settings.Hooks.Alarm(AlarmUnreadable, o.at.Topic, o.at.Partition, on, text)
	}
}

// hold waits before a batch that cannot be read until the log does not have it any more, or it can be read.
func (o *ownSource) hold(ctx context.Context, reader *alone) error {
	for look := 1; ; look++ {
		sleep(ctx, o.s.m.settings.StalledAfter)
		first, err := reader.reader.client.GetOffset(o.at.Topic, o.at.Partition, sarama.OffsetOldest)
		if ctx.Err() != nil || err != nil {
			return errors.Join(ctx.Err(), err)
		}
		if first > o.at.Offset {
			return nil
		}
		if look%holdLooks > 0 {
			continue
		}
		f, again, err := reader.next(o.at)
		if err != nil {
			return err
		}
		if again == nil && f.next > o.at.Offset {
			return nil
		}
	}
}

// outlook says what is done about the batch.
func (o *ownSource) outlook(bad *unreadable) string {
	switch {
	case o.s.m.settings.Kafka.Unreadable != config.UnreadableSkip:
		return "; the partition is held before it (kafka.unreadable: skip passes it)"
	case bad.to == bad.from:
		return "; the partition is held before it, for the batch does not say where it ends"
	default:
		return fmt.Sprintf("; it is passed (kafka.unreadable is skip), the next offset is %d", bad.to)
	}
}

// passRetention passes what the log has lost.
func (o *ownSource) passRetention(ctx context.Context, reader *alone) error {
	first, err := reader.reader.client.GetOffset(o.at.Topic, o.at.Partition, sarama.OffsetOldest)
	if err != nil {
		return err
	}
	if first <= o.at.Offset {
		o.s.end()
		return errLogEndsBefore
	}
	return o.pass(ctx, Gap{o.at.Topic, o.at.Partition, o.at.Offset, first, ReasonRetention})
}

// pass records the gap and then goes on behind it. Until it can be recorded the partition waits here and holds no other.
func (o *ownSource) pass(ctx context.Context, gap Gap) error {
	// A record before the gap that the claim has not taken yet would pass for one in it.
	for o.claim.position().Next < o.sent {
		if sleep(ctx, lookAgain/10); ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if err := o.s.gap(ctx, gap); err != nil {
		return err
	}
	o.at.Offset = gap.To
	o.claim.pass(gap.To)
	return nil
}

// pass moves the claim behind offsets that are not delivered, all records before them being taken. The frontier is marked when it gets there.
func (c *claim) pass(to int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.progress.Pass(to)
}
