// Package analytics owns the figures of the platform: events by day, and what becomes of entities, how often and how fast.
// It never keeps anything of a patient: what it keeps of an entity is its id, who else has part in it, and when which step was reached.
package analytics

import (
	"context"
	"time"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/store"
)

// Figures takes note of events. Make one with [New].
type Figures struct {
	zone *time.Location
	// entities are by the type of their events.
	entities map[string]Entity
}

// New takes the days of a zone; nil is UTC.
func New(zone *time.Location) *Figures {
	if zone == nil {
		zone = time.UTC
	}
	f := &Figures{zone: zone, entities: map[string]Entity{}}
	for _, entity := range Entities() {
		f.entities[entity.declared.Name()] = entity
	}
	return f
}

// Note counts one event on the day of its record's timestamp, and adds what it says to the journey of its entity. A record that is delivered
// again changes nothing, for all of this is committed together with the consumer's progress.
func (f *Figures) Note(ctx context.Context, e messages.Event[any]) error {
	status := ""
	if stateful, ok := e.Body.(messages.Stateful); ok {
		status = stateful.StatusName()
	}
	if err := f.note(ctx, e, status); err != nil {
		return router.Unavailable(router.Loggable(err))
	}
	return nil
}

func (f *Figures) note(ctx context.Context, e messages.Event[any], status string) error {
	counts := store.Counters(ctx)
	day := e.Timestamp.In(f.zone).Format(time.DateOnly)
	if err := counts.Add(day, e.Topic, string(e.Action), status, 1); err != nil {
		return err
	}
	counterpart := ""
	if counterparty, ok := e.Body.(messages.Counterparty); ok {
		var role string
		role, counterpart = counterparty.Counterpart()
		if err := counts.AddFor(role, counterpart, day, e.Topic, string(e.Action), status, 1); err != nil {
			return err
		}
	}
	entity, measured := f.entities[e.Type]
	if !measured || e.Timestamp.UnixMilli() <= 0 {
		return nil // a record without a timestamp is counted, and tells of no step
	}
	return store.Journeys(ctx).Add(entity.part(e.Meta, status, counterpart))
}
