package store

import (
	"context"
	"database/sql"
	"errors"
	"unicode/utf8"

	"github.com/prantikov/millrace/record"
)

// stateSource is where a unit of work finds the states that it has not looked at yet: the tables, or a fold in memory.
type stateSource interface {
	// ahead returns the states of the entities that are named as the records' keys are, of whatever type, and the ids for which it has looked:
	// what is not among the states then is not there.
	ahead(ctx context.Context, records []*record.Record) (states map[stateKey]*storedState, asked map[string]bool, err error)
	// stateOf returns the state of one entity, nil for one that is not there.
	stateOf(ctx context.Context, key stateKey) (*storedState, error)
}

var (
	_ stateSource = (*Store)(nil)
	_ stateSource = (*Fold)(nil)
)

func (s *Store) stateOf(ctx context.Context, key stateKey) (*storedState, error) {
	found, err := scanState(s.dialect, s.reads.state.QueryRowContext(ctx, s.dialect.kept(key.id), s.dialect.kept(key.kind)))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return found, err
}

// ahead asks for all of them in one query.
func (s *Store) ahead(ctx context.Context, records []*record.Record) (states map[stateKey]*storedState, asked map[string]bool, err error) {
	asked = make(map[string]bool, len(records))
	ids := make([]string, 0, len(records))
	for _, r := range records {
		if id := string(r.Key); utf8.ValidString(id) && !asked[id] {
			asked[id] = true
			ids = append(ids, id)
		}
	}
	list, err := s.dialect.list(ids)
	if err != nil {
		return nil, nil, err
	}
	rows, err := s.reads.statesByID.QueryContext(ctx, list)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = rows.Close() }()
	states = make(map[stateKey]*storedState, len(ids))
	for rows.Next() {
		state, err := scanState(s.dialect, rows)
		if err != nil {
			return nil, nil, err
		}
		states[stateKey{id: state.ID, kind: state.Type}] = state
	}
	return states, asked, rows.Err()
}
