package handlers

import (
	"context"

	"github.com/prantikov/millrace/messages"
)

// appointments keeps the current state of every appointment.
type appointments struct{ entities }

func (a appointments) created(ctx context.Context, e messages.Event[messages.AppointmentEvent]) error {
	return a.keep(ctx, e.Meta, e.Body.Status)
}

func (a appointments) updated(ctx context.Context, e messages.Event[messages.AppointmentEvent]) error {
	return a.keep(ctx, e.Meta, e.Body.Status)
}

// cancelled cancels also when its producer left the status out.
func (a appointments) cancelled(ctx context.Context, e messages.Event[messages.AppointmentEvent]) error {
	return a.keep(ctx, e.Meta, statusOr(e.Body.Status, "cancelled"))
}

func (a appointments) deleted(ctx context.Context, e messages.Event[messages.AppointmentEvent]) error {
	return a.delete(ctx, e.Meta, e.Body.Status)
}
