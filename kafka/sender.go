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
	call      *call
}

// call is the messages of one call of a publisher, and what became of them. An answer writes its outcome in place, so that nothing has to be
// handed from one goroutine to another for each message.
type call struct {
	mu        sync.Mutex
	positions []record.Position
	errs      []error
	// open counts the messages that have no answer; left is true once nobody waits for one.
	open int
	left bool
	// done is closed with the last answer.
	done chan struct{}
}

// answer takes the outcome of one message.
func (c *call) answer(index int, at record.Position, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left {
		return
	}
	if c.errs[index] = err; err == nil {
		c.positions[index] = at
	}
	if c.open--; c.open == 0 {
		close(c.done)
	}
}

// leave ends the waiting: answers that come later change nothing.
func (c *call) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left = true
}

// sender is one producer of the client, with its answers sorted to the calls that wait for them.
type sender struct {
	producer sarama.AsyncProducer
	answers  sync.WaitGroup
}

func newSender(brokers []string, c *sarama.Config) (*sender, error) {
	producer, err := sarama.NewAsyncProducer(brokers, c)
	if err != nil {
		return nil, fmt.Errorf("connecting a publisher to kafka.brokers %q: %w", strings.Join(brokers, ","), explained(toSend(login(c, err))))
	}
	s := &sender{producer: producer}
	s.answers.Go(func() {
		for m := range producer.Successes() {
			t := m.Metadata.(*ticket)
			t.call.answer(t.index, record.Position{Topic: m.Topic, Partition: m.Partition, Offset: m.Offset}, nil)
		}
	})
	s.answers.Go(func() {
		for e := range producer.Errors() {
			t := e.Msg.Metadata.(*ticket)
			t.call.answer(t.index, record.Position{}, e.Err)
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
	c := &call{positions: positions, errs: errs, open: len(messages), done: make(chan struct{})}
	defer c.leave()
	sent := s.hand(ctx, messages, c)
	if sent == len(messages) {
		select {
		case <-c.done:
			return
		case <-ctx.Done():
		}
	}
	c.leave()
	giveUp(ctx, errs[:sent], errs[sent:])
}

// hand gives the messages to the client until ctx ends, and says how many it took.
func (s *sender) hand(ctx context.Context, messages []*sarama.ProducerMessage, c *call) int {
	for i, m := range messages {
		t := m.Metadata.(*ticket)
		t.index, t.call = i, c
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
