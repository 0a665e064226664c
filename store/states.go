package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"

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

// storedState is a state with the number of times that it was written; 0 for an entity without a row.
type storedState struct {
	State
	revision int64
}

// stateSet is the entities that a unit of work has looked at and changed.
type stateSet struct {
	// loaded is what the store has, as of when it was asked: revision 0 for nothing.
	loaded map[stateKey]storedState
	// asked has the ids for which the store was asked whatever their type: what is not in loaded then is not there.
	asked   map[string]bool
	changed map[stateKey]State
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
	if state, ok := set.changed[key]; ok {
		return state, true, nil
	}
	if err := s.work.load(s.ctx, key); err != nil {
		return State{}, false, unavailable("reading a state", err)
	}
	found := set.loaded[key]
	return found.State, found.revision > 0, nil
}

// Put sets an entity's state. It is durable when the unit of work is committed. Put panics where Get returns [ErrNoUnitOfWork] or
// [ErrEnded]: the state would be lost.
func (s *StateSet) Put(state State) {
	if s.err != nil {
		panic(fmt.Errorf("putting a state: %w", s.err))
	}
	set := &s.work.states
	key := stateKey{id: state.ID, kind: state.Type}
	before, had := set.changed[key]
	if set.changed == nil {
		set.changed = map[stateKey]State{}
	}
	switch stored := set.loaded[key]; {
	case had:
		state.FirstSeen = before.FirstSeen
	case stored.revision > 0:
		state.FirstSeen = stored.FirstSeen
	case state.FirstSeen == record.Position{}:
		state.FirstSeen = record.Position{Topic: state.Topic, Partition: state.Partition, Offset: state.Offset}
	}
	set.changed[key] = state
	s.work.journal = append(s.work.journal, func() {
		if had {
			set.changed[key] = before
		} else {
			delete(set.changed, key)
		}
	})
}

// load makes sure that the entity is among those that were looked at.
func (w *Work) load(ctx context.Context, key stateKey) error {
	set, reads := &w.states, w.unit.store.reads
	if set.loaded == nil {
		if err := set.loadByKeys(ctx, reads.statesByID, w.records); err != nil {
			return err
		}
	}
	if _, ok := set.loaded[key]; ok || set.asked[key.id] {
		return nil
	}
	found, err := scanState(reads.state.QueryRowContext(ctx, key.id, key.kind))
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	set.loaded[key] = found
	return nil
}

// loadChanged looks at the entities that were put without a look.
func (w *Work) loadChanged(ctx context.Context) error {
	for key := range w.states.changed {
		if err := w.load(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

// loadByKeys loads the entities that are named as the records' keys are, of whatever type.
func (s *stateSet) loadByKeys(ctx context.Context, query *sql.Stmt, records []*record.Record) error {
	loaded, asked := map[stateKey]storedState{}, make(map[string]bool, len(records))
	ids := make([]string, 0, len(records))
	for _, r := range records {
		if id := string(r.Key); utf8.ValidString(id) && !asked[id] {
			asked[id] = true
			ids = append(ids, id)
		}
	}
	list, err := json.Marshal(ids)
	if err != nil {
		return err
	}
	rows, err := query.QueryContext(ctx, string(list))
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		found, err := scanState(rows)
		if err != nil {
			return err
		}
		loaded[stateKey{id: found.ID, kind: found.Type}] = found
	}
	if err := rows.Err(); err != nil {
		return err
	}
	s.loaded, s.asked = loaded, asked
	return nil
}

const stateColumns = `id, type, status, action, deleted, body, topic, partition, record_offset, record_time,
first_topic, first_partition, first_offset, revision`

const (
	selectState      = "SELECT " + stateColumns + " FROM entities WHERE id = ? AND type = ?"
	selectStatesByID = "SELECT " + stateColumns + " FROM entities WHERE id IN (SELECT value FROM json_each(?))"
)

func scanState(row interface{ Scan(into ...any) error }) (storedState, error) {
	var s storedState
	var milliseconds int64
	err := row.Scan(&s.ID, &s.Type, &s.Status, &s.Action, &s.Deleted, &s.Body, &s.Topic, &s.Partition, &s.Offset, &milliseconds,
		&s.FirstSeen.Topic, &s.FirstSeen.Partition, &s.FirstSeen.Offset, &s.revision)
	if err != nil {
		return storedState{}, err
	}
	s.Timestamp = time.UnixMilli(milliseconds).UTC()
	return s, nil
}

// statesPerStatement is how many entities one statement writes: more save nothing.
const statesPerStatement = 32

// write upserts what was changed. A row that is not as it was when it was looked at is not written, and the count of rows tells.
func (s *stateSet) write(out *writer) error {
	arguments := make([]any, 0, statesPerStatement*14)
	waiting := int64(0)
	flush := func() error {
		written, err := out.exec(upsertStates(int(waiting)), arguments...)
		if err == nil && written != waiting {
			err = errMoved
		}
		arguments, waiting = arguments[:0], 0
		return err
	}
	for key, state := range s.changed {
		arguments = append(arguments, state.ID, state.Type, state.Status, state.Action, state.Deleted, string(state.Body),
			state.Topic, state.Partition, state.Offset, state.Timestamp.UnixMilli(),
			state.FirstSeen.Topic, state.FirstSeen.Partition, state.FirstSeen.Offset, s.loaded[key].revision+1)
		waiting++
		if waiting == statesPerStatement {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if waiting == 0 {
		return nil
	}
	return flush()
}

func upsertStates(rows int) string {
	const row = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	return "INSERT INTO entities (" + stateColumns + ") VALUES " + row + strings.Repeat(", "+row, rows-1) + `
ON CONFLICT (id, type) DO UPDATE SET status = excluded.status, action = excluded.action, deleted = excluded.deleted,
body = excluded.body, topic = excluded.topic, partition = excluded.partition, record_offset = excluded.record_offset,
record_time = excluded.record_time, revision = excluded.revision
WHERE entities.revision = excluded.revision - 1`
}
