package store

import (
	"context"
	"time"
)

// Gap is offsets of a partition that a consumer passed without reading them.
type Gap struct {
	Consumer, Topic string
	Partition       int32
	// From is the first offset that was passed, To the one behind the last. To is below From where the log ended before the consumer's
	// position and is read from its start.
	From, To int64
	// Reason says why, in words for people.
	Reason string
	// At is when it was found, to the millisecond.
	At time.Time
}

// RecordGap writes a gap's row. It is durable when RecordGap returns, so the offsets may be passed then and not before. A gap that is
// found again, because the process ended in between, begins at the same offset and replaces its row. The error is one that
// [Unavailable] knows.
func (s *Store) RecordGap(ctx context.Context, gap Gap) error {
	if err := s.write(ctx, func(out session) error { return recordGap(out, gap) }); err != nil {
		return unavailable("recording a gap", err)
	}
	return nil
}

func recordGap(out session, gap Gap) error {
	const record = `INSERT INTO gaps (consumer, topic, partition, from_offset, to_offset, reason, found) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (consumer, topic, partition, from_offset) DO UPDATE SET to_offset = excluded.to_offset, reason = excluded.reason, found = excluded.found`
	_, err := out.exec(record, gap.Consumer, gap.Topic, gap.Partition, gap.From, gap.To, gap.Reason, gap.At.UnixMilli())
	return err
}

// GapFilter chooses gaps. Its zero value is all of them.
type GapFilter struct {
	// Consumer and Topic are one each; empty for all.
	Consumer, Topic string
}

// Gaps returns the gaps that the filter chooses, in the order in which they were found. A store that a version before gaps wrote, and
// that is open for reading, has none.
func (s *Store) Gaps(ctx context.Context, filter GapFilter) ([]Gap, error) {
	const query = `SELECT consumer, topic, partition, from_offset, to_offset, reason, found FROM gaps
WHERE ($1 = '' OR consumer = $1) AND ($2 = '' OR topic = $2) ORDER BY found, consumer, topic, partition, from_offset`
	var tables int
	if err := s.reader.QueryRowContext(ctx, s.dialect.hasTable, "gaps").Scan(&tables); err != nil {
		return nil, unavailable("reading the gaps", err)
	}
	if tables == 0 {
		return nil, nil
	}
	rows, err := s.reader.QueryContext(ctx, query, filter.Consumer, filter.Topic)
	if err != nil {
		return nil, unavailable("reading the gaps", err)
	}
	defer func() { _ = rows.Close() }()
	var gaps []Gap
	for rows.Next() {
		var gap Gap
		var found int64
		if err := rows.Scan(&gap.Consumer, &gap.Topic, &gap.Partition, &gap.From, &gap.To, &gap.Reason, &found); err != nil {
			return nil, unavailable("reading the gaps", err)
		}
		gap.At = time.UnixMilli(found).UTC()
		gaps = append(gaps, gap)
	}
	if err := rows.Err(); err != nil {
		return nil, unavailable("reading the gaps", err)
	}
	return gaps, nil
}
