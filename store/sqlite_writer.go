package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"
)

// lockWait bounds how long one unit of work waits for its turn and for the file's lock, before it says that the store is not available.
const lockWait = 10 * time.Second

// writer is the one connection that writes. Whoever has the turn uses it; turns are given in the order in which they were asked for, so
// that no consumer starves another.
//
// All that is written passes through do (or, for a function with SQL of its own, through begin and commit), as one closed set of
// writes: that is where several sets can become one transaction.
type writer struct {
	turn chan struct{}
	db   *sql.DB
	// connection and statements belong to who has the turn. The connection is nil until it is needed, and again after it broke.
	connection *sql.Conn
	statements map[string]*sql.Stmt
}

func newWriter(db *sql.DB) *writer {
	return &writer{turn: make(chan struct{}, 1), db: db}
}

// acquire waits for the turn. A Go channel serves its waiters first come, first served.
func (w *writer) acquire(ctx context.Context) error { return acquireTurn(ctx, w.turn) }

func (w *writer) release() { <-w.turn }

func acquireTurn(ctx context.Context, turn chan struct{}) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	timer := time.NewTimer(lockWait)
	defer timer.Stop()
	select {
	case turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return errors.New("others have been writing for too long")
	}
}

// uncertainError is a commit that failed: until the next one succeeds, a crash may still show it as done.
type uncertainError struct{ error }

func (e uncertainError) Unwrap() error { return e.error }

// do runs write in a transaction of its own.
func (w *writer) do(ctx context.Context, write func() error) error {
	if err := w.acquire(ctx); err != nil {
		return err
	}
	defer w.release()
	if err := w.begin(ctx); err != nil {
		return err
	}
	if err := write(); err != nil {
		w.rollback()
		return err
	}
	return w.commit()
}

// begin opens the transaction, with the lock: when the database answers that another connection has it, begin asks again.
func (w *writer) begin(ctx context.Context) error {
	deadline := time.Now().Add(lockWait)
	for try := 1; ; try++ {
		err := w.connect(ctx)
		if err == nil {
			_, err = w.exec("BEGIN IMMEDIATE")
		}
		if try == 1 && isConnectionGone(err) {
			continue
		}
		if err == nil || !isBusy(err) {
			return err
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		}
		if time.Now().After(deadline) {
			return err
		}
	}
}

func (w *writer) commit() error {
	if _, err := w.exec("COMMIT"); err != nil {
		w.rollback()
		return uncertainError{err}
	}
	return nil
}

// rollback needs no answer: it fails where the database has rolled back by itself.
func (w *writer) rollback() {
	if w.connection != nil {
		_, _ = w.exec("ROLLBACK")
	}
}

func (w *writer) connect(ctx context.Context) error {
	if w.connection != nil {
		return nil
	}
	connection, err := w.db.Conn(ctx)
	if err != nil {
		return err
	}
	w.connection, w.statements = connection, map[string]*sql.Stmt{}
	return nil
}

// disconnect gives a broken connection up; the next transaction opens another.
func (w *writer) disconnect() {
	for _, prepared := range w.statements {
		_ = prepared.Close() // one that is left open keeps the file open, behind its closed connection
	}
	if w.connection != nil {
		_ = w.connection.Close()
	}
	w.connection, w.statements = nil, nil
}

// statement returns the prepared form of a query. No context reaches the database from here: one that ended half way would interrupt
// the statement and roll the whole transaction back, and each of these takes microseconds.
func (w *writer) statement(query string) (*sql.Stmt, error) {
	if prepared := w.statements[query]; prepared != nil {
		return prepared, nil
	}
	if w.connection == nil {
		return nil, driver.ErrBadConn
	}
	prepared, err := w.connection.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, err
	}
	w.statements[query] = prepared
	return prepared, nil
}

// exec runs a statement and returns how many rows it changed.
func (w *writer) exec(query string, arguments ...any) (int64, error) {
	prepared, err := w.statement(query)
	if err != nil {
		return 0, w.noticed(err)
	}
	result, err := prepared.ExecContext(context.Background(), arguments...)
	if err != nil {
		return 0, w.noticed(err)
	}
	return result.RowsAffected()
}

// row runs a query of one row and scans it.
func (w *writer) row(query string, arguments []any, into ...any) error {
	prepared, err := w.statement(query)
	if err != nil {
		return w.noticed(err)
	}
	return w.noticed(prepared.QueryRowContext(context.Background(), arguments...).Scan(into...))
}

func (w *writer) noticed(err error) error {
	if isConnectionGone(err) {
		w.disconnect()
	}
	return err
}

func isConnectionGone(err error) bool {
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone)
}
