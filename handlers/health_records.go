package handlers

import (
	"context"

	"github.com/prantikov/millrace/messages"
)

// healthRecords keeps the current state of every health record. A health record has no status.
type healthRecords struct{ entities }

func (h healthRecords) created(ctx context.Context, e messages.Event[messages.HealthRecordEvent]) error {
	return h.keep(ctx, e.Meta, "")
}

func (h healthRecords) updated(ctx context.Context, e messages.Event[messages.HealthRecordEvent]) error {
	return h.keep(ctx, e.Meta, "")
}

func (h healthRecords) deleted(ctx context.Context, e messages.Event[messages.HealthRecordEvent]) error {
	return h.delete(ctx, e.Meta, "")
}
