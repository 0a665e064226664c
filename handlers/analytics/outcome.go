package analytics

import (
	"time"

	"github.com/prantikov/millrace/store"
)

// outcome is what became of an entity, as far as is known. Each entity has one.
type outcome int

const (
	outcomeOpen outcome = iota
	outcomeCompleted
	outcomeCancelled
	// outcomeDeleted is of one that was deleted while it was open.
	outcomeDeleted
)

// outcomeOf goes by the status. Whoever is deleted after the end keeps that end: it is then that records are cleaned up.
func outcomeOf(j *store.Journey) outcome {
	at := time.Time{}
	became := outcomeOpen
	switch j.Status.Text {
	case "completed", "delivered":
		became, at = outcomeCompleted, j.Completed
	case "cancelled", "inactive":
		became, at = outcomeCancelled, j.Cancelled
	}
	if !j.Deleted.IsZero() && (became == outcomeOpen || j.Deleted.Before(at)) {
		return outcomeDeleted
	}
	return became
}

// began is when the entity was created, or where its creation was not seen the time of its earliest event.
func began(j *store.Journey) time.Time {
	if j.Created.IsZero() {
		return j.Seen
	}
	return j.Created
}
