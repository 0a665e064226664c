package store

import "context"

// Change is one change of an entity: its state as one record left it.
type Change struct {
	State
	// Revision numbers an entity's changes from 1 on. The first one is greater for an entity that was there before its history was kept.
	Revision int64
}

// History returns the changes of one entity in the order in which they were made. Their FirstSeen is empty. The error is one that
// [Unavailable] knows.
func (s *Store) History(ctx context.Context, kind, id string) ([]Change, error) {
	const query = `SELECT id, type, status, action, deleted, body, topic, partition, record_offset, record_time, '', 0, 0, revision
FROM entity_history WHERE id = $1 AND type = $2 ORDER BY revision`
	rows, err := s.reader.QueryContext(ctx, query, s.dialect.kept(id), s.dialect.kept(kind))
	if err != nil {
		return nil, unavailable("reading the history of an entity", err)
	}
	defer func() { _ = rows.Close() }()
	var changes []Change
	for rows.Next() {
		found, err := scanState(s.dialect, rows)
		if err != nil {
			return nil, unavailable("reading the history of an entity", err)
		}
		changes = append(changes, Change{State: found.State, Revision: found.revision})
	}
	if err := rows.Err(); err != nil {
		return nil, unavailable("reading the history of an entity", err)
	}
	return changes, nil
}

// Latest returns the current state of one entity as its last change, with its FirstSeen; ok is false when it has none. The error is one that
// [Unavailable] knows.
func (s *Store) Latest(ctx context.Context, kind, id string) (last Change, ok bool, err error) {
	found, err := s.stateOf(ctx, stateKey{id: id, kind: kind})
	if err != nil {
		return Change{}, false, unavailable("reading an entity", err)
	}
	if found == nil {
		return Change{}, false, nil
	}
	return Change{State: found.State, Revision: found.revision}, true, nil
}
