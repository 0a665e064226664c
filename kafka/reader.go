package kafka

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/IBM/sarama"

	"github.com/prantikov/millrace/config"
	"github.com/prantikov/millrace/record"
)

// readPatience is how long a read of a partition goes on without an answer that helps.
const readPatience = 30 * time.Second

// Reader reads topics outside any group, from where to where it is told, and asks for offsets. It sees what was committed only.
//
// It asks the brokers itself instead of using the client's consumer, which never says that it passed records that nobody may see (markers of
// transactions, holes of compaction), and so cannot tell the end of a log from a wait. It is safe for concurrent use.
type Reader struct {
	client     sarama.Client
	admin      sarama.ClusterAdmin
	fetchBytes int32
}

// Range is what to read of a topic.
type Range struct {
	Topic string
	// Partitions restricts the read; nil reads all.
	Partitions []int32
	// Since begins at the first record with this timestamp or a later one; zero begins at the start of the log.
	Since time.Time
	// From begins a partition at an offset, whatever Since says. What the log has lost already is passed.
	From map[int32]int64
	// To ends a partition before an offset; a partition without one ends where its log ends when the read begins.
	To map[int32]int64
}

// NewReader connects a reader.
func NewReader(ctx context.Context, s config.Kafka) (*Reader, error) {
	c, err := adminConfig(s)
	if err != nil {
		return nil, err
	}
	client, err := connect(ctx, s.Brokers, c)
	if err != nil {
		return nil, err
	}
	admin, err := sarama.NewClusterAdminFromClient(client)
	if err != nil {
		_ = client.Close()
		return nil, fmt.Errorf("finding the controller: %w", explained(err))
	}
	return &Reader{client: client, admin: admin, fetchBytes: c.Consumer.Fetch.Default}, nil
}

// Fetching returns the same reader, which asks for so many bytes at a time instead of what the client asks for: less is in memory of a read of many
// partitions side by side. A batch that is larger comes all the same. It ends with the reader.
func (r *Reader) Fetching(bytes int32) *Reader {
	other := *r
	other.fetchBytes = bytes
	return &other
}

// Close ends the reader.
func (r *Reader) Close() error { return r.admin.Close() }

// Partitions returns the topic's partitions in ascending order. The error is [ErrNoTopic] for a topic that does not exist.
func (r *Reader) Partitions(ctx context.Context, topic string) ([]int32, error) {
	partitions, err := await(ctx, func() ([]int32, error) { return r.client.Partitions(topic) })
	if err != nil {
		return nil, fmt.Errorf("asking for the partitions of %q: %w", topic, explained(needing(err, OperationDescribe, ResourceTopic, topic)))
	}
	return slices.Sorted(slices.Values(partitions)), nil
}

// Starts returns the first offset of each partition that the log still has.
func (r *Reader) Starts(ctx context.Context, topic string) (map[int32]int64, error) {
	return r.offsets(ctx, topic, sarama.OffsetOldest, sarama.ReadCommitted)
}

// Ends returns the offset behind the last record of each partition that may be read: an open transaction ends the log before it.
func (r *Reader) Ends(ctx context.Context, topic string) (map[int32]int64, error) {
	return r.offsets(ctx, topic, sarama.OffsetNewest, sarama.ReadCommitted)
}

// OffsetsAt returns the offset of each partition's first record with the timestamp t or a later one; the end where there is none.
func (r *Reader) OffsetsAt(ctx context.Context, topic string, t time.Time) (map[int32]int64, error) {
	offsets, err := r.offsets(ctx, topic, t.UnixMilli(), sarama.ReadCommitted)
	if err != nil {
		return nil, err
	}
	ends, err := r.Ends(ctx, topic)
	if err != nil {
		return nil, err
	}
	for partition, offset := range offsets {
		if offset < 0 {
			offsets[partition] = ends[partition]
		}
	}
	return offsets, nil
}

func (r *Reader) offsets(ctx context.Context, topic string, at int64, level sarama.IsolationLevel) (offsets map[int32]int64, err error) {
	partitions, err := r.Partitions(ctx, topic)
	if err != nil {
		return nil, err
	}
	asked := make(map[int32]int64, len(partitions))
	for _, partition := range partitions {
		asked[partition] = at
	}
	err = r.try(ctx, topic, func() error {
		offsets, err = await(ctx, func() (map[int32]int64, error) { return r.listOffsets(topic, asked, level) })
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("asking for offsets of %q: %w", topic, explained(needing(err, OperationDescribe, ResourceTopic, topic)))
	}
	return offsets, nil
}

// listOffsets asks the leaders once; the first partition that has no answer is an error.
func (r *Reader) listOffsets(topic string, asked map[int32]int64, level sarama.IsolationLevel) (map[int32]int64, error) {
	answers, err := r.admin.ListOffsets(map[string]map[int32]int64{topic: asked}, &sarama.ListOffsetsOptions{IsolationLevel: level})
	if err != nil {
		return nil, err
	}
	offsets := make(map[int32]int64, len(asked))
	for partition := range asked {
		answer := answers[topic][partition]
		if answer == nil {
			return nil, sarama.ErrIncompleteResponse
		}
		if answer.Err != nil && !errors.Is(answer.Err, sarama.ErrNoError) {
			return nil, answer.Err
		}
		offsets[partition] = answer.Offset
	}
	return offsets, nil
}

// Read returns the records of the range: those of one partition in their order, those of different ones as they come. It ends at the range's end, or
// with an error as the last pair. Breaking off ends the read.
func (r *Reader) Read(ctx context.Context, wanted Range) iter.Seq2[*record.Record, error] {
	return func(yield func(*record.Record, error) bool) {
		from, to, err := r.bounds(ctx, wanted)
		if err != nil {
			yield(nil, err)
			return
		}
		ctx, cancel := context.WithCancel(ctx)
		pieces := make(chan piece)
		var readers sync.WaitGroup
		for partition, offset := range from {
			readers.Go(func() { r.readPartition(ctx, wanted.Topic, partition, offset, to[partition], pieces) })
		}
		go func() { readers.Wait(); close(pieces) }()
		defer func() {
			cancel()
			for range pieces {
			}
		}()
		for p := range pieces {
			for _, read := range p.records {
				if !yield(read, nil) {
					return
				}
			}
			if p.err != nil {
				yield(nil, p.err)
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(nil, fmt.Errorf("reading %q: %w", wanted.Topic, context.Cause(ctx)))
		}
	}
}

// ReadPartition returns the records of one partition from a position to before an offset, in the pieces in which they come, which is several
// times faster than one by one. One piece is read ahead. The log must have the end already; what it has lost is passed. It ends there, or with
// an error as the last pair; breaking off ends the read. A piece shares its memory: keep a record with [record.Record.Clone].
func (r *Reader) ReadPartition(ctx context.Context, from record.Position, to int64) iter.Seq2[[]*record.Record, error] {
	return func(yield func([]*record.Record, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		pieces := make(chan piece)
		go func() {
			defer close(pieces)
			r.readPartition(ctx, from.Topic, from.Partition, from.Offset, to, pieces)
		}()
		defer func() {
			cancel()
			for range pieces {
			}
		}()
		for p := range pieces {
			if len(p.records) > 0 && !yield(p.records, nil) {
				return
			}
			if p.err != nil {
				yield(nil, p.err)
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(nil, fmt.Errorf("reading %s: %w", from, context.Cause(ctx)))
		}
	}
}

// Record returns the record at the position. The error is [ErrNoRecord] when the log has none there that may be read.
func (r *Reader) Record(ctx context.Context, at record.Position) (*record.Record, error) {
	wanted := Range{
		Topic: at.Topic, Partitions: []int32{at.Partition},
		From: map[int32]int64{at.Partition: at.Offset}, To: map[int32]int64{at.Partition: at.Offset + 1},
	}
	for read, err := range r.Read(ctx, wanted) {
		if err != nil {
			return nil, err
		}
		if read.Offset == at.Offset {
			return read, nil
		}
	}
	return nil, fmt.Errorf("reading %s: %w", at, ErrNoRecord)
}

// bounds resolves where each partition of the range begins and ends.
func (r *Reader) bounds(ctx context.Context, wanted Range) (from, to map[int32]int64, err error) {
	if wanted.Since.IsZero() {
		from, err = r.Starts(ctx, wanted.Topic)
	} else {
		from, err = r.OffsetsAt(ctx, wanted.Topic, wanted.Since)
	}
	if err != nil {
		return nil, nil, err
	}
	starts, ends := from, map[int32]int64{}
	if to, err = r.Ends(ctx, wanted.Topic); err != nil {
		return nil, nil, err
	}
	for partition, offset := range wanted.From {
		if _, exists := starts[partition]; exists {
			from[partition] = offset
		}
	}
	for partition, end := range to {
		ends[partition] = end
		if asked, ok := wanted.To[partition]; ok {
			ends[partition] = min(end, asked)
		}
	}
	if wanted.Partitions != nil {
		maps.DeleteFunc(from, func(partition int32, _ int64) bool { return !slices.Contains(wanted.Partitions, partition) })
	}
	return from, ends, nil
}

// piece is what one fetch brought, or why there will be no more.
type piece struct {
	records []*record.Record
	err     error
}

// readPartition hands over the partition's records from next to before end.
func (r *Reader) readPartition(ctx context.Context, topic string, partition int32, next, end int64, pieces chan<- piece) {
	scan := scan{reader: r, at: record.Position{Topic: topic, Partition: partition, Offset: next}, end: end}
	for {
		records, err := scan.more(ctx)
		if len(records) == 0 && err == nil {
			return
		}
		select {
		case pieces <- piece{records, err}:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// AtEnd says whether no record that may be read is left from the position to before end; a negative end stands for the present one. It tells
// markers of transactions and holes of compaction from records that wait.
func (r *Reader) AtEnd(ctx context.Context, from record.Position, end int64) (bool, error) {
	if end < 0 {
		ends, err := r.Ends(ctx, from.Topic)
		if err != nil {
			return false, err
		}
		end = ends[from.Partition]
	}
	scan := scan{reader: r, at: from, end: end, probe: true}
	records, err := scan.more(ctx)
	return len(records) == 0 && !scan.undecided && err == nil, err
}

// Empty says whether none of the offsets from the position to before end ever had a record that may be read: markers of transactions and holes.
// Of offsets that the log has lost, or does not have yet, nobody can say that.
func (r *Reader) Empty(ctx context.Context, from record.Position, end int64) (bool, error) {
	starts, err := r.Starts(ctx, from.Topic)
	if err != nil {
		return false, err
	}
	ends, err := r.Ends(ctx, from.Topic)
	if err != nil || from.Offset < starts[from.Partition] || end > ends[from.Partition] {
		return false, err
	}
	return r.AtEnd(ctx, from, end)
}
