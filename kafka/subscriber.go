package kafka

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
)

// Subscriber is a Watermill subscriber on a consumer group of Kafka, with two faces on one engine: [Subscriber.Subscribe] hands over
// a message per record, [Subscriber.SubscribeBatches] a message per batch. It never fails on what is in a record.
//
// No two batches in flight have the same key of a partition, and a batch keeps the order of the log: records of one key are handled one
// after another, records of different keys side by side. The lowest offset that is not finished is what is committed, with what is finished
// above it in the commit's metadata. When the partition is wanted back, or the subscriber is closed, what is in flight has the drain
// timeout to end; only then its context is cancelled.
// A subscriber is safe for concurrent use.
type Subscriber struct {
	settings SubscriberSettings
	pauses   pauses
	// keys is how many keys go side by side.
	keys atomic.Int64

	mu     sync.Mutex
	closed bool
	// waiting has the subscriptions to declared topics, until all are there.
	waiting map[string]*subscription
	joined  bool
	members []*member
}

var _ message.Subscriber = (*Subscriber)(nil)

// NewSubscriber returns a subscriber that has not spoken to any broker yet. The error joins all mistakes in the settings.
func NewSubscriber(settings SubscriberSettings) (*Subscriber, error) {
	settings, err := settings.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Subscriber{settings: settings, waiting: map[string]*subscription{}}
	s.keys.Store(int64(settings.Concurrency))
	return s, nil
}

// Subscribe returns a channel with a message per record. An ack means that the record is done; after a nack the record comes again, in a
// new message, after a short pause and before anything newer of its partition. The message's context carries the record
// ([record.FromContext]) and the values of ctx. It is cancelled after the ack, or at the drain deadline.
//
// When ctx ends, the topic is drained and the channel closed. The only error is [ErrClosed]: brokers that are away are
// waited for.
func (s *Subscriber) Subscribe(ctx context.Context, topic string) (<-chan *message.Message, error) {
	return s.subscribe(ctx, topic, handOverRecords)
}

// SubscribeBatches returns a channel with a message per batch of records. The message has no payload; its context carries the batch
// ([record.BatchFromContext]) and the values of ctx, and is cancelled after the ack or nack, or at the drain deadline. Records that
// have no result then are handed over again after a short pause, before anything newer of their key.
//
// When ctx ends, the topic is drained and the channel closed. The only error is [ErrClosed].
func (s *Subscriber) SubscribeBatches(ctx context.Context, topic string) (<-chan *message.Message, error) {
	return s.subscribe(ctx, topic, handOverBatch)
}

func (s *Subscriber) subscribe(ctx context.Context, topic string, hand handOver) (<-chan *message.Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, fmt.Errorf("subscribing to %q: %w", topic, ErrClosed)
	}
	added := &subscription{topic: topic, ctx: ctx, out: make(chan *message.Message), hand: hand}
	_, taken := s.waiting[topic]
	if s.joined || taken || !slices.Contains(s.settings.Topics, topic) {
		s.start(map[string]*subscription{topic: added}, "")
		return added.out, nil
	}
	s.waiting[topic] = added
	if s.complete() {
		s.joined = true
		s.start(s.waiting, s.settings.Instance)
		s.waiting = nil
	}
	return added.out, nil
}

// complete says whether every declared topic has its subscription.
func (s *Subscriber) complete() bool {
	for _, topic := range s.settings.Topics {
		if s.waiting[topic] == nil {
			return false
		}
	}
	return true
}

// start makes a member of the group for these subscriptions, under the instance id if there is one.
func (s *Subscriber) start(subscriptions map[string]*subscription, instance string) {
	s.members = slices.DeleteFunc(s.members, (*member).over)
	m := newMember(s, subscriptions, instance)
	s.members = append(s.members, m)
	go m.run()
}

// Close stops taking records, lets what is in flight end within the drain timeout, commits, leaves the group and closes all channels, in
// this order; then it returns. A subscriber with an instance does not leave: see [Subscriber.LeaveForGood]. Closing twice, also at the same
// time, waits for the same end.
func (s *Subscriber) Close() error {
	s.mu.Lock()
	s.closed = true
	for _, unjoined := range s.waiting {
		unjoined.close()
	}
	s.waiting = nil
	members := slices.Clone(s.members)
	s.mu.Unlock()
	for _, m := range members {
		m.stop()
	}
	for _, m := range members {
		<-m.done
	}
	return nil
}

// LeaveForGood makes the coming [Subscriber.Close] leave the group also where the subscriber has an instance: it does not come back, and others
// get its partitions at once. Without it they wait for the session timeout, so that a restart moves nothing.
func (s *Subscriber) LeaveForGood() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.members {
		m.forGood.Store(true)
	}
}

// Err says why the subscriber ended by itself: [ErrNotAlone], [ErrFenced], or nil while it has not.
func (s *Subscriber) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.members {
		if err := m.failure(); err != nil {
			return err
		}
	}
	return nil
}

// PartitionPosition is how far the subscriber is with one partition that it owns.
type PartitionPosition struct {
	Topic     string
	Partition int32
	// Next is the offset that is read next. It stands behind the last delivered record, and so before the marker of a transaction at the
	// end of the log, which is never delivered.
	Next int64
	// Frontier is the lowest offset that is not finished.
	Frontier int64
	// HighWater is the end of the log as the brokers last told it.
	HighWater int64
	// Pending counts the records that were delivered and are not finished, PendingBytes what they weigh.
	Pending      int
	PendingBytes int64
	// InFlight counts those of them that are being handled.
	InFlight int
	// Waiting counts the keys that wait for a retry.
	Waiting int
	// Oldest is the timestamp of the oldest pending record; zero when there is none.
	Oldest time.Time
	// Paused is true while [Subscriber.Pause] holds the partition, Full while its window takes nothing more.
	Paused, Full bool
	// Delivered is when a record was last delivered, or when the partition was taken.
	Delivered time.Time
}

// Positions returns where the subscriber is with each partition that it owns now, in the order of topic and partition.
func (s *Subscriber) Positions() []PartitionPosition {
	s.mu.Lock()
	members := slices.Clone(s.members)
	s.mu.Unlock()
	var positions []PartitionPosition
	for _, m := range members {
		positions = append(positions, m.claims.positions()...)
	}
	slices.SortFunc(positions, comparePositions)
	return positions
}
