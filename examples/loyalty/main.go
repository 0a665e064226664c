// Command loyalty is somebody's own Millrace: every command, the built-in consumers but archive, and points for orders.
package main

import (
	"context"
	"errors"
	"log/slog"

	"github.com/prantikov/millrace"
	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/router"
)

// PointsEvent is an event type of their own, on a topic of its own that is keyed by the order.
type PointsEvent struct {
	OrderID string           `json:"orderId"`
	Points  messages.Integer `json:"points"`
	Action  messages.Action  `json:"action"`
}

var pointsEarned = messages.NewTopic("points-events", func(e *PointsEvent) string { return e.OrderID },
	func(e *PointsEvent) *messages.Action { return &e.Action }, "earned").Kind("earned")

func main() {
	millrace.Main(millrace.Builtin(millrace.Without("archive")), millrace.Plugin(func(app *millrace.App) error {
		points := &loyalty{PerStep: 10, events: app.Producer(), logger: app.Logger()}
		return errors.Join(app.Settings("loyalty", points), app.Consume("loyalty",
			router.On(messages.OrderShipped, points.earn),
			router.On(messages.OrderDelivered, points.earn),
			router.On(pointsEarned, points.thank),
		))
	}))
}

type loyalty struct {
	PerStep messages.Integer // plugins.loyalty.per_step, MILLRACE_PLUGINS_LOYALTY_PER_STEP
	events  *millrace.Producer
	logger  *slog.Logger
}

func (l *loyalty) earn(ctx context.Context, e messages.Event[messages.OrderEvent]) error {
	_, err := l.events.Publish(ctx, pointsEarned, PointsEvent{OrderID: e.EntityID, Points: l.PerStep})
	return router.Unavailable(err) // without Kafka it waits: no dead letter
}

func (l *loyalty) thank(_ context.Context, e messages.Event[PointsEvent]) error {
	l.logger.Info("points earned", "order", e.EntityID, "points", e.Body.Points)
	return nil
}
