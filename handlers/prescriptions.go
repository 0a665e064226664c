package handlers

import (
	"context"

	"github.com/prantikov/millrace/messages"
)

// prescriptions keeps the current state of every prescription.
type prescriptions struct{ entities }

func (p prescriptions) created(ctx context.Context, e messages.Event[messages.PrescriptionEvent]) error {
	return p.keep(ctx, e.Meta, e.Body.Status)
}

func (p prescriptions) updated(ctx context.Context, e messages.Event[messages.PrescriptionEvent]) error {
	return p.keep(ctx, e.Meta, e.Body.Status)
}

// cancelled makes the prescription inactive when its producer left the status out: there is no status cancelled.
func (p prescriptions) cancelled(ctx context.Context, e messages.Event[messages.PrescriptionEvent]) error {
	return p.keep(ctx, e.Meta, statusOr(e.Body.Status, "inactive"))
}

func (p prescriptions) deleted(ctx context.Context, e messages.Event[messages.PrescriptionEvent]) error {
	return p.delete(ctx, e.Meta, e.Body.Status)
}
