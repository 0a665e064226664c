package kafka

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/IBM/sarama"

	"github.com/prantikov/millrace/kafka/security"
	"github.com/prantikov/millrace/record"
)

// quietFetches is how many answers in a row without anything, from a broker that has the end, mean that nothing is there. One could be a
// broker's slip.
const quietFetches = 2

// probeBytes is what a probe asks for at first.
const probeBytes = 4 << 10

// errOldFormat is a log that nobody has written since Kafka 0.11.
var errOldFormat = errors.New("the log has the format of Kafka before 0.11")

// scan goes through a partition, also through what nobody may see.
type scan struct {
	reader *Reader
	// at is where the next fetch begins, end the offset before which the scan ends.
	at  record.Position
	end int64
	// probe asks whether there is a record at all: the scan ends undecided at a transaction that is open, instead of waiting for its end.
	probe, undecided bool
	reading          reading
}

// more returns the next records, in their order, and none at the end.
func (s *scan) more(ctx context.Context) ([]*record.Record, error) {
	quiet := 0
	deadline := time.Now().Add(readPatience)
	for s.at.Offset < s.end {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("reading %s: %w", s.at, context.Cause(ctx))
		}
		f, err := s.fetch(ctx, quiet)
		if err != nil {
			return nil, err
		}
		if f.next > s.at.Offset {
			s.at.Offset, quiet, deadline = f.next, 0, time.Now().Add(readPatience)
			if len(f.records) > 0 {
				return f.records, nil
			}
			continue
		}
		switch {
		case f.stable >= s.end && !f.throttled:
			if quiet++; quiet == quietFetches {
				s.at.Offset = s.end
			}
		case s.probe && f.stable < s.end && !f.throttled:
			s.undecided = true
			return nil, nil
		case time.Now().After(deadline):
			return nil, fmt.Errorf("reading %s: nothing came for %s, although the log ends at %d", s.at, readPatience, s.end)
		}
	}
	return nil, nil
}

// fetch is one fetch that got an answer. It passes what retention deleted meanwhile.
func (s *scan) fetch(ctx context.Context, quiet int) (f fetched, err error) {
	// A fetch that brought nothing may have been filled with batches that compaction emptied: the next one asks for more.
	first := s.reader.fetchBytes
	if s.probe {
		// One batch says whether there is a record, and a broker sends at least one, however large.
		first = min(first, probeBytes)
	}
	bytes := first << (2 * quiet)
	err = s.reader.try(ctx, s.at.Topic, func() error {
		f, err = await(ctx, func() (fetched, error) { return s.reader.fetch(s.at, s.end, bytes, &s.reading) })
		return err
	})
	if !errors.Is(err, sarama.ErrOffsetOutOfRange) {
		if err != nil {
			err = fmt.Errorf("reading %s: %w", s.at, explained(needing(err, OperationRead, ResourceTopic, s.at.Topic)))
		}
		return f, err
	}
	starts, err := s.reader.Starts(ctx, s.at.Topic)
	if err != nil {
		return fetched{}, err
	}
	if start := starts[s.at.Partition]; start > s.at.Offset {
		return fetched{next: min(start, s.end)}, nil
	}
	return fetched{}, fmt.Errorf("reading %s: the log ends before", s.at)
}

// try asks again, for at most [readPatience], while the error is one that passes.
func (r *Reader) try(ctx context.Context, topic string, ask func() error) error {
	deadline := time.Now().Add(readPatience)
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		err := ask()
		if err == nil || !passes(err) || time.Now().After(deadline) {
			return err
		}
		select {
		case <-time.After(pause):
			_, _ = await(ctx, func() (struct{}, error) { return struct{}{}, r.client.RefreshMetadata(topic) })
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// passes says whether an error is one that a new leader or a new connection ends.
func passes(err error) bool {
	var kafka sarama.KError
	var refused *security.Refusal
	if errors.As(err, &refused) {
		return false
	}
	if !errors.As(err, &kafka) {
		for _, lasting := range []error{errOldFormat, sarama.ErrDecompressedBatchTooLarge, sarama.ErrClosedClient, context.Canceled, context.DeadlineExceeded} {
			if errors.Is(err, lasting) {
				return false
			}
		}
		return true
	}
	switch kafka {
	case sarama.ErrOffsetOutOfRange, sarama.ErrTopicAuthorizationFailed, sarama.ErrGroupAuthorizationFailed, sarama.ErrSASLAuthenticationFailed, sarama.ErrUnsupportedVersion, sarama.ErrInvalidTopic, sarama.ErrUnknownTopicOrPartition:
		return false
	default:
		return true
	}
}

// fetched is what one fetch brought.
type fetched struct {
	records []*record.Record
	// next is the offset behind everything that the answer covers, seen or not.
	next int64
	// stable is the end of what may be read.
	stable    int64
	throttled bool
}

// fetchVersion is the newest version of a fetch that every broker since Kafka 2.3 knows.
const fetchVersion = 11

// fetch asks the partition's leader once.
func (r *Reader) fetch(at record.Position, end int64, bytes int32, in *reading) (fetched, error) {
	leader, err := r.client.Leader(at.Topic, at.Partition)
	if err != nil {
		return fetched{}, err
	}
	request := &sarama.FetchRequest{
		Version: fetchVersion, MaxWaitTime: 100, MinBytes: 1, MaxBytes: max(bytes, 50<<20), Isolation: sarama.ReadCommitted, SessionEpoch: -1,
	}
	const anyEpoch = -1
	request.AddBlock(at.Topic, at.Partition, at.Offset, bytes, anyEpoch)
	response, err := leader.Fetch(request)
	if err != nil {
		_ = leader.Close()
		return fetched{}, err
	}
	block := response.GetBlock(at.Topic, at.Partition)
	if block == nil {
		return fetched{}, sarama.ErrIncompleteResponse
	}
	if block.Err != sarama.ErrNoError {
		return fetched{}, block.Err
	}
	f := fetched{next: at.Offset, stable: block.LastStableOffset, throttled: response.ThrottleTime > 0}
	return f, f.take(block, at, end, in)
}

// take collects the records that may be read, and how far the batches reach.
func (f *fetched) take(block *sarama.FetchResponseBlock, at record.Position, end int64, in *reading) error {
	aborted := block.AbortedTransactions
	aborting := map[int64]bool{}
	for _, records := range block.RecordsSet {
		batch := records.RecordBatch
		if batch == nil {
			return errOldFormat
		}
		if batch.PartialTrailingRecord {
			return nil
		}
		for len(aborted) > 0 && aborted[0].FirstOffset <= batch.LastOffset() {
			aborting[aborted[0].ProducerID] = true
			aborted = aborted[1:]
		}
		switch {
		case batch.Control:
			if isAbort(batch) {
				delete(aborting, batch.ProducerID)
			}
		case batch.IsTransactional && aborting[batch.ProducerID]:
		default:
			f.records = in.appendBatch(f.records, batch, at, end)
		}
		f.next = max(f.next, batch.LastOffset()+1)
	}
	return nil
}

// isAbort reads a control batch: two bytes of version, then two of kind, 0 for abort.
func isAbort(batch *sarama.RecordBatch) bool {
	return len(batch.Records) > 0 && len(batch.Records[0].Key) >= 4 && binary.BigEndian.Uint16(batch.Records[0].Key[2:]) == 0
}

// appendBatch appends the batch's records from at to before end: a fetch begins with the batch in which its offset is. They share their memory,
// as those of one fetch do anyway.
func (in *reading) appendBatch(records []*record.Record, batch *sarama.RecordBatch, at record.Position, end int64) []*record.Record {
	total := 0
	for _, r := range batch.Records {
		total += len(r.Headers)
	}
	headers := make([]record.Header, 0, total)
	block := make([]record.Record, 0, len(batch.Records))
	for _, r := range batch.Records {
		offset := batch.FirstOffset + r.OffsetDelta
		if offset < at.Offset || offset >= end {
			continue
		}
		timestamp := batch.FirstTimestamp
		switch {
		case batch.LogAppendTime:
			timestamp = batch.MaxTimestamp
		case !timestamp.IsZero():
			timestamp = timestamp.Add(r.TimestampDelta)
		}
		from := len(headers)
		for place, header := range r.Headers {
			headers = append(headers, record.Header{Key: in.name(place, header.Key), Value: header.Value})
		}
		block = append(block, record.Record{
			Position:  record.Position{Topic: at.Topic, Partition: at.Partition, Offset: offset},
			Timestamp: utc(timestamp), Key: r.Key, Value: r.Value, Headers: headers[from:len(headers):len(headers)],
		})
		records = append(records, &block[len(block)-1])
	}
	return records
}
