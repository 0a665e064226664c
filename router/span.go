package router

import (
	"context"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
)

// Span begins the span of one try of a record. It returns the context in which the try runs, and what is called once with how the try ended.
// Attempt counts from 1. It is 0 for a record that was given up before, of which only the dead letter is still to be written: then there is no
// try, and the context is that of the record's trace. It is called from the goroutine that walks the batch, so it must be quick.
type Span func(ctx context.Context, r *record.Record, attempt int) (context.Context, func(Tried))

// Tried is how a try ended, without anything of the record.
type Tried struct {
	// Action and Function are empty where the record did not get so far.
	Action   messages.Action
	Function string
	Outcome  record.Outcome
	// Failure is the class of what went wrong, also for a try after which there is another, or [FailureUnavailable]; empty for none.
	Failure string
}

// FailureUnavailable is the failure of a try that found away what it needs. It is no class: no dead letter has it.
const FailureUnavailable = "unavailable"

// trySpanned is tryOnce within a span.
func (h *handler) trySpanned(ctx context.Context, d *delivery) fate {
	attempt := d.made + 1
	if d.givenUp() {
		attempt = 0
	}
	around, end := h.span(ctx, d.record, attempt)
	ended := h.tryOnce(around, d)
	tried := Tried{Action: d.action, Outcome: ended.result.Outcome, Failure: d.failure(ended)}
	if d.route != nil {
		tried.Function = d.route.function
	}
	if d.givenUp() {
		// Its dead letter may have to wait: that is no other end of the try.
		tried.Outcome = record.DeadLettered
	}
	end(tried)
	return ended
}

// failure is the class of what ended a try.
func (d *delivery) failure(ended fate) string {
	switch {
	case d.givenUp():
		return string(d.trouble.letter.Class)
	case ended.hold:
		return FailureUnavailable
	case ended.result.Outcome == record.Parked:
		return string(lastClass(ended.cause))
	}
	return ""
}
