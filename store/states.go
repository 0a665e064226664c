package store

import (
	"context"
	"fmt"
	"time"

	"github.com/prantikov/millrace/record"
)

// State is the current state of one entity.
type State struct {
	// Type and ID name the entity. The type is whatever the consumer calls it.
	Type, ID string
	// Status is the entity's own; empty when it has none. Action is the last one.
	Status, Action string
	Deleted        bool
	// Body is the entity as JSON, patient data and all. It is not changed after Put or Get.
	Body []byte
	// Topic, Partition and Offset are the position of the record that made this state. Timestamp is the record's, in milliseconds.
	Topic     string
	Partition int32
	Offset    int64
	Timestamp time.Time
	// FirstSeen is the first record of the entity that was seen. The store keeps it: a Put that leaves it empty, or says otherwise of an
	// entity that is there, does not change it.
	FirstSeen record.Position
}

type stateKey struct{ id, kind string }

// storedState is a state with its number in the entity's history, from 1 on. It is not changed once it was made.
type storedState struct {
	State
	revision int64
}

// stateSet is the entities that a unit of work has looked at and changed.
type stateSet struct {
	// loaded is what the store has, as of when it was asked: nil for nothing.
	loaded map[stateKey]*storedState
	// asked has the ids for which the store was asked whatever their type: what is not in loaded then is not there.
	asked map[string]bool
	// changed has the last change of each entity, history every change in the order in which they were made. Their revisions count this unit's
	// changes of the entity, from 1 on.
	changed map[stateKey]*storedState
	history []*storedState
}

// base is the revision of an entity before this unit of work.
func (s *stateSet) base(key stateKey) int64 {
	if stored := s.loaded[key]; stored != nil {
		return stored.revision
	}
	return 0
}

func (s *stateSet) clean() bool { return len(s.changed) == 0 }

// StateSet is the entities' states within a unit of work.
type StateSet struct {
	ctx  context.Context
	work *Work
	err  error
}

// States returns the entities' states within the unit of work that the context carries.
func States(ctx context.Context) *StateSet {
	work, err := workOf(ctx)
	return &StateSet{ctx: ctx, work: work, err: err}
}

// Get returns an entity's state, with what this unit of work has put; ok is false when it has none. The first Get loads the states of
// all records of the unit in one query, by their keys; an entity that is named otherwise costs a query of its own.
//
// The error is one that [Unavailable] knows, [ErrNoUnitOfWork] or [ErrEnded].
func (s *StateSet) Get(kind, id string) (state State, ok bool, err error) {
	if s.err != nil {
		return State{}, false, fmt.Errorf("reading a state: %w", s.err)
	}
	key := stateKey{id: id, kind: kind}
	set := &s.work.states
	found := set.changed[key]
	if found == nil {
		if found, err = s.work.load(s.ctx, key); err != nil {
			return State{}, false, unavailable("reading a state", err)
		}
	}
	if found == nil {
		return State{}, false, nil
	}
	return found.State, true, nil
}

// Put sets an entity's state, and adds it to the entity's history. It is durable when the unit of work is committed. Put panics where Get
// returns [ErrNoUnitOfWork] or [ErrEnded]: the state would be lost.
func (s *StateSet) Put(state State) {
	if s.err != nil {
		panic(fmt.Errorf("putting a state: %w", s.err))
	}
	set := &s.work.states
	key := stateKey{id: state.ID, kind: state.Type}
	before := set.changed[key]
	if set.changed == nil {
		set.changed = map[stateKey]*storedState{}
	}
	change := &storedState{State: state, revision: 1}
	if before != nil {
		change.FirstSeen, change.revision = before.FirstSeen, before.revision+1
	} else if stored := set.loaded[key]; stored != nil {
		change.FirstSeen = stored.FirstSeen
	} else if state.FirstSeen == (record.Position{}) {
		change.FirstSeen = record.Position{Topic: state.Topic, Partition: state.Partition, Offset: state.Offset}
	}
	set.changed[key] = change
	set.history = append(set.history, change)
	s.work.journal = append(s.work.journal, func() {
		set.history = set.history[:len(set.history)-1]
		if before != nil {
			set.changed[key] = before
		} else {
			delete(set.changed, key)
		}
	})
}

// load returns an entity's state as the store has it, nil for none, and looks there once.
func (w *Work) load(ctx context.Context, key stateKey) (*storedState, error) {
	set := &w.states
	if set.loaded == nil {
		loaded, asked, err := w.source.ahead(ctx, w.records)
		if err != nil {
			return nil, err
		}
		set.loaded, set.asked = loaded, asked
	}
	if found, looked := set.loaded[key]; looked || set.asked[key.id] {
		return found, nil
	}
	found, err := w.source.stateOf(ctx, key)
	if err != nil {
		return nil, err
	}
	set.loaded[key] = found
	return found, nil
}

// loadChanged looks at the entities that were put without a look.
func (w *Work) loadChanged(ctx context.Context) error {
	for key := range w.states.changed {
		if _, err := w.load(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

const stateColumns = `id, type, status, action, deleted, body, topic, partition, record_offset, record_time,
first_topic, first_partition, first_offset, revision`

const (
	selectState      = "SELECT " + stateColumns + " FROM entities WHERE id = $1 AND type = $2"
	selectStatesByID = "SELECT " + stateColumns + " FROM entities WHERE id "
)

// scanner is a row, or the present one of several.
type scanner interface{ Scan(into ...any) error }

func scanState(d dialect, row scanner) (*storedState, error) {
	s := &storedState{}
	var milliseconds int64
	err := row.Scan(&s.ID, &s.Type, &s.Status, &s.Action, &s.Deleted, &s.Body, &s.Topic, &s.Partition, &s.Offset, &milliseconds,
		&s.FirstSeen.Topic, &s.FirstSeen.Partition, &s.FirstSeen.Offset, &s.revision)
	if err != nil {
		return nil, err
	}
	s.ID, s.Type, s.Status, s.Action = d.plain(s.ID), d.plain(s.Type), d.plain(s.Status), d.plain(s.Action)
	s.Timestamp = time.UnixMilli(milliseconds).UTC()
	return s, nil
}
