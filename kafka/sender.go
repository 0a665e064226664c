package kafka

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/IBM/sarama"

	"github.com/prantikov/millrace/record"
)

// anyPartition leaves the partition to the key.
const anyPartition int32 = -1

// ticket travels with a message through the client and comes back with its outcome.
type ticket struct {
	partition int32
	index     int
	done      chan<- outcome
}

type outcome struct {
	index    int
	position record.Position
	err      error
}

// sender is one producer of the client, with its answers sorted to the calls that wait for them.
type sender struct {
	producer sarama.AsyncProducer
	answers  sync.WaitGroup
}

func newSender(brokers []string, c *sarama.Config) (*sender, error) {
	producer, err := sarama.NewAsyncProducer(brokers, c)
	if err != nil {
		return nil, fmt.Errorf("connecting a publisher to kafka.brokers %q: %w", strings.Join(brokers, ","), explained(err))
	}
	s := &sender{producer: producer}
	s.answers.Go(func() {
		for m := range producer.Successes() {
			t := m.Metadata.(*ticket)
			t.done <- outcome{index: t.index, position: record.Position{Topic: m.Topic, Partition: m.Partition, Offset: m.Offset}}
		}
	})
	s.answers.Go(func() {
		for e := range producer.Errors() {
			t := e.Msg.Metadata.(*ticket)
			t.done <- outcome{index: t.index, err: e.Err}
		}
	})
	return s, nil
}

// send hands the messages to the client and waits for every answer, or until ctx ends; then what has no answer is unknown.
func (s *sender) send(ctx context.Context, messages []*sarama.ProducerMessage, positions []record.Position, errs []error) {
	for i, m := range messages {
		positions[i] = record.Position{Topic: m.Topic, Partition: anyPartition, Offset: -1}
		errs[i] = ErrOutcomeUnknown
	}
	// Every answer finds room, so that the client never waits for a call that has left.
	done := make(chan outcome, len(messages))
	sent := s.hand(ctx, messages, done)
	for range sent {
		select {
		case o := <-done:
			if errs[o.index] = o.err; o.err == nil {
				positions[o.index] = o.position
			}
		case <-ctx.Done():
			giveUp(ctx, errs[:sent], errs[sent:])
			return
		}
	}
	giveUp(ctx, nil, errs[sent:])
}

// hand gives the messages to the client until ctx ends, and says how many it took.
func (s *sender) hand(ctx context.Context, messages []*sarama.ProducerMessage, done chan<- outcome) int {
	for i, m := range messages {
		t := m.Metadata.(*ticket)
		t.index, t.done = i, done
		select {
		case s.producer.Input() <- m:
		case <-ctx.Done():
			return i
		}
	}
	return len(messages)
}

// giveUp says why messages have no outcome: sent ones that were not answered, and others that were never sent.
func giveUp(ctx context.Context, sent, unsent []error) {
	for i, err := range sent {
		if err == ErrOutcomeUnknown {
			sent[i] = fmt.Errorf("%w: %w", ErrOutcomeUnknown, context.Cause(ctx))
		}
	}
	for i := range unsent {
		unsent[i] = fmt.Errorf("not sent: %w", context.Cause(ctx))
	}
}

// close waits until the client has answered everything that it took.
func (s *sender) close() {
	s.producer.AsyncClose()
	s.answers.Wait()
}

// partitioner obeys the ticket of a message, and else chooses as Java's default partitioner does.
type partitioner struct{ byKey sarama.Partitioner }

func newPartitioner(topic string) sarama.Partitioner {
	return partitioner{byKey: sarama.NewMurmur2Partitioner(topic)}
}

func (p partitioner) Partition(m *sarama.ProducerMessage, count int32) (int32, error) {
	if t, ok := m.Metadata.(*ticket); ok && t.partition >= 0 && t.partition < count {
		return t.partition, nil
	}
	return p.byKey.Partition(m, count)
}

func (p partitioner) RequiresConsistency() bool { return true }

// MessageRequiresConsistency makes the client choose among all partitions, also those without a leader at the moment, unless any will do.
func (p partitioner) MessageRequiresConsistency(m *sarama.ProducerMessage) bool {
	t, ok := m.Metadata.(*ticket)
	return m.Key != nil || ok && t.partition >= 0
}
