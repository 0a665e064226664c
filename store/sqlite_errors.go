package store

import (
	"context"
	"errors"
	"fmt"

	driver "modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"
)

// sqliteCode is the primary result code of a database error, 0 for any other error.
func sqliteCode(err error) int {
	if failure := (*driver.Error)(nil); errors.As(err, &failure) {
		return failure.Code() & 0xff
	}
	return 0
}

func isBusy(err error) bool {
	code := sqliteCode(err)
	return code == codes.SQLITE_BUSY || code == codes.SQLITE_LOCKED
}

func isSQLiteAway(err error) bool {
	switch sqliteCode(err) {
	case codes.SQLITE_BUSY, codes.SQLITE_LOCKED, codes.SQLITE_NOMEM, codes.SQLITE_READONLY, codes.SQLITE_IOERR,
		codes.SQLITE_CORRUPT, codes.SQLITE_FULL, codes.SQLITE_CANTOPEN, codes.SQLITE_PROTOCOL, codes.SQLITE_NOTADB:
		return true
	}
	return false
}

// explainOpen says in a sentence what an operator can do about a file that does not open.
func explainOpen(path string, err error) error {
	tried := "opening the store " + quoted(path)
	switch sqliteCode(err) {
	case codes.SQLITE_CORRUPT, codes.SQLITE_NOTADB:
		return unavailable(tried, fmt.Errorf("%w: restore it from a backup, or move it away to begin a new one: %w", errDamaged, err))
	case codes.SQLITE_READONLY:
		return unavailable(tried, fmt.Errorf("the file is read-only: give this user the right to write it and its folder: %w", err))
	case codes.SQLITE_CANTOPEN:
		return unavailable(tried, fmt.Errorf("the file cannot be opened: check its folder and the rights on both: %w", err))
	case codes.SQLITE_BUSY, codes.SQLITE_LOCKED:
		return unavailable(tried, fmt.Errorf("another process holds the file: %w", err))
	}
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("%s: %w", tried, err)
	}
	return unavailable(tried, err)
}

var errDamaged = errors.New("the file is damaged or no database")
