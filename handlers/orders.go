package handlers

import (
	"context"

	"github.com/prantikov/millrace/messages"
)

// orders keeps the current state of every order.
type orders struct{ entities }

func (o orders) created(ctx context.Context, e messages.Event[messages.OrderEvent]) error {
	return o.keep(ctx, e.Meta, e.Body.Status)
}

func (o orders) updated(ctx context.Context, e messages.Event[messages.OrderEvent]) error {
	return o.keep(ctx, e.Meta, e.Body.Status)
}

func (o orders) shipped(ctx context.Context, e messages.Event[messages.OrderEvent]) error {
	return o.keep(ctx, e.Meta, statusOr(e.Body.Status, "shipped"))
}

func (o orders) delivered(ctx context.Context, e messages.Event[messages.OrderEvent]) error {
	return o.keep(ctx, e.Meta, statusOr(e.Body.Status, "delivered"))
}

func (o orders) deleted(ctx context.Context, e messages.Event[messages.OrderEvent]) error {
	return o.delete(ctx, e.Meta, e.Body.Status)
}
