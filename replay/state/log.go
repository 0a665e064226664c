package state

import (
	"context"
	"iter"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/record"
)

// Log reads topics outside any group; [kafka.Reader] is one.
type Log interface {
	Partitions(ctx context.Context, topic string) ([]int32, error)
	Starts(ctx context.Context, topic string) (map[int32]int64, error)
	Ends(ctx context.Context, topic string) (map[int32]int64, error)
	ReadPartition(ctx context.Context, from record.Position, to int64) iter.Seq2[[]*record.Record, error]
}

var _ Log = (*kafka.Reader)(nil)

// span is what is read of one partition: the records from an offset to before another that pass the filter, if there is one.
type span struct {
	partition int32
	from, to  int64
	wanted    filter
	// older has the records before from that the log no longer has; nil for none.
	older iter.Seq2[*record.Record, error]
}

// filter says whether a record is wanted; nil wants all.
type filter func(*record.Record) bool

// FetchBytes is what a reader should fetch at a time for this package, which has up to three fetches of each partition in memory.
const FetchBytes = 256 << 10

// chunkRecords is how many records of a partition are at hand together.
const chunkRecords = 1024

// chunk is the next records of a partition, or why there will be no more.
type chunk struct {
	records []*record.Record
	// elsewhere says that one of the keys has its place in another partition, so that this one may have it too.
	elsewhere bool
	err       error
}

// read hands over the records of a span, of a topic with so many partitions, in chunks, after which it closes the channel.
func (s span) read(ctx context.Context, log Log, topic string, partitions int, into chan<- chunk) {
	defer close(into)
	var at chunk
	placement := kafka.NewPlacement(partitions)
	send := func() bool {
		select {
		case into <- at:
			at = chunk{}
			return true
		case <-ctx.Done():
			return false
		}
	}
	for piece, err := range s.pieces(ctx, log, topic) {
		for _, r := range piece {
			if s.wanted != nil && !s.wanted(r) {
				continue
			}
			chosen, err := placement.Of(r.Key)
			at.elsewhere = at.elsewhere || err != nil || chosen != s.partition
			if at.records = append(at.records, r); len(at.records) == chunkRecords && !send() {
				return
			}
		}
		if err != nil {
			at.err = err
			send()
			return
		}
	}
	if len(at.records) > 0 {
		send()
	}
}

// pieces are the records that the log has lost, where somebody else has them, and then the log's own.
func (s span) pieces(ctx context.Context, log Log, topic string) iter.Seq2[[]*record.Record, error] {
	return func(yield func([]*record.Record, error) bool) {
		if s.older != nil {
			for r, err := range s.older {
				if err != nil {
					yield(nil, err)
					return
				}
				if !yield([]*record.Record{r}, nil) {
					return
				}
			}
		}
		if s.from >= s.to {
			return
		}
		for piece, err := range log.ReadPartition(ctx, record.Position{Topic: topic, Partition: s.partition, Offset: s.from}, s.to) {
			if !yield(piece, err) {
				return
			}
		}
	}
}
