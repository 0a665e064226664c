package store

import (
	"errors"
	"fmt"
	"strconv"
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
	// errRefused is a progress row that is not this unit's to advance.
	errRefused = errors.New("the progress row is another one's")
)

// Unavailable says whether an error means that the store, or its disk, cannot be used now: the consumer holds and tries again, and no
// record is given up for it. That is every error of this package but [ErrFenced] and mistakes of the caller. It also knows the raw
// errors of the databases, which a function can get from the row of a [Transaction].
func Unavailable(err error) bool {
	return errors.Is(err, ErrUnavailable) || isDatabaseAway(err)
}

// isDatabaseAway tells a database's own troubles from those of a statement, such as a constraint that it breaks.
func isDatabaseAway(err error) bool {
	return isConnectionGone(err) || isSQLiteAway(err) || isPostgresAway(err)
}

// unavailable wraps what kept the store from doing what was tried.
func unavailable(tried string, err error) error {
	if errors.Is(err, ErrUnavailable) {
		return fmt.Errorf("%s: %w", tried, err)
	}
	return fmt.Errorf("%s: %w: %w", tried, ErrUnavailable, err)
}

func quoted(text string) string { return strconv.Quote(text) }
