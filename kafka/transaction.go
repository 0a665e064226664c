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

// transactions is a producer of transactions (KIP-98) under one id, of which the brokers let only the one that was opened last send. It is used by
// one goroutine.
type transactions struct {
	id       string
	producer sarama.SyncProducer
}

// openTransactions fences all others of the id and aborts what they left open.
func openTransactions(ctx context.Context, s config.Kafka, c *sarama.Config, id string) (transactions, error) {
	c.Producer.Partitioner = newPartitioner
	c.Producer.Transaction.ID = id
	producer, err := await(ctx, func() (sarama.SyncProducer, error) { return sarama.NewSyncProducer(s.Brokers, c) })
	if err != nil {
		return transactions{}, fmt.Errorf("opening transactions %q on kafka.brokers %q: %w", id, strings.Join(s.Brokers, ","), explained(needing(err, OperationWrite, ResourceTransaction, id)))
	}
	return transactions{id: id, producer: producer}, nil
}

// publish sends the messages in one transaction, and commits with it what beside adds. An error that is not [ErrOutcomeUnknown] means that nothing
// of it is there.
func (t transactions) publish(messages []*sarama.ProducerMessage, beside func() error) error {
	if err := t.producer.BeginTxn(); err != nil {
		return fmt.Errorf("beginning a transaction of %q: %w", t.id, explained(err))
	}
	if err := t.send(messages); err != nil {
		return errors.Join(err, t.abort())
	}
	if err := beside(); err != nil {
		return errors.Join(err, t.abort())
	}
	if err := t.producer.CommitTxn(); err != nil {
		return fmt.Errorf("committing a transaction of %q: %w: %w", t.id, ErrOutcomeUnknown, explained(err))
	}
	return nil
}

func (t transactions) send(messages []*sarama.ProducerMessage) error {
	err := t.producer.SendMessages(messages)
	if err == nil {
		return nil
	}
	var failed sarama.ProducerErrors
	if errors.As(err, &failed) && len(failed) > 0 {
		err = needing(failed[0].Err, OperationWrite, ResourceTopic, failed[0].Msg.Topic)
	}
	return fmt.Errorf("publishing %d records in a transaction of %q: %w", len(messages), t.id, explained(err))
}

// abort takes back what a transaction has sent. Where that fails, the next one to open the id does it, or the brokers after a while.
func (t transactions) abort() error {
	if t.producer.TxnStatus()&sarama.ProducerTxnFlagFatalError != 0 {
		return nil
	}
	if err := t.producer.AbortTxn(); err != nil {
		return fmt.Errorf("aborting the transaction: %w", explained(err))
	}
	return nil
}

func (t transactions) close() error {
	if err := t.producer.Close(); err != nil {
		return fmt.Errorf("closing the transactions of %q: %w", t.id, explained(err))
	}
	return nil
}

// TransactionalPublisher sends records in transactions (KIP-98): those of one call are all there for who reads committed records, or none is.
// Of all publishers with one id only the one that was opened last can send; a transaction that another left open is aborted by then. So who
// opens one and then reads what is there knows that nothing comes behind its back.
// It is used by one goroutine.
type TransactionalPublisher struct{ transactions transactions }

// NewTransactionalPublisher opens the publisher of an id and fences all others of that id.
func NewTransactionalPublisher(ctx context.Context, s config.Kafka, id string) (*TransactionalPublisher, error) {
	c, _, err := deadLetterConfig(s)
	if err != nil {
		return nil, err
	}
	opened, err := openTransactions(ctx, s, c, id)
	if err != nil {
		return nil, err
	}
	return &TransactionalPublisher{opened}, nil
}

// Publish sends the records in one transaction, each to its topic and partition; a partition that is negative, or that the topic does not have,
// stands for the one of the key. An error that is not [ErrOutcomeUnknown] means that none of them is there.
func (p *TransactionalPublisher) Publish(records []*record.Record) error {
	messages := make([]*sarama.ProducerMessage, len(records))
	for i, r := range records {
		messages[i] = toClient(r.Topic, r)
		messages[i].Metadata = &ticket{partition: r.Partition}
	}
	return p.transactions.publish(messages, func() error { return nil })
}

// Close ends the publisher.
func (p *TransactionalPublisher) Close() error { return p.transactions.close() }
