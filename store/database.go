package store

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"time"
)

// lockWait bounds how long one unit of work waits for its turn and for a lock of the database, before it says that the store is not
// available.
const lockWait = 10 * time.Second

// database is where a store's tables are: SQLite or PostgreSQL. What is written, and what refuses it, is decided before it is asked.
type database interface {
	// write runs set in a transaction, alone or together with the sets of others, and commits it: all of a set is written or nothing. An error of
	// the set is returned as it is, one of the commit as an uncertainError.
	write(ctx context.Context, set func(session) error) error
	// lend opens a transaction for a function's own statements.
	lend(ctx context.Context) (loan, error)
	// migrate applies the migrations that the table of versions does not have. One process does it at a time.
	migrate(ctx context.Context, table string, files fs.FS) error
	close() error

	// makeBeside makes room for tables beside these, for one process at a time.
	makeBeside(ctx context.Context) (room, error)
	// exclusive runs use in a transaction that sees the tables beside too, while nobody commits a unit of work.
	exclusive(ctx context.Context, beside string, use func(exclusively) (keep bool, err error)) error
}

// session is an open transaction. One goroutine uses it.
type session interface {
	// exec runs a statement and returns how many rows it changed.
	exec(query string, arguments ...any) (rows int64, err error)
	// row runs a query of one row and scans it.
	row(query string, arguments []any, into ...any) error
	// send runs statements in their order, as one message where the database is elsewhere.
	send(statements []statement) error
}

// loan is a session that is lent until end, which rolls back what commit has not committed.
type loan interface {
	session
	connection() *sql.Conn
	commit() error
	end()
}

// statement is one write of a set.
type statement struct {
	query     string
	arguments []any
	// rows is how many rows it must change; short is the error of another number.
	rows  int64
	short error
}

// anyRows is for a statement that may change any number of rows.
const anyRows = -1

func (s statement) check(changed int64) error {
	if s.rows != anyRows && changed != s.rows {
		return s.short
	}
	return nil
}

// uncertainError is a commit that failed: until a later one succeeds, it may still show as done.
type uncertainError struct{ error }

func (e uncertainError) Unwrap() error { return e.error }

// acquireTurn waits for a turn. A Go channel serves its waiters first come, first served.
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
		return errOthers
	}
}

var (
	errOthers      = errors.New("others have been writing for too long")
	errClosed      = errors.New("it is closed")
	errForReading  = errors.New("it was opened for reading")
	errConnections = errors.New("all connections for writing are in use")
)
