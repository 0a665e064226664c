package handlers

import (
	"context"
	"errors"
	"fmt"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/store"
)

// entities keeps the current state of the entities of one type in the store, and knows which status may follow which.
type entities struct {
	consumer    string
	transitions transitions
	// accepts says whether a status passes that cannot follow the present one. It is asked when there is one: the settings are not whole before
	// all consumers are declared.
	accepts            func() bool
	firstSeen          func(consumer, topic string)
	transitionAccepted func(consumer, topic string)
}

func (d Dependencies) entities(consumer string, declared messages.Type, allowed transitions) entities {
	return entities{
		consumer: consumer, transitions: allowed,
		accepts:   func() bool { return d.AcceptTransition != nil && d.AcceptTransition(consumer, declared) },
		firstSeen: d.FirstSeen, transitionAccepted: d.TransitionAccepted,
	}
}

// keep makes the event's content the entity's current state. The first event of an entity makes its row, whatever its action, for the
// log may have dropped those before it. It returns an error of class invalid_transition for a status that cannot follow the present one.
func (k entities) keep(ctx context.Context, e messages.Meta, status string) error {
	return k.put(ctx, e, status, false)
}

// delete marks the entity's row as deleted, which is final; status is for an entity that was not seen before.
func (k entities) delete(ctx context.Context, e messages.Meta, status string) error {
	return k.put(ctx, e, status, true)
}

func (k entities) put(ctx context.Context, e messages.Meta, status string, deleted bool) error {
	states := store.States(ctx)
	present, found, err := states.Get(e.Type, e.EntityID)
	if err != nil {
		return router.Unavailable(router.Loggable(fmt.Errorf("reading the state of an entity: %w", err)))
	}
	if !found {
		tell(ctx, k.firstSeen, k.consumer, e.Topic)
	} else if (e.Redrive() || e.Replay()) && !deleted && supersedes(present, e) {
		return router.Skip(superseded)
	} else if err := k.check(ctx, present, e, status, deleted); err != nil {
		return err
	}
	if status == "" {
		status = present.Status
	}
	next := store.State{
		Type: e.Type, ID: e.EntityID, Status: status, Action: string(e.Action), Deleted: deleted,
		Topic: e.Topic, Partition: e.Partition, Offset: e.Offset, Timestamp: e.Timestamp,
	}
	if deleted && found {
		// A deletion often carries no more than the id; the row is marked, and keeps what was last known.
		next.Status, next.Body = present.Status, present.Body
	} else if next.Body, err = payload(ctx); err != nil {
		return router.Permanent(err)
	}
	states.Put(next)
	return nil
}

// superseded is the policy under which an event is skipped that comes late, from a dead letter or a replay, when its entity has gone on: each event
// has the whole of its entity, so a later one says all that it would, and more. A deletion is not superseded, for it is final.
const superseded = "superseded"

// supersedes says whether the entity's state is of a later event.
func supersedes(present store.State, e messages.Meta) bool {
	if present.Topic == e.Topic && present.Partition == e.Partition {
		return present.Offset > e.Offset
	}
	// Partitions were added in between.
	return present.Timestamp.After(e.Timestamp)
}

// payload is the event in the record that the context carries, without what its producer wrapped around it.
func payload(ctx context.Context) ([]byte, error) {
	r := record.FromContext(ctx)
	if r == nil {
		return nil, nil
	}
	contentType, _ := r.Header("content-type")
	return messages.Payload(r.Value, string(contentType))
}

func (k entities) check(ctx context.Context, present store.State, e messages.Meta, status string, deleted bool) error {
	var refused error
	switch {
	case deleted:
		return nil
	case present.Deleted:
		refused = errors.New("the entity is deleted, which is final")
	case !k.transitions.allows(present.Status, status):
		refused = fmt.Errorf("the entity cannot go from %s to %s", present.Status, status)
	default:
		return nil
	}
	if k.accepts() {
		tell(ctx, k.transitionAccepted, k.consumer, e.Topic)
		return nil
	}
	return router.GiveUp(record.ClassInvalidTransition, router.Loggable(refused))
}

func statusOr(status, otherwise string) string {
	if status == "" {
		return otherwise
	}
	return status
}
