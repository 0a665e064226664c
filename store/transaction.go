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
// undone when its record fails. The unit commits and rolls back by itself, so BEGIN, COMMIT, ROLLBACK, savepoints, SET, PRAGMA, ATTACH and
// VACUUM are refused. Parameters are numbered ($1), which both databases take; ? is SQLite's alone.
//
// One goroutine uses it, until the function returns, and closes the rows of a query before its next statement. A statement that fails
// takes nothing with it but itself. It sees what was committed and what it wrote itself, but not what the unit has put into [States] and
// [Counters], which is written at the end. After an error that [Unavailable] knows the whole unit is begun anew.
type Transaction interface {
	ExecContext(ctx context.Context, query string, arguments ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, arguments ...any) (*sql.Rows, error)
	// QueryRowContext gives the database's errors as they are; [Unavailable] knows them too.
	QueryRowContext(ctx context.Context, query string, arguments ...any) *sql.Row
}

// Tx returns the transaction of the unit of work that the context carries, and opens it at the first call. From then on others wait for
// this unit's Commit, in SQLite all other consumers, so the function must not wait for anything outside. The error is one that [Unavailable] knows,
// [ErrNoUnitOfWork] or [ErrEnded]. A consumer with files has no transaction: its files are synced while nobody waits for them.
func Tx(ctx context.Context) (Transaction, error) {
	w, err := workOf(ctx)
	if err != nil {
		return nil, fmt.Errorf("opening a transaction: %w", err)
	}
	if w.unit == nil {
		return nil, fmt.Errorf("opening a transaction: %w", errFold)
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
	work *Work
	loan loan
	// savepointOf is the mark whose beginning the savepoint has; -1 while there is none.
	savepointOf int
	rows        []*sql.Rows
	// broken is set when the database has given the transaction up by itself: nothing can be written any more, or it would be written
	// outside of it.
	broken error
}

func openTransaction(ctx context.Context, w *Work) (*transaction, error) {
	database := w.unit.store.database
	if database == nil {
		return nil, errForReading
	}
	lent, err := database.lend(ctx)
	if err != nil {
		return nil, err
	}
	return &transaction{work: w, loan: lent, savepointOf: -1}, nil
}

// ExecContext runs a statement.
func (t *transaction) ExecContext(ctx context.Context, query string, arguments ...any) (sql.Result, error) {
	if err := t.enter(query); err != nil {
		return nil, err
	}
	result, err := t.loan.connection().ExecContext(ctx, query, arguments...)
	return result, t.left("executing", err)
}

// QueryContext runs a query. Its rows are closed at the end of the unit of work, if they were not before.
func (t *transaction) QueryContext(ctx context.Context, query string, arguments ...any) (*sql.Rows, error) {
	if err := t.enter(query); err != nil {
		return nil, err
	}
	rows, err := t.loan.connection().QueryContext(ctx, query, arguments...)
	if err != nil {
		return nil, t.left("querying", err)
	}
	if err := rows.Err(); err != nil {
		return nil, t.left("querying", errors.Join(err, rows.Close()))
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
	return t.loan.connection().QueryRowContext(ctx, query, arguments...)
}

// enter refuses what must not run, and sets two savepoints: of the record, at its first statement, and of the statement, without which
// PostgreSQL would take everything back with one that fails.
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
	if t.hasOpenRows() {
		return errors.New("using a transaction: the rows of the query before are open, close them first")
	}
	savepoints := []statement{releaseStatement, statementSavepoint}
	if t.savepointOf != t.work.mark {
		savepoints = []statement{releaseRecord, recordSavepoint, statementSavepoint}
		if t.savepointOf < 0 {
			savepoints = savepoints[1:]
		}
	}
	if err := t.move(savepoints); err != nil {
		return err
	}
	t.savepointOf = t.work.mark
	return nil
}

// move goes on to other savepoints. A query of one row may have failed without our seeing it, which PostgreSQL answers everything with from
// then on: that query is taken back.
func (t *transaction) move(savepoints []statement) error {
	err := t.loan.send(savepoints)
	if err != nil && t.savepointOf >= 0 && t.loan.send([]statement{undoStatement}) == nil {
		err = t.loan.send(savepoints)
	}
	if err != nil {
		return t.breakOff(err)
	}
	return nil
}

var (
	recordSavepoint    = statement{query: "SAVEPOINT effects", rows: anyRows}
	releaseRecord      = statement{query: "RELEASE SAVEPOINT effects", rows: anyRows}
	undoRecord         = statement{query: "ROLLBACK TO SAVEPOINT effects", rows: anyRows}
	statementSavepoint = statement{query: "SAVEPOINT one", rows: anyRows}
	releaseStatement   = statement{query: "RELEASE SAVEPOINT one", rows: anyRows}
	undoStatement      = statement{query: "ROLLBACK TO SAVEPOINT one", rows: anyRows}
)

var refusedWords = [...]string{
	"BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE", "PREPARE", "SET", "RESET", "PRAGMA", "ATTACH", "DETACH", "VACUUM",
}

func firstWord(query string) string {
	query = strings.TrimLeft(query, " \t\r\n;")
	end := strings.IndexFunc(query, func(letter rune) bool { return (letter < 'A' || letter > 'Z') && (letter < 'a' || letter > 'z') })
	if end < 0 {
		end = len(query)
	}
	return strings.ToUpper(query[:end])
}

// left looks after a statement that failed: some failures take the whole transaction with them, and with it the savepoint.
func (t *transaction) left(tried string, err error) error {
	if err == nil {
		return nil
	}
	if lost := t.loan.send([]statement{undoStatement}); lost != nil {
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
	if err := t.loan.send([]statement{undoRecord, releaseRecord}); err != nil {
		return t.breakOff(err)
	}
	t.savepointOf = -1
	return nil
}

// prepareCommit keeps what the last record has written, and makes sure that what follows is written inside of the transaction: it fails when
// that has ended unnoticed.
func (t *transaction) prepareCommit() error {
	if t.broken != nil {
		return t.broken
	}
	t.closeRows()
	if t.savepointOf < 0 {
		return nil
	}
	if err := t.move([]statement{releaseRecord}); err != nil {
		return err
	}
	t.savepointOf = -1
	return nil
}

// hasOpenRows says whether rows are open of which there may be more.
func (t *transaction) hasOpenRows() bool {
	t.rows = slices.DeleteFunc(t.rows, func(rows *sql.Rows) bool {
		_, closed := rows.Columns()
		return closed != nil
	})
	return len(t.rows) > 0
}

func (t *transaction) closeRows() {
	for _, rows := range t.rows {
		_ = rows.Close()
	}
	t.rows = nil
}

// end gives the connection back.
func (t *transaction) end() {
	t.closeRows()
	t.loan.end()
}
