package notification

import "github.com/prantikov/millrace/messages"

// Audience is who is told.
type Audience string

// The audiences that events name.
const (
	Patient  Audience = "patient"
	Doctor   Audience = "doctor"
	Pharmacy Audience = "pharmacy"
)

// audiences are all of them, in the order in which an event tells them.
func audiences() []Audience { return []Audience{Patient, Doctor, Pharmacy} }

// party is one who is concerned by an event.
type party struct {
	audience Audience
	// id is empty when the event does not say who it is.
	id string
}

// partiesOf are those concerned by an event: its patient, and its doctor or pharmacy.
func partiesOf(body any) []party {
	var parties []party
	if _, ok := body.(messages.Subject); ok {
		parties = append(parties, party{Patient, patientOf(body)})
	}
	if other, ok := body.(messages.Counterparty); ok {
		role, id := other.Counterpart()
		parties = append(parties, party{Audience(role), id})
	}
	return parties
}

func patientOf(body any) string {
	if subject, ok := body.(messages.Subject); ok {
		return subject.Patient()
	}
	return ""
}

// kindOf is the kind's name, for example OrderEvent.shipped.
func kindOf(e messages.Meta) string { return e.Type + "." + string(e.Action) }
