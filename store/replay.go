package store

import (
	"context"
	"slices"

	"github.com/prantikov/millrace/progress"
	"github.com/prantikov/millrace/record"
)

// replaying is what a unit of work of a replay knows in place of an ownership: it is nobody's owner, raises no epoch and moves no frontier. It
// writes only what the consumer's gaps miss, and with it, in the same transaction, that this is applied now.
type replaying struct {
	of      partitionOf
	applied Applied
	gaps    []openGap
}

// beginReplay opens a unit of work of a replay.
func (u *UnitOfWork) beginReplay(ctx context.Context, records []*record.Record) (*Work, error) {
	p := u.partition(records[0].Topic, records[0].Partition)
	of := partitionOf{u.consumer, p.topic, p.number}
	applied, gaps, err := u.store.applied(ctx, of)
	if err == nil && u.sink != nil {
		err = u.sink.prepare(ctx)
	}
	if err != nil {
		return nil, u.failed("beginning a unit of work of a replay", p, err)
	}
	return &Work{unit: u, partition: p, source: u.store, records: records, replay: &replaying{of: of, applied: applied, gaps: gaps}}, nil
}

// finished says whether there is nothing to do about a record: it is applied, or the consumer's own.
func (r *replaying) finished(offset int64) bool { return !r.applied.Missing(offset) }

// statements write down what is applied. Somebody who has applied some of it meanwhile is in the way: then nothing is written.
func (r *replaying) statements(newly []int64) ([]statement, error) {
	const write = `INSERT INTO gap_replays (consumer, topic, partition, from_offset, closed, done) VALUES ($1, $2, $3, $4, 0, $5)
ON CONFLICT (consumer, topic, partition, from_offset) DO UPDATE SET done = excluded.done WHERE gap_replays.done = $6 AND gap_replays.closed = 0`
	var set []statement
	for _, gap := range r.gaps {
		done := gap.done.Clone()
		for _, offset := range newly {
			if offset >= gap.run.From && offset < gap.run.To {
				done.AddRun(progress.Run{From: offset, To: offset + 1})
			}
		}
		if slices.Equal(done.Runs(), gap.done.Runs()) {
			continue
		}
		text, err := writeDone(done)
		if err != nil {
			return nil, err
		}
		set = append(set, statement{write, []any{r.of.consumer, r.of.topic, r.of.number, gap.run.From, text, gap.text}, 1, errMoved})
	}
	return set, nil
}
