package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/IBM/sarama"
	"github.com/rcrowley/go-metrics"

	"github.com/prantikov/millrace/messages"
)

// consumeSarama is a raw group of sarama that marks and does nothing else: the ceiling of everything that is built on sarama.
func consumeSarama(ctx context.Context, t task, handle function, ready func()) error {
	return consumeGroup(ctx, t, handle, ready, nil)
}

// consumeSaramaDecoding decodes with our decoder too. It is the peer that calibrates: what somebody would write who needs nothing else.
func consumeSaramaDecoding(ctx context.Context, t task, handle function, ready func()) error {
	return consumeGroup(ctx, t, handle, ready, func(value []byte) error {
		_, err := messages.Appointments.Decode(value)
		return err
	})
}

func consumeGroup(ctx context.Context, t task, handle function, ready func(), decode func([]byte) error) error {
	group, err := sarama.NewConsumerGroup(t.Brokers, t.Group, saramaConsumer())
	if err != nil {
		return fmt.Errorf("opening the group: %w", err)
	}
	handler := &groupHandler{handle: handle, ready: ready, decode: decode, timed: t.Timed}
	for ctx.Err() == nil {
		if err := group.Consume(ctx, []string{t.Topic}, handler); err != nil && ctx.Err() == nil {
			return errors.Join(err, group.Close())
		}
	}
	return group.Close()
}

// saramaConsumer is sarama at its best: larger fetches and channels than its defaults, and without its own metrics, which it takes for
// each request.
func saramaConsumer() *sarama.Config {
	metrics.UseNilMetrics = true
	c := sarama.NewConfig()
	c.Version = sarama.V2_8_0_0
	c.ChannelBufferSize = 1024
	c.Consumer.Fetch.Default = 4 << 20
	c.Consumer.MaxProcessingTime = time.Second
	c.Consumer.Offsets.Initial = sarama.OffsetOldest
	c.Consumer.Offsets.AutoCommit.Interval = time.Second
	c.Metadata.Full = false
	return c
}

// groupHandler takes the records of one member.
type groupHandler struct {
	handle function
	ready  func()
	decode func([]byte) error
	timed  bool
}

// Setup is called when the partitions are assigned.
func (h *groupHandler) Setup(sarama.ConsumerGroupSession) error {
	h.ready()
	return nil
}

// Cleanup has nothing to do.
func (h *groupHandler) Cleanup(sarama.ConsumerGroupSession) error { return nil }

// ConsumeClaim handles and marks one record after another.
func (h *groupHandler) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for m := range claim.Messages() {
		if h.decode != nil {
			if err := h.decode(m.Value); err != nil {
				return err
			}
		}
		c := call{key: m.Key, partition: m.Partition, offset: m.Offset}
		if h.timed {
			c.sent = sentOf(m.Headers)
		}
		if err := h.handle(c); err != nil {
			return err
		}
		session.MarkMessage(m, "")
	}
	return nil
}

func sentOf(headers []*sarama.RecordHeader) int64 {
	for _, h := range headers {
		if string(h.Key) == sentHeader {
			return sentTime(h.Value)
		}
	}
	return 0
}
