package record

import "time"

// Outcome is how a record ended for one consumer.
type Outcome uint8

const (
	// Unfinished is the outcome of a record that was not begun, or not finished because we are stopping. It is handed over again.
	Unfinished Outcome = iota
	// Done means that the consumer's function returned without an error.
	Done
	// Skipped means that a named policy passed the record, or that the consumer has no route for it.
	Skipped
	// DeadLettered means that the consumer gave the record up and its dead letter is acknowledged.
	DeadLettered
	// Parked means that the record waits for its next try.
	Parked
)

// String is the outcome's name in logs and metrics.
func (o Outcome) String() string {
	switch o {
	case Done:
		return "done"
	case Skipped:
		return "skipped"
	case DeadLettered:
		return "dead_letter"
	case Parked:
		return "parked"
	default:
		return "unfinished"
	}
}

// Finished says whether the outcome moves the frontier.
func (o Outcome) Finished() bool { return o == Done || o == Skipped || o == DeadLettered }

// Result is an outcome with what belongs to it.
type Result struct {
	Outcome Outcome
	// Until is when a parked record is to be tried again.
	Until time.Time
	// Reason names the policy that skipped a record, for example no_route.
	Reason string
	// Class names why a record was dead-lettered.
	Class Class
	// Attempts counts the tries that were made, the last one included.
	Attempts int
	// Memo is kept with a parked record and comes with it when it is handed over again.
	Memo any
}

// Attempts is what was tried with a record so far. It lives as long as the record is in memory.
type Attempts struct {
	// Made counts the tries that have ended.
	Made int
	// First is when the first try began; zero before it.
	First time.Time
	// FirstFailure is when the first try failed; zero while none did.
	FirstFailure time.Time
}
