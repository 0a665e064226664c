package kafka

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/IBM/sarama"

	"github.com/prantikov/millrace/record"
)

// unread are the batches that a member's sessions found and cannot read, by partition. The next session takes these partitions out of the
// group's fetches, so that one batch does not hold whatever else is fetched from its broker. It is safe for concurrent use.
type unread struct {
	mu    sync.Mutex
	found map[partitionOf]*unreadable
}

func (u *unread) add(at partitionOf, batch *unreadable) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.found == nil {
		u.found = map[partitionOf]*unreadable{}
	}
	u.found[at] = batch
}

// ahead says whether there is such a batch at the offset or behind it. One that was passed is forgotten.
func (u *unread) ahead(at partitionOf, offset int64) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	batch := u.found[at]
	if batch != nil && offset >= max(batch.to, batch.from+1) {
		delete(u.found, at)
		return false
	}
	return batch != nil
}

// source is where a claim gets its records from: the group's fetches or, for a partition with a batch that cannot be read, fetches of its
// own. The function begins those, and returns another that waits for their end.
func (s *session) source(sess sarama.ConsumerGroupSession, source sarama.ConsumerGroupClaim) (sarama.ConsumerGroupClaim, func(*claim) func()) {
	at := partitionOf{source.Topic(), source.Partition()}
	s.m.stalled.taken(at)
	if !s.m.unread.ahead(at, source.InitialOffset()) {
		return source, func(*claim) func() { return func() {} }
	}
	// The client makes no fetch in the first moment of a claim.
	pause(source)
	own := &ownSource{ConsumerGroupClaim: source, s: s, messages: make(chan *sarama.ConsumerMessage, s.m.settings.Kafka.BatchRecords)}
	own.end.Store(source.HighWaterMarkOffset())
	return own, func(c *claim) func() {
		ctx, cancel := context.WithCancel(sess.Context())
		own.claim, own.at = c, record.Position{Topic: at.topic, Partition: at.partition, Offset: source.InitialOffset()}
		var ended sync.WaitGroup
		ended.Go(func() { own.run(ctx) })
		ended.Go(func() { own.watch(ctx, cancel) })
		return func() { cancel(); ended.Wait() }
	}
}

// pause takes the partition out of the group's fetches. Nobody else pauses or resumes it while it has a source of its own.
func pause(source sarama.ConsumerGroupClaim) {
	if paused, ok := source.(interface {
		Pause()
		IsPaused() bool
	}); ok && !paused.IsPaused() {
		paused.Pause()
	}
}

// watch ends the source when the partition is wanted back, and keeps it out of the group's fetches until then.
func (o *ownSource) watch(ctx context.Context, cancel func()) {
	defer cancel()
	again := time.NewTicker(time.Second)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-again.C:
			pause(o.ConsumerGroupClaim)
		case _, ok := <-o.ConsumerGroupClaim.Messages():
			// What the client fetched before it was paused is read again here.
			if !ok {
				return
			}
		}
	}
}

// run reads until the context ends, with a new connection after each error.
func (o *ownSource) run(ctx context.Context) {
	defer close(o.messages)
	pause := backoff{first: reconnectFirst, most: reconnectMost}
	for ctx.Err() == nil {
		reader, err := readAlone(ctx, o.s.m.settings.Kafka)
		if err == nil {
			before := o.at.Offset
			err = o.read(ctx, reader)
			reader.close()
			if o.at.Offset > before {
				pause.reset()
			}
		}
		if ctx.Err() != nil || errors.Is(err, errLogEndsBefore) {
			break
		}
		o.s.m.trouble.raise("cannot read a partition by itself, trying again", o.s.m.needing(err))
		sleep(ctx, pause.next())
	}
}

// fetch lets the group's fetches bring the partition, or not. One with a source of its own stays out of them.
func (c *claim) fetch(on bool) {
	if _, own := c.source.(*ownSource); !own {
		c.sink.fetch(c.topic, c.partition, on)
	}
}
