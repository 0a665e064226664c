package analytics

import (
	"time"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/store"
)

// Entity is a kind of entity whose journeys are measured.
type Entity struct {
	// Name is what people call it: appointment, prescription, order.
	Name string
	// Role is what the counterpart of its events is: doctor or pharmacy.
	Role string
	// declared is the type of its events.
	declared messages.Type
	// steps are the statuses that others may follow, final those after which none comes.
	steps, final map[string]step
	// implied has the status of an action whose event names none, as its domain consumer takes it.
	implied map[messages.Action]string
	spans   []span
}

// span is a duration that is measured: from one step to another.
type span struct {
	from, to     string
	begin, ended step
}

// Entities are those that are measured. A health record has no status, so there is nothing to measure.
func Entities() []Entity {
	return []Entity{
		{
			Name: "appointment", Role: "doctor", declared: messages.Appointments,
			steps:   map[string]step{"scheduled": nil, "confirmed": confirmed},
			final:   map[string]step{"completed": completed, "cancelled": cancelled},
			implied: map[messages.Action]string{messages.Cancelled: "cancelled"},
			spans: []span{
				{"booked", "confirmed", created, confirmed}, {"confirmed", "completed", confirmed, completed}, {"booked", "completed", created, completed},
			},
		},
		{
			Name: "prescription", Role: "doctor", declared: messages.Prescriptions,
			steps:   map[string]step{"active": nil, "inactive": cancelled},
			final:   map[string]step{"completed": completed},
			implied: map[messages.Action]string{messages.Cancelled: "inactive"},
			spans:   []span{{"prescribed", "completed", created, completed}},
		},
		{
			Name: "order", Role: "pharmacy", declared: messages.Orders,
			steps:   map[string]step{"pending": nil, "processing": nil, "shipped": shipped},
			final:   map[string]step{"delivered": completed},
			implied: map[messages.Action]string{messages.Shipped: "shipped", messages.Delivered: "delivered"},
			spans: []span{
				{"ordered", "shipped", created, shipped}, {"shipped", "delivered", shipped, completed}, {"ordered", "delivered", created, completed},
			},
		},
	}
}

// step is where a journey has the time of a step; nil for a status that has none.
type step func(*store.Journey) *time.Time

// at notes when the step was reached.
func (s step) at(j *store.Journey, at time.Time) {
	if s != nil {
		*s(j) = at
	}
}

func created(j *store.Journey) *time.Time   { return &j.Created }
func confirmed(j *store.Journey) *time.Time { return &j.Confirmed }
func shipped(j *store.Journey) *time.Time   { return &j.Shipped }
func completed(j *store.Journey) *time.Time { return &j.Completed }
func cancelled(j *store.Journey) *time.Time { return &j.Cancelled }
