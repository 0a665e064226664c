package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/IBM/sarama"

	"github.com/prantikov/millrace/config"
	"github.com/prantikov/millrace/record"
)

// Restorer publishes records of an earlier log in transactions (KIP-98), and commits with each of them how far it is: as the offset of a group that
// bears its name, which nobody else has. So after a kill at any moment the next one of that name knows what is on the topic, and goes on behind it;
// what a transaction left open is aborted by then, and two of one name do not get in each other's way.
// It is used by one goroutine.
type Restorer struct {
	name, topic  string
	transactions transactions
	client       sarama.Client
	admin        sarama.ClusterAdmin
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
	asking, err := adminConfig(s)
	if err != nil {
		return nil, err
	}
	r := &Restorer{name: name, topic: topic}
	if r.client, err = connect(ctx, s.Brokers, asking); err != nil {
		return nil, err
	}
	if r.admin, err = sarama.NewClusterAdminFromClient(r.client); err != nil {
		_ = r.client.Close()
		return nil, fmt.Errorf("finding the controller: %w", explained(err))
	}
	if r.transactions, err = openTransactions(ctx, s, c, name); err != nil {
		_ = r.admin.Close()
		return nil, err
	}
	return r, nil
}

// Restored is how far restorers of this name are: zero when none has published anything yet.
func (r *Restorer) Restored(ctx context.Context) (Restored, error) {
	block, err := r.position(ctx)
	if errors.Is(err, sarama.ErrGroupIDNotFound) {
		return Restored{}, nil
	}
	if err != nil {
		return Restored{}, fmt.Errorf("asking how far %q is: %w", r.name, explained(needing(err, OperationDescribe, ResourceGroup, r.name)))
	}
	if block == nil || block.Offset < 0 {
		return Restored{}, nil
	}
	last, err := record.ParsePosition(block.Metadata)
	if err != nil {
		return Restored{}, fmt.Errorf("asking how far %q is: what is committed there is somebody else's", r.name)
	}
	return Restored{Records: block.Offset, Last: last}, nil
}

// position asks for what is committed until no transaction is on its way (KIP-447): a coordinator hears of the end of one later than who ended it,
// and says until then what was there before.
func (r *Restorer) position(ctx context.Context) (*sarama.OffsetFetchResponseBlock, error) {
	deadline := time.Now().Add(readPatience)
	for {
		block, err := await(ctx, r.ask)
		if err == nil || errors.Is(err, sarama.ErrGroupIDNotFound) || !passes(err) || time.Now().After(deadline) {
			return block, err
		}
		select {
		case <-time.After(100 * time.Millisecond):
			_, _ = await(ctx, func() (struct{}, error) { return struct{}{}, r.client.RefreshCoordinator(r.name) })
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// ask asks the coordinator once; nil is nothing.
func (r *Restorer) ask() (*sarama.OffsetFetchResponseBlock, error) {
	coordinator, err := r.client.Coordinator(r.name)
	if err != nil {
		return nil, err
	}
	request := sarama.NewOffsetFetchRequest(r.client.Config().Version, r.name, map[string][]int32{r.topic: {0}})
	request.RequireStable = request.Version >= 7
	answer, err := coordinator.FetchOffset(request)
	if err != nil {
		// The client keeps a broken connection until somebody closes it.
		_ = coordinator.Close()
		return nil, err
	}
	if err := answer.GroupError(); !errors.Is(err, sarama.ErrNoError) {
		return nil, err
	}
	block := answer.GetBlock(r.topic, 0)
	if block != nil && !errors.Is(block.Err, sarama.ErrNoError) {
		return nil, block.Err
	}
	return block, nil
}

// Publish sends records in one transaction, each to the partition that it has, or with byKey to the one that Java's default partitioner chooses, and
// commits with it how far that is. An error that is not [ErrOutcomeUnknown] means that none of them is there.
func (r *Restorer) Publish(records []*record.Record, byKey bool, now Restored) error {
	messages := make([]*sarama.ProducerMessage, len(records))
	for i, one := range records {
		partition := one.Partition
		if byKey {
			partition = anyPartition
		}
		messages[i] = toClient(r.topic, one)
		messages[i].Metadata = &ticket{partition: partition}
	}
	return r.transactions.publish(messages, func() error { return r.commit(now) })
}

// commit adds how far it is to the transaction.
func (r *Restorer) commit(now Restored) error {
	where := now.Last.String()
	offsets := map[string][]*sarama.PartitionOffsetMetadata{r.topic: {{Partition: 0, Offset: now.Records, LeaderEpoch: -1, Metadata: &where}}}
	if err := r.transactions.producer.AddOffsetsToTxn(offsets, r.name); err != nil {
		return fmt.Errorf("committing how far %q is (%d records): %w", r.name, now.Records, explained(needing(err, OperationRead, ResourceGroup, r.name)))
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
	if err := errors.Join(r.transactions.close(), r.admin.Close()); err != nil {
		return fmt.Errorf("ending the restorer %q: %w", r.name, explained(err))
	}
	return nil
}
