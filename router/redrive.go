package router

import (
	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/prantikov/millrace/record"
)

// noOrigin is the policy under which a record of a redrive topic is skipped that came from no dead letter, or from a topic that the consumer
// no longer takes: nothing says how it is to be handled. It is counted, and its letter is where it was.
const noOrigin = "no_redrive"

// redriven is what is known of a record that comes back from a dead letter.
type redriven struct {
	// letter is where the dead letter stands.
	letter record.Position
	// by is the handler of the topic that the record was on when it was given up; nil when the consumer does not take it.
	by *handler
}

// letter is where the dead letter stands that the record comes back from; its topic is empty for any other record.
func (d *delivery) letter() record.Position {
	if d.redriven == nil {
		return record.Position{}
	}
	return d.redriven.letter
}

// recognise finds what the record was when its consumer gave it up: it is handled as on the topic that it was on then, with its position,
// headers and rules. Progress and metrics are those of the redrive topic.
func (h *handler) recognise(d *delivery) {
	redrive, ok := record.RedriveOf(d.record)
	if !ok {
		return
	}
	d.handled = redrive.Original
	d.redriven = &redriven{letter: redrive.Letter, by: h.redriven[redrive.Original.Topic]}
}

// dispatchRedriven dispatches a record that came back as on its own topic.
func dispatchRedriven(msg *message.Message, d *delivery) ([]*message.Message, error) {
	if d.redriven == nil || d.redriven.by == nil {
		return nil, Skip(noOrigin)
	}
	return d.redriven.by.dispatch(msg)
}
