package router

import (
	"errors"
	"fmt"
	"time"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
)

// ErrFenced is what a unit of work's Commit wraps when another member has taken the partition: nothing of the batch was written, and
// nothing of it may be reported as finished.
var ErrFenced = errors.New("another member has taken the partition")

// Permanent says that trying again cannot help: the record is dead-lettered at once, with class permanent.
// Permanent(nil) is nil.
func Permanent(err error) error { return GiveUp(record.ClassPermanent, err) }

// GiveUp is [Permanent] with a class of its own, for a rule that has a name. GiveUp(class, nil) is nil.
func GiveUp(class record.Class, err error) error {
	if err == nil {
		return nil
	}
	return &givenUp{class: class, err: err}
}

type givenUp struct {
	class record.Class
	err   error
}

func (e *givenUp) Error() string { return e.err.Error() }
func (e *givenUp) Unwrap() error { return e.err }

// Unavailable says that what the function needs is away: a database, a mail server. The consumer holds: it takes nothing further and
// tries the record again until it succeeds, and no dead letter is written. Unavailable(nil) is nil.
func Unavailable(err error) error {
	if err == nil {
		return nil
	}
	return &unavailable{err: err}
}

type unavailable struct{ err error }

func (e *unavailable) Error() string { return e.err.Error() }
func (e *unavailable) Unwrap() error { return e.err }

// After says when a failed try may be made again at the earliest, as the other side asked for it: a server's Retry-After. It changes neither
// what the error means nor how often the record is tried. After(nil, pause) is nil.
func After(err error, pause time.Duration) error {
	if err == nil {
		return nil
	}
	return &postponed{err: err, pause: pause}
}

type postponed struct {
	err   error
	pause time.Duration
}

func (e *postponed) Error() string { return e.err.Error() }
func (e *postponed) Unwrap() error { return e.err }

// atLeast is the pause that the error asks for; 0 when it asks for none.
func atLeast(err error) time.Duration {
	if asked := (*postponed)(nil); errors.As(err, &asked) {
		return asked.pause
	}
	return 0
}

// Skip says that a policy with this name passes the record: it counts as skipped, not as done.
func Skip(reason string) error { return &skip{reason: reason} }

type skip struct{ reason string }

func (e *skip) Error() string { return "skipped: " + e.reason }

// Loggable marks an error whose text may stand in a log: its author vouches that it names no patient and quotes nothing of a payload.
// The text of any other error is left out of the log, which shows its type instead. Loggable(nil) is nil.
func Loggable(err error) error {
	if err == nil {
		return nil
	}
	return &loggable{err: err}
}

type loggable struct{ err error }

func (e *loggable) Error() string { return e.err.Error() }
func (e *loggable) Unwrap() error { return e.err }

// describe is what a log may say of an error: the text of a [Loggable] one or of one that we made ourselves, else the types in its chain.
func describe(err error) string {
	if err == nil {
		return ""
	}
	if safe := (*loggable)(nil); errors.As(err, &safe) {
		return safe.Error()
	}
	if content := (*contentError)(nil); errors.As(err, &content) {
		return content.Error()
	}
	if refused := (*messages.Error)(nil); errors.As(err, &refused) {
		return refused.Error()
	}
	if panicked := (*panicError)(nil); errors.As(err, &panicked) {
		return panicked.Error()
	}
	if errors.Is(err, errTimeout) {
		return errTimeout.Error()
	}
	return innermostType(err)
}

func innermostType(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return fmt.Sprintf("%T (its text is withheld; router.Loggable shows it)", err)
		}
		err = inner
	}
}
