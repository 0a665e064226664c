package store

import (
	"context"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

var (
	// ErrUnavailable is what an error wraps when the store cannot be used now: locked, out of space, damaged, closed. Nothing was
	// written, and the same work can be begun anew. See [Unavailable].
	ErrUnavailable = errors.New("the store is not available")
	// ErrFenced is what Begin and Commit wrap when another owner has taken the partition: nothing was written.
	ErrFenced = errors.New("another member has taken the partition")
	// ErrNoUnitOfWork is the error of asking for the unit of work in a context that has none.
	ErrNoUnitOfWork = errors.New("the context has no unit of work")
	// ErrEnded is the error of using a unit of work after its Commit or Rollback.
	ErrEnded = errors.New("the unit of work has ended")

	// errMoved means that the store is not as this unit of work saw it: it is begun anew.
	errMoved = errors.New("it was changed by another unit of work meanwhile")
)

// Unavailable says whether an error means that the store, or its disk, cannot be used now: the consumer holds and tries again, and no
// record is given up for it. That is every error of this package but [ErrFenced] and mistakes of the caller. It also knows the raw
// errors of the database, which a function can get from the row of a [Transaction].
func Unavailable(err error) bool {
	return errors.Is(err, ErrUnavailable) || isDatabaseAway(err)
}

// unavailable wraps what kept the store from doing what was tried.
func unavailable(tried string, err error) error {
	if errors.Is(err, ErrUnavailable) {
		return fmt.Errorf("%s: %w", tried, err)
	}
	return fmt.Errorf("%s: %w: %w", tried, ErrUnavailable, err)
}

// sqliteCode is the primary result code of a database error, 0 for any other error.
func sqliteCode(err error) int {
	if failure := (*sqlite.Error)(nil); errors.As(err, &failure) {
		return failure.Code() & 0xff
	}
	return 0
}

func isBusy(err error) bool {
	code := sqliteCode(err)
	return code == sqlite3.SQLITE_BUSY || code == sqlite3.SQLITE_LOCKED
}

// isDatabaseAway tells the database's own troubles from those of a statement, such as a constraint that it breaks.
func isDatabaseAway(err error) bool {
	if isConnectionGone(err) {
		return true
	}
	switch sqliteCode(err) {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR,
		sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_NOTADB:
		return true
	}
	return false
}

// explainOpen says in a sentence what an operator can do about a store that does not open.
func explainOpen(path string, err error) error {
	tried := fmt.Sprintf("opening the store %q", path)
	switch sqliteCode(err) {
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return unavailable(tried, fmt.Errorf("%w: restore it from a backup, or move it away to begin a new one: %w", errDamaged, err))
	case sqlite3.SQLITE_READONLY:
		return unavailable(tried, fmt.Errorf("the file is read-only: give this user the right to write it and its folder: %w", err))
	case sqlite3.SQLITE_CANTOPEN:
		return unavailable(tried, fmt.Errorf("the file cannot be opened: check its folder and the rights on both: %w", err))
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return unavailable(tried, fmt.Errorf("another process holds the file: %w", err))
	}
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("%s: %w", tried, err)
	}
	return unavailable(tried, err)
}

var errDamaged = errors.New("the file is damaged or no database")
