package analytics

import (
	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/store"
)

// finalWeight is more than the time of any event.
const finalWeight = 1 << 62

// part is what one event says of the journey of its entity.
//
// What counts is chosen so that the order of arrival does not matter. A step was reached at the earliest time that an event says so. The doctor
// or pharmacy is the one that the latest event names. The status is the latest one, too, but for those after which no other comes: of them the
// earliest counts, and before all others, as for the domain consumers. A deletion says no status.
func (k Entity) part(e messages.Meta, status, counterpart string) store.Journey {
	at := e.Timestamp.UnixMilli()
	part := store.Journey{Type: e.Type, ID: e.EntityID, Seen: e.Timestamp}
	if counterpart != "" {
		part.Counterpart = store.Word{Text: counterpart, Weight: at}
	}
	switch e.Action {
	case messages.Deleted:
		part.Deleted = e.Timestamp
		return part
	case messages.Created:
		part.Created = e.Timestamp
	}
	if status == "" {
		status = k.implied[e.Action]
	}
	if reached, ok := k.final[status]; ok {
		part.Status = store.Word{Text: status, Weight: finalWeight - at}
		reached.at(&part, e.Timestamp)
	} else if reached, ok := k.steps[status]; ok {
		part.Status = store.Word{Text: status, Weight: at}
		reached.at(&part, e.Timestamp)
	}
	return part
}
