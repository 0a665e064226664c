package analytics

import (
	"cmp"
	"context"
	"time"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/store"
)

// OverdueQuery chooses the appointments that are past their date.
type OverdueQuery struct {
	// AsOf is the day whose end the question is asked for: what was open then, with a date before that day.
	AsOf messages.Date
	// ByDay, ByDoctor and ByAppointment say what each row is of. The day is that of the appointment, so it is patient data beside an appointment,
	// and ByDay and ByAppointment do not go together.
	ByDay, ByDoctor, ByAppointment bool
	// Zone is where a day begins and ends.
	Zone *time.Location
}

// Overdue is how many appointments are past their date.
type Overdue struct {
	// Day, Doctor and Appointment are set where the query asks for them.
	Day, Doctor, Appointment string
	// Scheduled are those that nobody has confirmed, or that were scheduled again since; Confirmed are the others.
	Scheduled, Confirmed int
}

// Total is how many there are.
func (o Overdue) Total() int { return o.Scheduled + o.Confirmed }

func (o Overdue) compare(other Overdue) int {
	return cmp.Or(cmp.Compare(o.Day, other.Day), cmp.Compare(o.Doctor, other.Doctor), cmp.Compare(o.Appointment, other.Appointment))
}

// PastDate finds the appointments that are still open although their date has passed, and how many open ones have no date that is known. Whether one
// is open, the journeys say; its date, which is patient data and in no table of analytics, is what the appointments consumer has last seen.
func PastDate(ctx context.Context, s *store.Store, q OverdueQuery) (rows []Overdue, undated int, err error) {
	found := map[Overdue]*Overdue{}
	end := endOf(q.AsOf, q.Zone)
	err = s.EachOpenJourney(ctx, messages.Appointments.Name(), end, func(open store.OpenJourney) error {
		if closedBefore(open.State, end) {
			return nil
		}
		event := appointmentOf(open.State)
		switch {
		case event == nil || !event.Date.IsSet():
			undated++
		case event.Date.Compare(q.AsOf) < 0:
			q.note(found, open, event, end)
		}
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	return values(sorted(found, Overdue.compare)), undated, nil
}

// closedBefore says of a state that it was final before a time: analytics may be behind the domain consumer, or has not seen the event.
func closedBefore(state store.State, end time.Time) bool {
	final := state.Deleted || state.Status == "completed" || state.Status == "cancelled"
	return final && state.Timestamp.Before(end)
}

// appointmentOf reads a state; nil for none.
func appointmentOf(state store.State) *messages.AppointmentEvent {
	if state.Type == "" {
		return nil
	}
	decoded, err := messages.Appointments.Decode(state.Body)
	if err != nil {
		return nil
	}
	event, _ := decoded.Body.(*messages.AppointmentEvent)
	return event
}

func (q OverdueQuery) note(found map[Overdue]*Overdue, open store.OpenJourney, event *messages.AppointmentEvent, end time.Time) {
	var key Overdue
	if q.ByDay {
		key.Day = event.Date.String()
	}
	if q.ByDoctor {
		key.Doctor = cmp.Or(open.Counterpart.Text, event.DoctorID)
	}
	if q.ByAppointment {
		key.Appointment = open.ID
	}
	row := found[key]
	if row == nil {
		row = &Overdue{Day: key.Day, Doctor: key.Doctor, Appointment: key.Appointment}
		found[key] = row
	}
	if open.Status.Text != "scheduled" && !open.Confirmed.IsZero() && open.Confirmed.Before(end) {
		row.Confirmed++
	} else {
		row.Scheduled++
	}
}
