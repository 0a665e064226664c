package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/IBM/sarama"

	"github.com/prantikov/millrace/config"
	"github.com/prantikov/millrace/record"
)

// alone reads one partition at a time with a client of its own, and survives batches that the client cannot read: the answer that has one
// fails as a whole, with all partitions in it, so whoever shares fetches cannot say what is wrong. One goroutine uses it.
type alone struct {
	reader   *Reader
	recorder *recorder
	// narrow asks for a batch at a time, because one of those ahead cannot be read and would take the others with it.
	narrow bool
}

// unreadable is a batch that the client cannot read.
type unreadable struct {
	// from and to are the offsets of the batch: from, and the one behind its last. Both are the offset that was asked for when the batch
	// does not say where it ends.
	from, to int64
	err      error
}

func (u *unreadable) text() string {
	return fmt.Sprintf("the batch at offset %d cannot be read: %s", u.from, u.err)
}

// readAlone connects.
func readAlone(ctx context.Context, s config.Kafka) (*alone, error) {
	c, err := clientConfig(s)
	if err != nil {
		return nil, err
	}
	recorder := recordFetches(c)
	client, err := connect(ctx, s.Brokers, c)
	if err != nil {
		return nil, err
	}
	return &alone{reader: &Reader{client: client, fetchBytes: c.Consumer.Fetch.Default}, recorder: recorder}, nil
}

func (a *alone) close() { _ = a.reader.client.Close() }

// next fetches once, from the position on. A nil fetched comes with a batch that cannot be read, or with an error.
func (a *alone) next(at record.Position) (*fetched, *unreadable, error) {
	bytes := a.reader.fetchBytes
	if a.narrow {
		bytes = 1
	}
	f, err := a.fetch(at, bytes)
	var kafka sarama.KError
	switch partition, whole := a.recorder.fetched(fetchVersion); {
	case errors.As(err, &kafka), err != nil && !whole, errors.Is(err, errOldFormat):
		return nil, nil, err
	case err == nil && f.next > at.Offset:
		return &f, nil, nil
	case err == nil && !cutShort(partition.RecordBatches, &f.next):
		return &f, nil, nil
	case !a.narrow:
		a.narrow = true
		return a.next(at)
	default:
		return nil, unreadableAt(at.Offset, partition.RecordBatches, partition.HighWatermark, err), nil
	}
}

// fetch turns a panic of the client's decoder into an error.
func (a *alone) fetch(at record.Position, bytes int32) (f fetched, err error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			err = fmt.Errorf("the client's decoder panicked: %v", panicked)
		}
	}()
	const anyEnd = 1<<63 - 1
	return a.reader.fetch(at, anyEnd, bytes, &reading{})
}

// ahead bounds how far behind the last delivered record the group's fetches may be: what waits in the client's channel, and an answer more.
const (
	aheadRecords = 1024
	aheadFetches = 4
)

// waiting says whether a record waits between the position and the end, or a batch that cannot be read. Where something ahead is
// suspected, a record is no end of the look.
func (a *alone) waiting(ctx context.Context, at record.Position, end int64, suspicion bool) (bool, *unreadable, error) {
	a.narrow = false
	records := 0
	for quiet, fetches := 0, 0; at.Offset < end && quiet < quietFetches && ctx.Err() == nil; fetches++ {
		f, bad, err := a.next(at)
		if errors.Is(err, errOldFormat) || errors.Is(err, sarama.ErrOffsetOutOfRange) {
			return true, nil, nil
		}
		if err != nil || bad != nil {
			return false, bad, err
		}
		records += len(f.records)
		// Behind records that can be read one batch at a time comes the batch that takes them with it.
		if !a.narrow && records > 0 && (!suspicion || records > aheadRecords && fetches >= aheadFetches) {
			break
		}
		if f.next > at.Offset {
			at.Offset, quiet = f.next, 0
		} else {
			quiet++
		}
	}
	return records > 0, nil, ctx.Err()
}

// cutShort says whether an answer that brought nothing has a whole batch with records: the client takes a batch that says to have more than
// it has for one that was cut off, and asks for more of it for ever. Batches of which compaction left nothing it leaves out; next moves
// behind them.
func cutShort(batches []byte, next *int64) bool {
	for {
		header, ok := headerOf(batches)
		if !ok || header.size < 0 || header.size > int64(len(batches)) {
			return false
		}
		if header.records > 0 {
			return header.last >= *next
		}
		*next = max(*next, header.last+1)
		batches = batches[header.size:]
	}
}

// errTooFewRecords is a batch that is shorter than it says.
var errTooFewRecords = errors.New("it has fewer records than it says")

func unreadableAt(offset int64, batches []byte, end int64, err error) *unreadable {
	if err == nil {
		err = errTooFewRecords
	}
	u := &unreadable{from: offset, to: offset, err: err}
	header, ok := headerOf(batches)
	// What was damaged may be the header, so it is believed only as far as it fits the log.
	if ok && header.first <= header.last && offset <= header.last && header.last < end {
		u.from, u.to = max(offset, header.first), header.last+1
	}
	return u
}
