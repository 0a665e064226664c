// Package analytics owns how events are counted: by day, topic, action and status.
// It never keeps anything of a single event.
package analytics

import (
	"context"
	"time"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/store"
)

// Counts counts events. Make one with [New].
type Counts struct{ zone *time.Location }

// New counts the days of a zone; nil is UTC.
func New(zone *time.Location) *Counts {
	if zone == nil {
		zone = time.UTC
	}
	return &Counts{zone: zone}
}

// Count counts one event on the day of its record's timestamp. A record that is delivered again is not counted again, for the count is
// committed together with the consumer's progress.
func (c *Counts) Count(ctx context.Context, e messages.Event[any]) error {
	status := ""
	if stateful, ok := e.Body.(messages.Stateful); ok {
		status = stateful.StatusName()
	}
	day := e.Timestamp.In(c.zone).Format(time.DateOnly)
	if err := store.Counters(ctx).Add(day, e.Topic, string(e.Action), status, 1); err != nil {
		return router.Unavailable(router.Loggable(err))
	}
	return nil
}
