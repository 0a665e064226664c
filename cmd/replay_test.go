package cmd_test

import (
	"context"
	"fmt"
	"os"

	"github.com/prantikov/millrace/cmd"
	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/router"
)

// journal adds a consumer that writes a line for each order's event into the file that JOURNAL names, and one with effects outside.
func journal(app *cmd.App) error {
	orders := []messages.Type{messages.Orders}
	err := app.Consume("journal", router.OnAny(orders, func(_ context.Context, e messages.Event[any]) error {
		file, err := os.OpenFile(os.Getenv("JOURNAL"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }()
		_, err = fmt.Fprintf(file, "%s/%d/%d %s %s replay=%t\n", e.Topic, e.Partition, e.Offset, e.EntityID, e.Action, e.Replay())
		return err
	}))
	if err != nil {
		return err
	}
	return app.Consume("points", router.EffectsOutside(false),
		router.On(messages.OrderShipped, func(context.Context, messages.Event[messages.OrderEvent]) error { return nil }))
}
