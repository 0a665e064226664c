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
	// Replayed counts the offsets of it that replays have applied since.
	Replayed int64
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
	// One of a topic that is gone may have begun at the same offset.
	const open = `DELETE FROM gap_replays WHERE consumer = $1 AND topic = $2 AND partition = $3 AND from_offset = $4 AND closed = 1`
	if _, err := out.exec(open, gap.Consumer, gap.Topic, gap.Partition, gap.From); err != nil {
		return err
	}
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
	gaps, err := s.gaps(ctx, filter)
	if err != nil {
		return nil, unavailable("reading the gaps", err)
	}
	return gaps, nil
}

func (s *Store) gaps(ctx context.Context, filter GapFilter) ([]Gap, error) {
	const (
		// What a version before replays wrote has nothing of them.
		before = `SELECT consumer, topic, partition, from_offset, to_offset, reason, found, '' FROM gaps
WHERE ($1 = '' OR consumer = $1) AND ($2 = '' OR topic = $2) ORDER BY found, consumer, topic, partition, from_offset`
		now = `SELECT gaps.consumer, gaps.topic, gaps.partition, gaps.from_offset, to_offset, reason, found, COALESCE(gap_replays.done, '') FROM gaps
LEFT JOIN gap_replays ON gap_replays.consumer = gaps.consumer AND gap_replays.topic = gaps.topic AND gap_replays.partition = gaps.partition
AND gap_replays.from_offset = gaps.from_offset
WHERE ($1 = '' OR gaps.consumer = $1) AND ($2 = '' OR gaps.topic = $2)
ORDER BY found, gaps.consumer, gaps.topic, gaps.partition, gaps.from_offset`
	)
	there, err := s.has(ctx, "gaps")
	if err != nil || !there {
		return nil, err
	}
	query := now
	if there, err = s.has(ctx, "gap_replays"); err == nil && !there {
		query = before
	}
	if err != nil {
		return nil, err
	}
	rows, err := s.reader.QueryContext(ctx, query, filter.Consumer, filter.Topic)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var gaps []Gap
	for rows.Next() {
		var gap Gap
		var found int64
		var text string
		if err := rows.Scan(&gap.Consumer, &gap.Topic, &gap.Partition, &gap.From, &gap.To, &gap.Reason, &found, &text); err != nil {
			return nil, err
		}
		replayed, err := readDone(text)
		if err != nil {
			return nil, err
		}
		for _, run := range replayed.Runs() {
			gap.Replayed += run.To - run.From
		}
		gap.At = time.UnixMilli(found).UTC()
		gaps = append(gaps, gap)
	}
	return gaps, rows.Err()
}

// has says whether a table is there.
func (s *Store) has(ctx context.Context, table string) (bool, error) {
	var tables int
	err := s.reader.QueryRowContext(ctx, s.dialect.hasTable, table).Scan(&tables)
	return tables > 0, err
}
