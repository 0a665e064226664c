package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Transaction is the transaction of a unit of work, for a function's own SQL: what it writes is committed together with the progress row, and
// undone when its record fails. The unit commits and rolls back by itself, so BEGIN, COMMIT, ROLLBACK, savepoints, PRAGMA, ATTACH and
// VACUUM are refused.
//
// One goroutine uses it, until the function returns. It sees what was committed and what it wrote itself, but not what the unit has put
// into [States] and [Counters], which is written at the end. After an error that [Unavailable] knows the whole unit is begun anew.
type Transaction interface {
	ExecContext(ctx context.Context, query string, arguments ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, arguments ...any) (*sql.Rows, error)
	// QueryRowContext gives the database's errors as they are; [Unavailable] knows them too.
	QueryRowContext(ctx context.Context, query string, arguments ...any) *sql.Row
}

// Tx returns the transaction of the unit of work that the context carries, and opens it at the first call. From then on all other
// consumers wait for this unit's Commit, so the function must not wait for anything outside. The error is one that [Unavailable] knows,
// [ErrNoUnitOfWork] or [ErrEnded]. A consumer with files has no transaction: its files are synced while nobody waits for them.
func Tx(ctx context.Context) (Transaction, error) {
	w, err := workOf(ctx)
	if err != nil {
		return nil, fmt.Errorf("opening a transaction: %w", err)
	}
	if w.unit.sink != nil {
		return nil, errors.New("opening a transaction: a consumer with files has none")
	}
	if w.tx == nil {
		opened, err := openTransaction(ctx, w)
		if err != nil {
			return nil, w.unit.failed("opening a transaction", w.partition, err)
		}
		w.tx = opened
	}
	if w.tx.broken != nil {
		return nil, w.tx.broken
	}
	return w.tx, nil
}

type transaction struct {
	work   *Work
	writer *writer
	// savepointOf is the mark whose beginning the savepoint has; -1 while there is none.
	savepointOf int
	rows        []*sql.Rows
	// broken is set when the database has given the transaction up by itself: nothing can be written any more, or it would be written
	// outside of it.
	broken error
}

func openTransaction(ctx context.Context, w *Work) (*transaction, error) {
	out := w.unit.store.writer
	if err := out.acquire(ctx); err != nil {
		return nil, err
	}
	if err := out.begin(ctx); err != nil {
		out.release()
		return nil, err
	}
	return &transaction{work: w, writer: out, savepointOf: -1}, nil
}

// ExecContext runs a statement.
func (t *transaction) ExecContext(ctx context.Context, query string, arguments ...any) (sql.Result, error) {
	if err := t.enter(query); err != nil {
		return nil, err
	}
	result, err := t.writer.connection.ExecContext(ctx, query, arguments...)
	return result, t.left("executing", err)
}

// QueryContext runs a query. Its rows are closed at the end of the unit of work, if they were not before.
func (t *transaction) QueryContext(ctx context.Context, query string, arguments ...any) (*sql.Rows, error) {
	if err := t.enter(query); err != nil {
		return nil, err
	}
	rows, err := t.writer.connection.QueryContext(ctx, query, arguments...)
	if err != nil {
		return nil, t.left("querying", err)
	}
	if err := rows.Err(); err != nil {
		return nil, errors.Join(t.left("querying", err), rows.Close())
	}
	t.rows = append(t.rows, rows)
	return rows, nil
}

// QueryRowContext runs a query of one row.
func (t *transaction) QueryRowContext(ctx context.Context, query string, arguments ...any) *sql.Row {
	if err := t.enter(query); err != nil {
		// A row with an error of ours cannot be made, but one whose context ended can.
		ended, cancel := context.WithCancelCause(ctx)
		cancel(err)
		return t.work.unit.store.reader.QueryRowContext(ended, "SELECT 1")
	}
	return t.writer.connection.QueryRowContext(ctx, query, arguments...)
}

// enter refuses what must not run, and sets the savepoint of the record at its first statement.
func (t *transaction) enter(query string) error {
	if t.work.ended {
		return fmt.Errorf("using a transaction: %w", ErrEnded)
	}
	if t.broken != nil {
		return t.broken
	}
	if word := firstWord(query); slices.Contains(refusedWords[:], word) {
		return fmt.Errorf("using a transaction: %s is the unit of work's own", word)
	}
	if t.savepointOf == t.work.mark {
		return nil
	}
	if err := t.releaseSavepoint(); err != nil {
		return err
	}
	if _, err := t.writer.exec("SAVEPOINT effects"); err != nil {
		return t.breakOff(err)
	}
	t.savepointOf = t.work.mark
	return nil
}

var refusedWords = [...]string{"BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE", "PRAGMA", "ATTACH", "DETACH", "VACUUM"}

func firstWord(query string) string {
	query = strings.TrimLeft(query, " \t\r\n;")
	end := strings.IndexFunc(query, func(letter rune) bool { return (letter < 'A' || letter > 'Z') && (letter < 'a' || letter > 'z') })
	if end < 0 {
		end = len(query)
	}
	return strings.ToUpper(query[:end])
}

// left looks after a statement that failed: some failures take the whole transaction with them. BEGIN is refused inside of one, so that
// it succeeds says that there is none.
func (t *transaction) left(tried string, err error) error {
	if err == nil {
		return nil
	}
	if _, none := t.writer.exec("BEGIN"); none == nil || isDatabaseAway(none) {
		t.writer.rollback()
		return t.breakOff(err)
	}
	if isDatabaseAway(err) {
		return unavailable(tried, err)
	}
	return fmt.Errorf("%s: %w", tried, err)
}

func (t *transaction) breakOff(err error) error {
	t.broken = unavailable("using a transaction", fmt.Errorf("the database has ended it: %w", err))
	return t.broken
}

// undo takes back what was written since the last Mark.
func (t *transaction) undo() error {
	if t.broken != nil {
		return t.broken
	}
	t.closeRows()
	if t.savepointOf != t.work.mark {
		return nil
	}
	if _, err := t.writer.exec("ROLLBACK TO effects"); err != nil {
		return t.breakOff(err)
	}
	return nil
}

// releaseSavepoint keeps what the record before has written. It fails when the transaction has ended unnoticed.
func (t *transaction) releaseSavepoint() error {
	if t.savepointOf < 0 {
		return nil
	}
	if _, err := t.writer.exec("RELEASE effects"); err != nil {
		return t.breakOff(err)
	}
	t.savepointOf = -1
	return nil
}

// prepareCommit makes sure that what follows is written inside of the transaction.
func (t *transaction) prepareCommit() error {
	if t.broken != nil {
		return t.broken
	}
	t.closeRows()
	return t.releaseSavepoint()
}

func (t *transaction) closeRows() {
	for _, rows := range t.rows {
		_ = rows.Close()
	}
	t.rows = nil
}

// end gives the connection back.
func (t *transaction) end(committed bool) {
	t.closeRows()
	if !committed {
		t.writer.rollback()
	}
	t.writer.release()
}
