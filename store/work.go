package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/prantikov/millrace/record"
)

// Work is one open unit of work. One goroutine uses it. Until Commit its effects are in memory, but for SQL that a function runs
// through [Tx]. It ends with Commit, whatever that returns, or with Rollback.
type Work struct {
	unit            *UnitOfWork
	partition       *partition
	source          stateSource
	epoch, revision int64
	// progress is the partition's as this unit will leave it.
	progress frontier
	// replay is set in place of both for a replay, which has no ownership.
	replay  *replaying
	records []*record.Record
	newly   []int64

	states   stateSet
	journeys journeySet
	counters counterSet
	lines    lineSet
	// journal has what takes back each effect since the last Mark.
	journal []func()
	// mark counts the Marks, so that a savepoint knows which one it belongs to.
	mark int
	// tx is nil until a function asks for SQL.
	tx    *transaction
	ended bool
}

type workKey struct{}

// workOf returns the open unit of work that a context carries.
func workOf(ctx context.Context) (*Work, error) {
	w, _ := ctx.Value(workKey{}).(*Work)
	if w == nil {
		return nil, ErrNoUnitOfWork
	}
	if w.ended {
		return nil, ErrEnded
	}
	return w, nil
}

// Context returns a context that carries the unit of work to [States], [Journeys], [Counters], [Lines] and [Tx].
func (w *Work) Context(ctx context.Context) context.Context {
	return context.WithValue(ctx, workKey{}, w)
}

// Finished says whether an earlier commit has the record already: its effects are not repeated.
func (w *Work) Finished(r *record.Record) bool {
	if w.replay != nil {
		return w.replay.finished(r.Offset)
	}
	return w.progress.finished(r.Offset)
}

// Mark begins the effects of one record.
func (w *Work) Mark() {
	w.journal = w.journal[:0]
	w.mark++
}

// Undo drops the effects since the last Mark and no others. After an error, which [Unavailable] knows, the whole unit is lost and can
// only be rolled back.
func (w *Work) Undo() error {
	for i := len(w.journal) - 1; i >= 0; i-- {
		w.journal[i]()
	}
	w.journal = w.journal[:0]
	if w.tx == nil {
		return nil
	}
	if err := w.tx.undo(); err != nil {
		return w.unit.failed("undoing a record", w.partition, err)
	}
	return nil
}

// Finish enters a record that is done, skipped or dead-lettered. Other outcomes leave it to be delivered again. A replay, which writes no dead
// letter, leaves one that was given up as it was.
func (w *Work) Finish(r *record.Record, outcome record.Outcome) {
	if w.replay != nil && outcome == record.DeadLettered {
		return
	}
	if outcome.Finished() && r.Offset >= 0 {
		w.newly = append(w.newly, r.Offset)
	}
}

// Exclusive says whether the unit has a connection and locks for which others wait: from the first [Tx] on.
func (w *Work) Exclusive() bool { return w.tx != nil }

// Rollback drops everything. After Commit it does nothing.
func (w *Work) Rollback() error {
	w.end()
	return nil
}

// end gives back what the unit holds.
func (w *Work) end() {
	if w.ended {
		return
	}
	w.ended = true
	if w.tx != nil {
		w.tx.end()
	}
}

// Commit makes everything durable at once: states, journeys, counts, lines, SQL, and the progress row.
//
// It returns an error that wraps [ErrFenced] when another owner has the partition, and one that [Unavailable] knows when the store or
// the disk is away. In both cases nothing was written, and the unit has ended.
func (w *Work) Commit(ctx context.Context) error {
	if w.ended {
		return w.unit.failed("committing a unit of work", w.partition, ErrEnded)
	}
	defer w.end()
	if len(w.newly) == 0 && w.states.clean() && w.journeys.clean() && w.counters.clean() && w.lines.clean() && w.tx == nil {
		return nil
	}
	if w.replay == nil {
		w.progress.finish(w.newly)
	}
	err := w.commit(ctx)
	if w.replay == nil {
		w.settle(err)
	}
	if err != nil {
		return w.unit.failed("committing a unit of work", w.partition, err)
	}
	return nil
}

func (w *Work) commit(ctx context.Context) error {
	if err := w.loadChanged(ctx); err != nil {
		return err
	}
	if w.unit.sink != nil && !w.lines.clean() {
		return w.commitFiles(ctx)
	}
	return w.commitTables(ctx, nil)
}

// commitTables writes the tables in one transaction: the one that a function has opened already, or its own.
func (w *Work) commitTables(ctx context.Context, files []statement) error {
	set, err := w.statements()
	if err != nil {
		return err
	}
	set = append(set, files...)
	if w.tx == nil {
		return w.unit.store.write(ctx, func(out session) error { return w.write(out, set) })
	}
	if err := w.tx.prepareCommit(); err != nil {
		return err
	}
	if err := w.write(w.tx.loan, set); err != nil {
		return err
	}
	return w.tx.loan.commit()
}

// statements are the closed set of this unit's writes. The progress row comes first, for it refuses the rest. What several units change at
// once comes last, for whoever changes it first keeps the others waiting until its commit.
func (w *Work) statements() ([]statement, error) {
	set, err := w.advance()
	if err != nil {
		return nil, err
	}
	set = append(set, w.states.statements(w.unit.store.dialect)...)
	set = append(set, w.journeys.statements(w.unit.store.dialect)...)
	return append(set, w.counters.statements(w.unit.store.dialect)...), nil
}

// advance are the statements that say which records are finished.
func (w *Work) advance() ([]statement, error) {
	if w.replay != nil {
		return w.replay.statements(w.newly)
	}
	done, err := writeDone(w.progress.done)
	if err != nil {
		return nil, err
	}
	p := w.partition
	return []statement{{advancePartition, []any{w.progress.lowest, done, w.unit.consumer, p.topic, p.number, w.epoch, w.revision}, 1, errRefused}}, nil
}

func (w *Work) write(out session, set []statement) error {
	err := out.send(set)
	if errors.Is(err, errRefused) {
		return refusal(out, w.unit.consumer, w.partition, w.epoch)
	}
	if err == nil {
		w.unit.store.reach("recorded")
	}
	return err
}

// refusal tells a partition that has another owner from a unit that another one of the same owner has overtaken.
func refusal(out session, consumer string, p *partition, epoch int64) error {
	var present int64
	err := out.row(readEpoch, []any{consumer, p.topic, p.number}, &present)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return ErrFenced // somebody has removed the row
	case err != nil:
		return err
	case present != epoch:
		return ErrFenced
	default:
		return errMoved
	}
}

// settle tells the partition how the commit ended, unless it has another owner by now.
func (w *Work) settle(err error) {
	p := w.partition
	p.mutex.Lock()
	defer p.mutex.Unlock()
	switch {
	case p.epoch != w.epoch:
		return
	case err == nil:
		p.progress.restore(w.progress.lowest, w.progress.done)
		p.revision = w.revision + 1
	case errors.Is(err, ErrFenced):
		w.unit.fence(p, true)
	default:
		p.stale = true
	}
}
