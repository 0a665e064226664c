package notification

import (
	"context"
	"time"
)

// outgoing is one notification on its way.
type outgoing struct {
	// id is what the other side knows it by: the same whenever it is sent again.
	id      string
	address string
	subject string
	text    string
	// The rest is what a machine is told beside the words.
	to                              party
	kind, action, entityID, eventID string
	at                              time.Time
}

// channel is a way to the outside.
type channel interface {
	// send sends once and says what became of it.
	send(ctx context.Context, one outgoing) answer
	// destination is whom the address is behind: what is away is away for all of it.
	destination(address string) string
	// check says in a sentence what is wrong with an address, without quoting it.
	check(address string) error
}

// verdict is what became of a notification.
type verdict int

const (
	// delivered: the other side has it.
	delivered verdict = iota
	// refused: the other side does not want it, now or later.
	refused
	// failed: the other side answered that it could not take it.
	failed
	// busy: the other side asks to be left alone for a while.
	busy
	// away: the other side was not reached, so it has nothing of it.
	away
	// unknown: it was sent, or part of it, and no answer came.
	unknown
)

// answer is a verdict with what belongs to it.
type answer struct {
	verdict verdict
	// reason is a sentence without anything of the notification and of its address.
	reason string
	// after is how long the other side asks to be left alone; 0 for no such word.
	after time.Duration
}
