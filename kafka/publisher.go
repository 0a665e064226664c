package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/IBM/sarama"
	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/prantikov/millrace/config"
	"github.com/prantikov/millrace/record"
)

// batchBytes bounds a batch of one partition: what a broker takes unless it was told otherwise. A larger record is sent alone.
const batchBytes = 1 << 20

// mostErrors bounds how many failed records an error names.
const mostErrors = 20

// Publisher sends records and waits until all in-sync replicas have them. It tries again as often as the settings say (3 times, 100 ms apart) and
// then returns the error; nothing above it may send again what may be there already.
//
// An error means that the outcome is unknown: the record may be on the topic. Records of one call reach a partition in their order.
// It is safe for concurrent use; calls that run side by side share batches.
type Publisher struct {
	logger *slog.Logger
	// deliver bounds a call; 0 for no bound but the retries.
	deliver time.Duration
	// together sends in batches, alone sends each record that is too large for a batch.
	together, alone *sender

	// mu is held for reading by calls under way and for writing by Close.
	mu     sync.RWMutex
	closed bool
}

var _ message.Publisher = (*Publisher)(nil)

// NewPublisher connects a publisher, which logs its failures; a nil logger drops them. It returns an error that names every unsafe setting, or that no broker answers.
func NewPublisher(s config.Kafka, logger *slog.Logger) (*Publisher, error) {
	c, err := producerConfig(s)
	if err != nil {
		return nil, err
	}
	return newPublisher(s, c, 0, logger)
}

// NewDeadLetterPublisher connects a publisher for dead letters and redrives, which must arrive: it tries for kafka.producer.delivery_timeout
// (2 minutes), and takes every record that a broker can take.
func NewDeadLetterPublisher(s config.Kafka, logger *slog.Logger) (*Publisher, error) {
	c, deliver, err := deadLetterConfig(s)
	if err != nil {
		return nil, err
	}
	return newPublisher(s, c, deliver, logger)
}

// deadLetterConfig is the client's settings for dead letters, and how long one may take.
func deadLetterConfig(s config.Kafka) (c *sarama.Config, deliver time.Duration, err error) {
	if c, err = producerConfig(s); err != nil {
		return nil, 0, err
	}
	if deliver = s.Producer.DeliveryTimeout; deliver <= 0 {
		deliver = 2 * time.Minute
	}
	const most = 2 * time.Second
	c.Producer.Retry.Max = int(deliver/most) + 6
	c.Producer.Retry.BackoffFunc = func(retries, _ int) time.Duration {
		return min(most, c.Producer.Retry.Backoff<<min(retries, 10))
	}
	// The broker knows what its topic takes; dead letters carry headers that their source had no room for.
	c.Producer.MaxMessageBytes = int(sarama.MaxRequestSize) - 1<<20
	return c, deliver, nil
}

func newPublisher(s config.Kafka, c *sarama.Config, deliver time.Duration, logger *slog.Logger) (*Publisher, error) {
	c.Producer.Partitioner = newPartitioner
	alone := *c
	alone.Producer.Flush.MaxMessages = 1
	alone.Producer.Flush.Bytes, alone.Producer.Flush.Frequency = 0, 0
	// The client uses its one limit for a record and for a batch. Without a smaller one for batches, several records together are more than the
	// topic takes, and all are refused.
	c.Producer.MaxMessageBytes = min(c.Producer.MaxMessageBytes, batchBytes)

	together, err := newSender(s.Brokers, c)
	if err != nil {
		return nil, err
	}
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	p := &Publisher{logger: logger, deliver: deliver, together: together}
	if alone.Producer.MaxMessageBytes > c.Producer.MaxMessageBytes {
		if p.alone, err = newSender(s.Brokers, &alone); err != nil {
			together.close()
			return nil, err
		}
	}
	return p, nil
}

// Publish sends Watermill's messages to the topic. The contexts of the messages are not looked at: they belong to the handlers that made them,
// and end when their own message is done.
func (p *Publisher) Publish(topic string, messages ...*message.Message) error {
	records := make([]*sarama.ProducerMessage, len(messages))
	for i, msg := range messages {
		records[i] = toClient(topic, outgoing(msg))
		records[i].Metadata = &ticket{partition: anyPartition}
	}
	_, err := p.send(context.Background(), records)
	return err
}

// PublishRecords sends the records to their topics, each to the partition that Java's default partitioner chooses for its key (Partition and
// Offset of a record are not looked at). A zero timestamp means now. It returns where each record stands, with offset -1 for one that failed.
// The error names the failed ones by their index.
func (p *Publisher) PublishRecords(ctx context.Context, records []*record.Record) ([]record.Position, error) {
	return p.publish(ctx, records, func(*record.Record) int32 { return anyPartition })
}

// PublishToPartitions is [Publisher.PublishRecords] with the partition of each record. A partition that is negative, or that the topic does not
// have, stands for the one of the key.
func (p *Publisher) PublishToPartitions(ctx context.Context, records []*record.Record) ([]record.Position, error) {
	return p.publish(ctx, records, func(r *record.Record) int32 { return r.Partition })
}

func (p *Publisher) publish(ctx context.Context, records []*record.Record, partition func(*record.Record) int32) ([]record.Position, error) {
	messages := make([]*sarama.ProducerMessage, len(records))
	for i, r := range records {
		messages[i] = toClient(r.Topic, r)
		messages[i].Metadata = &ticket{partition: partition(r)}
	}
	return p.send(ctx, messages)
}

// Close waits for the calls under way and ends the publisher. Later calls return [ErrClosed].
func (p *Publisher) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	p.closed = true
	p.together.close()
	if p.alone != nil {
		p.alone.close()
	}
	return nil
}

// send sends the messages, run by run, and says what became of each.
func (p *Publisher) send(ctx context.Context, messages []*sarama.ProducerMessage) ([]record.Position, error) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.closed {
		return nil, fmt.Errorf("publishing: %w", ErrClosed)
	}
	if p.deliver > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, p.deliver)
		defer cancel()
	}
	outcomes := make([]error, len(messages))
	positions := make([]record.Position, len(messages))
	for begin := 0; begin < len(messages); {
		end := begin + p.run(messages[begin:])
		p.senderOf(messages[begin]).send(ctx, messages[begin:end], positions[begin:end], outcomes[begin:end])
		begin = end
	}
	return positions, p.failure(messages, outcomes)
}

// run is how many messages go one way. What goes the other way waits for them, so that no record overtakes another of its key.
func (p *Publisher) run(messages []*sarama.ProducerMessage) int {
	sender := p.senderOf(messages[0])
	for i, m := range messages {
		if p.senderOf(m) != sender {
			return i
		}
	}
	return len(messages)
}

func (p *Publisher) senderOf(m *sarama.ProducerMessage) *sender {
	const version = 2
	if p.alone != nil && m.ByteSize(version) > batchBytes/2 {
		return p.alone
	}
	return p.together
}

// failure joins what went wrong, by message, and logs it once. It has no payload and no key in it.
func (p *Publisher) failure(messages []*sarama.ProducerMessage, outcomes []error) error {
	var failures []error
	failed := 0
	for i, err := range outcomes {
		if err == nil {
			continue
		}
		failed++
		if failed <= mostErrors {
			failures = append(failures, fmt.Errorf("publishing record %d of %d to %q: %w", i+1, len(messages), messages[i].Topic, explained(needing(err, OperationWrite, ResourceTopic, messages[i].Topic))))
		}
	}
	if failed == 0 {
		return nil
	}
	p.logger.Error("records were not published, or it is not known", "failed", failed, "of", len(messages), "error", failures[0])
	if failed > mostErrors {
		failures = append(failures, fmt.Errorf("publishing %d more records", failed-mostErrors))
	}
	return errors.Join(failures...)
}
