package kafka

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/IBM/sarama"

	"github.com/prantikov/millrace/config"
	"github.com/prantikov/millrace/record"
)

// Restorer publishes records of an earlier log in transactions (KIP-98), and commits with each of them how far it is: as the offset of a group that
// bears its name, which nobody else has. So after a kill at any moment the next one of that name knows what is on the topic, and goes on behind it;
// what a transaction left open is aborted by then, and two of one name do not get in each other's way.
// It is used by one goroutine.
type Restorer struct {
	name, topic string
	producer    sarama.SyncProducer
	admin       sarama.ClusterAdmin
}

// Restored is how far a restorer is: how many records it has published, and where the last one stood in the earlier log.
type Restored struct {
	Records int64
	Last    record.Position
}

// NewRestorer opens the restorer of a name for a topic, and fences all others of that name.
func NewRestorer(ctx context.Context, s config.Kafka, name, topic string) (*Restorer, error) {
	c, err := producerConfig(s)
	if err != nil {
		return nil, err
	}
	// The broker knows what its topic takes. Who was fenced is told so by the tries being over: there are few, for it can be done again.
	c.Producer.MaxMessageBytes = int(sarama.MaxRequestSize) - 1<<20
	c.Producer.Partitioner = newPartitioner
	c.Producer.Transaction.ID = name
	asking, err := adminConfig(s)
	if err != nil {
		return nil, err
	}
	r := &Restorer{name: name, topic: topic}
	if r.admin, err = await(ctx, func() (sarama.ClusterAdmin, error) { return sarama.NewClusterAdmin(s.Brokers, asking) }); err != nil {
		return nil, fmt.Errorf("connecting to kafka.brokers %q: %w", strings.Join(s.Brokers, ","), explained(err))
	}
	if r.producer, err = await(ctx, func() (sarama.SyncProducer, error) { return sarama.NewSyncProducer(s.Brokers, c) }); err != nil {
		_ = r.admin.Close()
		return nil, fmt.Errorf("opening transactions %q on kafka.brokers %q: %w", name, strings.Join(s.Brokers, ","), explained(err))
	}
	return r, nil
}

// Restored is how far restorers of this name are: zero when none has published anything yet.
func (r *Restorer) Restored(ctx context.Context) (Restored, error) {
	answer, err := await(ctx, func() (*sarama.OffsetFetchResponse, error) {
		return r.admin.ListConsumerGroupOffsets(r.name, map[string][]int32{r.topic: {0}})
	})
	if errors.Is(err, sarama.ErrGroupIDNotFound) {
		return Restored{}, nil
	}
	if err != nil {
		return Restored{}, fmt.Errorf("asking how far %q is: %w", r.name, explained(needing(err, OperationDescribe, ResourceGroup, r.name)))
	}
	block := answer.GetBlock(r.topic, 0)
	if block == nil || block.Offset < 0 {
		return Restored{}, nil
	}
	last, err := record.ParsePosition(block.Metadata)
	if err != nil {
		return Restored{}, fmt.Errorf("asking how far %q is: what is committed there is somebody else's", r.name)
	}
	return Restored{Records: block.Offset, Last: last}, nil
}

// Publish sends records in one transaction, each to the partition that it has, or with byKey to the one that Java's default partitioner chooses, and
// commits with it how far that is. An error that is not [ErrOutcomeUnknown] means that none of them is there.
func (r *Restorer) Publish(records []*record.Record, byKey bool, now Restored) error {
	if err := r.producer.BeginTxn(); err != nil {
		return fmt.Errorf("beginning a transaction of %q: %w", r.name, explained(err))
	}
	if err := r.send(records, byKey, now); err != nil {
		return errors.Join(err, r.abort())
	}
	if err := r.producer.CommitTxn(); err != nil {
		return fmt.Errorf("committing a transaction of %q: %w: %w", r.name, ErrOutcomeUnknown, explained(err))
	}
	return nil
}

func (r *Restorer) send(records []*record.Record, byKey bool, now Restored) error {
	messages := make([]*sarama.ProducerMessage, len(records))
	for i, one := range records {
		partition := one.Partition
		if byKey {
			partition = anyPartition
		}
		messages[i] = toClient(r.topic, one)
		messages[i].Metadata = &ticket{partition: partition}
	}
	if err := r.producer.SendMessages(messages); err != nil {
		var failed sarama.ProducerErrors
		if errors.As(err, &failed) && len(failed) > 0 {
			err = failed[0].Err
		}
		return fmt.Errorf("publishing %d records to %q: %w", len(records), r.topic, explained(needing(err, OperationWrite, ResourceTopic, r.topic)))
	}
	where := now.Last.String()
	offsets := map[string][]*sarama.PartitionOffsetMetadata{r.topic: {{Partition: 0, Offset: now.Records, LeaderEpoch: -1, Metadata: &where}}}
	if err := r.producer.AddOffsetsToTxn(offsets, r.name); err != nil {
		return fmt.Errorf("committing how far %q is (%s records): %w", r.name, strconv.FormatInt(now.Records, 10), explained(needing(err, OperationRead, ResourceGroup, r.name)))
	}
	return nil
}

// abort takes back what a transaction has sent. Where that fails, the next restorer of the name does it, or the brokers after a while.
func (r *Restorer) abort() error {
	if r.producer.TxnStatus()&sarama.ProducerTxnFlagFatalError != 0 {
		return nil
	}
	if err := r.producer.AbortTxn(); err != nil {
		return fmt.Errorf("aborting the transaction: %w", explained(err))
	}
	return nil
}

// Forget drops how far it is, so that the next restorer of the name begins anew.
func (r *Restorer) Forget(ctx context.Context) error {
	_, err := await(ctx, func() (struct{}, error) { return struct{}{}, r.admin.DeleteConsumerGroup(r.name) })
	if err != nil && !errors.Is(err, sarama.ErrGroupIDNotFound) {
		return fmt.Errorf("dropping the group %q: %w", r.name, explained(err))
	}
	return nil
}

// Close ends the restorer.
func (r *Restorer) Close() error {
	if err := errors.Join(r.producer.Close(), r.admin.Close()); err != nil {
		return fmt.Errorf("closing the transactions of %q: %w", r.name, explained(err))
	}
	return nil
}
