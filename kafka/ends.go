package kafka

import (
	"context"

	"github.com/IBM/sarama"
)

// source is where a claim's records come from. It and [sink] are all that a claim knows of the client, so that its whole life can be
// simulated: the client itself holds a lock while it waits for a broker, which keeps a simulated clock from moving.
type source interface {
	Topic() string
	Partition() int32
	// InitialOffset is where reading begins; negative when that is not known.
	InitialOffset() int64
	// HighWaterMarkOffset is the end of the log as the brokers last told it.
	HighWaterMarkOffset() int64
	// Messages is closed when the partition is wanted back.
	Messages() <-chan *sarama.ConsumerMessage
}

// sink is where a claim says how far it is. Context, MarkOffset and ResetOffset are those of the client's session.
type sink interface {
	// Context ends when all partitions are wanted back.
	Context() context.Context
	MarkOffset(topic string, partition int32, offset int64, metadata string)
	ResetOffset(topic string, partition int32, offset int64, metadata string)
	// commitLast commits at the end of a claim and returns what became of it.
	commitLast(ctx context.Context, topic string, partition int32, at committed) error
	// fetch asks for the partition's records, or for none of them.
	fetch(topic string, partition int32, on bool)
}

var _ source = sarama.ConsumerGroupClaim(nil)

// sessionSink is the sink of the claims of one session.
type sessionSink struct {
	sarama.ConsumerGroupSession
	s *session
}

func (k sessionSink) commitLast(ctx context.Context, topic string, partition int32, at committed) error {
	return k.s.commitForGood(ctx, k.ConsumerGroupSession, topic, partition, at)
}

func (k sessionSink) fetch(topic string, partition int32, on bool) { k.s.m.fetch(topic, partition, on) }
