package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/prantikov/millrace/progress"
)

// Applied is which records of one partition a consumer's tables and files have. Its zero value is that of a consumer that has begun with none.
//
// What is below the frontier of the progress row, or in its done set, is applied, dead letters included; a gap is not, where no replay has applied
// it since. What the consumer has not come to belongs to it alone.
type Applied struct {
	frontier int64
	done     progress.DoneSet
	// missing are the offsets of gaps that nobody has applied.
	missing progress.DoneSet
}

// Missing says whether the consumer has passed the offset without reading it, and no replay has applied it since.
func (a Applied) Missing(offset int64) bool { return a.reached(offset) && a.missing.Contains(offset) }

// Has says whether the offset is applied.
func (a Applied) Has(offset int64) bool { return a.reached(offset) && !a.missing.Contains(offset) }

// reached says whether the consumer has come to the offset; what it has not is its own.
func (a Applied) reached(offset int64) bool { return offset < a.frontier || a.done.Contains(offset) }

// Applied returns what a consumer has applied of the partitions of a topic; a partition that it has not begun with is left out. The error is one
// that [Unavailable] knows.
func (s *Store) Applied(ctx context.Context, consumer, topic string) (map[int32]Applied, error) {
	rows, err := s.Progress(ctx, consumer)
	if err != nil {
		return nil, err
	}
	all := map[int32]Applied{}
	for _, row := range rows {
		if row.Topic != topic {
			continue
		}
		gaps, err := s.openGaps(ctx, partitionOf{consumer, topic, row.Partition})
		if err != nil {
			return nil, unavailable("reading what was applied", err)
		}
		all[row.Partition] = Applied{frontier: row.Frontier, done: row.Done, missing: missingOf(gaps)}
	}
	return all, nil
}

// partitionOf is one partition of one consumer.
type partitionOf struct {
	consumer, topic string
	number          int32
}

// applied is [Store.Applied] of one partition, with the gaps as they are now.
func (s *Store) applied(ctx context.Context, of partitionOf) (Applied, []openGap, error) {
	var epoch, revision int64
	var a Applied
	var text string
	err := s.reader.QueryRowContext(ctx, readPartition, of.consumer, of.topic, of.number).Scan(&epoch, &revision, &a.frontier, &text)
	if errors.Is(err, sql.ErrNoRows) {
		return Applied{}, nil, nil
	}
	if err == nil {
		a.done, err = readDone(text)
	}
	if err != nil {
		return Applied{}, nil, err
	}
	gaps, err := s.openGaps(ctx, of)
	a.missing = missingOf(gaps)
	return a, gaps, err
}

// openGap is a gap of a topic that is still the same one, with what replays have applied of it.
type openGap struct {
	run  progress.Run
	done progress.DoneSet
	text string
}

func (s *Store) openGaps(ctx context.Context, of partitionOf) ([]openGap, error) {
	const query = `SELECT gaps.from_offset, gaps.to_offset, COALESCE(gap_replays.done, '') FROM gaps
LEFT JOIN gap_replays ON gap_replays.consumer = gaps.consumer AND gap_replays.topic = gaps.topic AND gap_replays.partition = gaps.partition
AND gap_replays.from_offset = gaps.from_offset
WHERE gaps.consumer = $1 AND gaps.topic = $2 AND gaps.partition = $3 AND gaps.to_offset > gaps.from_offset AND COALESCE(gap_replays.closed, 0) = 0
ORDER BY gaps.from_offset`
	rows, err := s.reader.QueryContext(ctx, query, of.consumer, of.topic, of.number)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var gaps []openGap
	for rows.Next() {
		var gap openGap
		err := rows.Scan(&gap.run.From, &gap.run.To, &gap.text)
		if err == nil {
			gap.done, err = readDone(gap.text)
		}
		if err != nil {
			return nil, err
		}
		gaps = append(gaps, gap)
	}
	return gaps, rows.Err()
}

// missingOf are the offsets of the gaps that are applied in none of them: two gaps may have an offset in common.
func missingOf(gaps []openGap) progress.DoneSet {
	var applied, missing progress.DoneSet
	for _, gap := range gaps {
		for _, run := range gap.done.Runs() {
			applied.AddRun(run)
		}
	}
	for _, gap := range gaps {
		for _, run := range applied.Missing(gap.run) {
			missing.AddRun(run)
		}
	}
	return missing
}
