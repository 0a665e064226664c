package router

import (
	"errors"
	"time"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
)

// fate is how a try ended, as it travels up the chain of middleware. It is an error, because a chain has no other word; the walk reads it.
type fate struct {
	result record.Result
	// hold says that what the record needs is away: result.Until is when to look again.
	hold bool
	// unsettled says that the dead letter waits only for the end of the unit of work.
	unsettled bool
	// cause is the error behind it, nil when the record is done.
	cause error
}

func (f *fate) Error() string {
	if f.cause != nil {
		return f.result.Outcome.String() + ": " + f.cause.Error()
	}
	return f.result.Outcome.String()
}

func (f *fate) Unwrap() error { return f.cause }

// holdInterval bounds the pause between two looks for something that is away.
const holdInterval = 5 * time.Second

// decide is the one place where an error becomes an outcome.
func decide(err error, d *delivery, retry RetrySettings, now time.Time) *fate {
	var (
		passed  *skip
		away    *unavailable
		content *contentError
		given   *givenUp
		refused *messages.Error
	)
	switch {
	case err == nil:
		return &fate{result: record.Result{Outcome: record.Done}}
	case d.base.Err() != nil:
		// We are stopping: whatever the function says now may only be that its context ended.
		return &fate{cause: err}
	case errors.As(err, &passed):
		return &fate{result: record.Result{Outcome: record.Skipped, Reason: passed.reason}, cause: err}
	case errors.As(err, &content):
		return deadLetterFate(content.class, err)
	case errors.As(err, &refused):
		// The function made an event that no consumer would take: the next try would make the same.
		return deadLetterFate(record.ClassPermanent, err)
	case errors.As(err, &away):
		return holdFate(err, d, now)
	case errors.As(err, &given):
		return deadLetterFate(given.class, err)
	}
	pause := max(retry.interval(d.made), atLeast(err))
	if d.made >= retry.Tries || d.retrying(now)+pause > retry.MaxElapsed {
		return deadLetterFate(lastClass(err), err)
	}
	return &fate{result: record.Result{Outcome: record.Parked, Until: now.Add(pause)}, cause: err}
}

func deadLetterFate(class record.Class, cause error) *fate {
	return &fate{result: record.Result{Outcome: record.DeadLettered, Class: class}, cause: cause}
}

// holdFate waits for something outside: a little longer each time, never for good.
func holdFate(err error, d *delivery, now time.Time) *fate {
	pause := max(min(100*time.Millisecond<<min(d.inTrouble().held, 6), holdInterval), atLeast(err))
	return &fate{result: record.Result{Outcome: record.Parked, Until: now.Add(pause)}, hold: true, cause: err}
}

// lastClass is the class of a record whose tries are used up, by what ended the last one.
func lastClass(err error) record.Class {
	var panicked *panicError
	switch {
	case errors.As(err, &panicked):
		return record.ClassPanic
	case errors.Is(err, errTimeout):
		return record.ClassTimeout
	default:
		return record.ClassFailed
	}
}
