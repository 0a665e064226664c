// Command careless is the router with one more consumer, for tests: its function quotes the whole event in every error and panic, as a
// program that nobody has looked over might, and has each kind of trouble. Which one it is, the entity's id says.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/prantikov/millrace"
	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/router"
)

func main() {
	millrace.Main(millrace.Builtin(), millrace.Plugin(func(app *millrace.App) error {
		c := &careless{tries: map[string]int{}, events: app.Producer()}
		return app.Consume("careless", router.OnAny(messages.Types(), func(ctx context.Context, e messages.Event[any]) error {
			app.Logger().Debug("handling", "event", e, "text", fmt.Sprintf("%+v", e))
			return c.handle(ctx, e)
		}))
	}))
}

// careless counts the tries of each entity.
type careless struct {
	events *millrace.Producer

	mu    sync.Mutex
	tries map[string]int
}

// handle fails as the end of the entity's id says; the redriven ones come a second time and are done.
func (c *careless) handle(ctx context.Context, e messages.Event[any]) error {
	whole, err := json.Marshal(e.Body)
	if err != nil {
		return err
	}
	quoted := fmt.Errorf("handling %s of key %s: %w", whole, e.Key, errors.New(string(whole)))
	try := c.count(e.EntityID)
	switch {
	case strings.HasSuffix(e.EntityID, "-retried") && try <= 2:
		return quoted
	case strings.HasSuffix(e.EntityID, "-away") && try <= 2:
		return router.Unavailable(quoted)
	case strings.HasSuffix(e.EntityID, "-failed") && try <= 4:
		return quoted
	case strings.HasSuffix(e.EntityID, "-refused") && try <= 1:
		return router.Permanent(quoted)
	case strings.HasSuffix(e.EntityID, "-panics") && try <= 4:
		panic(quoted)
	case strings.HasSuffix(e.EntityID, "-slow") && try <= 4:
		<-ctx.Done()
		return quoted
	case strings.HasSuffix(e.EntityID, "-echo"):
		_, err := c.events.Publish(ctx, messages.OrderCreated, messages.OrderEvent{OrderID: e.EntityID + "-copy", Status: "pending"})
		return err
	}
	return nil
}

func (c *careless) count(entity string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tries[entity]++
	return c.tries[entity]
}
