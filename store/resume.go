package store

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"

	"github.com/prantikov/millrace/progress"
)

// Apart is a partition whose progress row and whose group on the brokers are not at the same offset.
type Apart struct {
	Partition int32
	// Row is the row's frontier, Group the group's position. A row that is ahead is what a crash leaves between two commits: its records are
	// delivered again, and known. One that is behind means that the group went on without this store.
	Row, Group int64
	// Missing are the offsets below Group that the row does not have as finished, in order, but for those that are gaps already; none of a row
	// that is ahead.
	Missing []progress.Run
}

// Apart compares a consumer's progress rows of a topic with its group's positions, by partition. A partition without a row is left out: what
// is not known cannot be missed. The error is one that [Unavailable] knows.
func (s *Store) Apart(ctx context.Context, consumer, topic string, positions map[int32]int64) ([]Apart, error) {
	rows, err := s.Progress(ctx, consumer)
	if err != nil {
		return nil, err
	}
	gaps, err := s.Gaps(ctx, GapFilter{Consumer: consumer, Topic: topic})
	if err != nil {
		return nil, err
	}
	var apart []Apart
	for _, row := range rows {
		group, asked := positions[row.Partition]
		if row.Topic != topic || !asked || group == row.Frontier {
			continue
		}
		for _, gap := range gaps {
			if gap.Partition == row.Partition {
				row.Done.AddRun(progress.Run{From: gap.From, To: gap.To})
			}
		}
		apart = append(apart, Apart{
			Partition: row.Partition, Row: row.Frontier, Group: group,
			Missing: row.Done.Missing(progress.Run{From: row.Frontier, To: group}),
		})
	}
	return apart, nil
}

// GoOn moves a consumer's progress rows of a topic on to its group's positions and records what that passes, all or nothing, so that each gap
// is found once. A row that is as far already stays as it is. What was finished above a position stays known. The error is one that
// [Unavailable] knows.
func (s *Store) GoOn(ctx context.Context, consumer, topic string, positions map[int32]int64, passed []Gap) error {
	err := s.write(ctx, func(out session) error {
		for _, gap := range passed {
			if err := recordGap(out, gap); err != nil {
				return err
			}
		}
		for _, number := range slices.Sorted(maps.Keys(positions)) {
			if err := moveOn(out, consumer, topic, number, positions[number]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return unavailable("moving the progress on to the group's position", err)
	}
	return nil
}

// ForgetProgress drops the progress rows of a consumer that works without a unit of work now, such as notification since it has a channel: a row that
// stood still would be taken for an older copy later. The error is one that [Unavailable] knows.
func (s *Store) ForgetProgress(ctx context.Context, consumer, topic string) error {
	rows, err := s.Progress(ctx, consumer)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(rows, func(row Progress) bool { return row.Topic == topic }) {
		return nil
	}
	err = s.write(ctx, func(out session) error {
		_, err := out.exec(`DELETE FROM progress WHERE consumer = $1 AND topic = $2`, consumer, topic)
		return err
	})
	if err != nil {
		return unavailable("dropping progress that nobody goes on with", err)
	}
	return nil
}

// moveOn moves one row on. Another revision refuses a unit of work that was begun before.
func moveOn(out session, consumer, topic string, number int32, to int64) error {
	const move = `UPDATE progress SET revision = revision + 1, frontier = $1, done = $2 WHERE consumer = $3 AND topic = $4 AND partition = $5 AND revision = $6`
	var epoch, revision, lowest int64
	var text string
	err := out.row(readPartition, []any{consumer, topic, number}, &epoch, &revision, &lowest, &text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil || lowest >= to {
		return err
	}
	done, err := readDone(text)
	if err != nil {
		return err
	}
	var at frontier
	at.restore(to, done)
	if text, err = writeDone(at.done); err != nil {
		return err
	}
	changed, err := out.exec(move, at.lowest, text, consumer, topic, number, revision)
	if err == nil && changed != 1 {
		return errMoved
	}
	return err
}
