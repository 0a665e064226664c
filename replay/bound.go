package replay

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/prantikov/millrace/kafka"
)

// Bound is where a replay begins or ends: an offset, a time, or an end of the log. Its zero value is the beginning.
type Bound struct {
	end    bool
	offset int64
	at     time.Time
}

// End is the end of the log as it stands when the replay begins.
func End() Bound { return Bound{end: true} }

// ParseBound reads beginning, end, an offset, a time of RFC 3339, or a duration such as 2h, which is so long before now. The error quotes the text.
func ParseBound(text string, now time.Time) (Bound, error) {
	switch text {
	case "beginning":
		return Bound{}, nil
	case "end":
		return End(), nil
	}
	if offset, err := strconv.ParseInt(text, 10, 64); err == nil && offset >= 0 {
		return Bound{offset: offset}, nil
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return Bound{at: now.Add(-ago)}, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return Bound{}, fmt.Errorf("%q is no bound: want beginning, end, an offset, a time such as 2026-01-31T12:00:00Z, or a duration ago such as 2h", text)
	}
	return Bound{at: at}, nil
}

// Scope is what of the log is replayed.
type Scope struct {
	// Topics are names on the brokers.
	Topics []string
	// Partitions restricts the replay to these of each topic; empty for all.
	Partitions []int32
	// From is the first offset or the first record of that time, To the one before which the replay ends.
	From, To Bound
}

// Parts asks the brokers what of each partition that is: no more than the log has, in the order of topics and partitions. Partitions of which
// that is nothing are left out. The errors are those of [kafka.Reader].
func (s Scope) Parts(ctx context.Context, reader *kafka.Reader) ([]Part, error) {
	var parts []Part
	for _, topic := range s.Topics {
		partitions, err := reader.Partitions(ctx, topic)
		if err != nil {
			return nil, err
		}
		starts, err := reader.Starts(ctx, topic)
		if err != nil {
			return nil, err
		}
		ends, err := reader.Ends(ctx, topic)
		if err != nil {
			return nil, err
		}
		from, err := s.From.offsets(ctx, reader, topic, ends)
		if err != nil {
			return nil, err
		}
		to, err := s.To.offsets(ctx, reader, topic, ends)
		if err != nil {
			return nil, err
		}
		for _, partition := range partitions {
			part := Part{Topic: topic, Partition: partition, From: max(from[partition], starts[partition]), To: min(to[partition], ends[partition])}
			if part.From < part.To && (len(s.Partitions) == 0 || slices.Contains(s.Partitions, partition)) {
				parts = append(parts, part)
			}
		}
	}
	return parts, nil
}

// offsets are where the bound is in each partition.
func (b Bound) offsets(ctx context.Context, reader *kafka.Reader, topic string, ends map[int32]int64) (map[int32]int64, error) {
	if b.end {
		return ends, nil
	}
	if !b.at.IsZero() {
		return reader.OffsetsAt(ctx, topic, b.at)
	}
	offsets := make(map[int32]int64, len(ends))
	for partition := range ends {
		offsets[partition] = b.offset
	}
	return offsets, nil
}
