package kafka

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/IBM/sarama"

	"github.com/prantikov/millrace/config"
	"github.com/prantikov/millrace/record"
)

// TransactionalPublisher sends records in transactions (KIP-98): those of one call are all there for who reads committed records, or none is.
// Of all publishers with one id only the one that was opened last can send; a transaction that another left open is aborted by then. So who
// opens one and then reads what is there knows that nothing comes behind its back.
// It is used by one goroutine.
type TransactionalPublisher struct {
	id       string
	producer sarama.SyncProducer
}

// NewTransactionalPublisher opens the publisher of an id and fences all others of that id.
func NewTransactionalPublisher(ctx context.Context, s config.Kafka, id string) (*TransactionalPublisher, error) {
	c, _, err := deadLetterConfig(s)
	if err != nil {
		return nil, err
	}
	c.Producer.Partitioner = newPartitioner
	c.Producer.Transaction.ID = id
	producer, err := await(ctx, func() (sarama.SyncProducer, error) { return sarama.NewSyncProducer(s.Brokers, c) })
	if err != nil {
		return nil, fmt.Errorf("opening transactions %q on kafka.brokers %q: %w", id, strings.Join(s.Brokers, ","), explained(needing(err, OperationWrite, ResourceTransaction, id)))
	}
	return &TransactionalPublisher{id: id, producer: producer}, nil
}

// Publish sends the records in one transaction, each to its topic and partition; a partition that is negative, or that the topic does not have,
// stands for the one of the key. An error that is not [ErrOutcomeUnknown] means that none of them is there.
func (p *TransactionalPublisher) Publish(records []*record.Record) error {
	if err := p.producer.BeginTxn(); err != nil {
		return fmt.Errorf("beginning a transaction of %q: %w", p.id, explained(err))
	}
	messages := make([]*sarama.ProducerMessage, len(records))
	for i, r := range records {
		messages[i] = toClient(r.Topic, r)
		messages[i].Metadata = &ticket{partition: r.Partition}
	}
	if err := p.producer.SendMessages(messages); err != nil {
		var failed sarama.ProducerErrors
		if errors.As(err, &failed) && len(failed) > 0 {
			err = needing(failed[0].Err, OperationWrite, ResourceTopic, failed[0].Msg.Topic)
		}
		return errors.Join(fmt.Errorf("publishing %d records in a transaction of %q: %w", len(records), p.id, explained(err)), p.abort())
	}
	if err := p.producer.CommitTxn(); err != nil {
		return fmt.Errorf("committing a transaction of %q: %w: %w", p.id, ErrOutcomeUnknown, explained(err))
	}
	return nil
}

// abort takes back what a transaction has sent. Where that fails, the next publisher of the id does it, or the brokers after a while.
func (p *TransactionalPublisher) abort() error {
	if p.producer.TxnStatus()&sarama.ProducerTxnFlagFatalError != 0 {
		return nil
	}
	if err := p.producer.AbortTxn(); err != nil {
		return fmt.Errorf("aborting the transaction: %w", explained(err))
	}
	return nil
}

// Close ends the publisher.
func (p *TransactionalPublisher) Close() error {
	if err := p.producer.Close(); err != nil {
		return fmt.Errorf("closing the transactions of %q: %w", p.id, explained(err))
	}
	return nil
}
