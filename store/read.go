package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/prantikov/millrace/progress"
)

// reads are the queries that units of work run all the time.
type reads struct{ state, statesByID *sql.Stmt }

func prepareReads(ctx context.Context, d dialect, reader *sql.DB) (r reads, err error) {
	if r.state, err = reader.PrepareContext(ctx, selectState); err != nil {
		return r, err
	}
	r.statesByID, err = reader.PrepareContext(ctx, selectStatesByID+d.isOneOf)
	return r, err
}

func (r reads) close() error {
	var errs []error
	for _, prepared := range []*sql.Stmt{r.state, r.statesByID} {
		if prepared != nil {
			errs = append(errs, prepared.Close())
		}
	}
	return errors.Join(errs...)
}

// Entity returns the committed state of one entity; ok is false when it has none. The error is one that [Unavailable] knows.
func (s *Store) Entity(ctx context.Context, kind, id string) (state State, ok bool, err error) {
	found, err := s.stateOf(ctx, stateKey{id: id, kind: kind})
	if err != nil {
		return State{}, false, unavailable("reading an entity", err)
	}
	if found == nil {
		return State{}, false, nil
	}
	return found.State, true, nil
}

// EntityCounts returns how many entities there are of each type, those that are marked deleted included. It reads all of them.
func (s *Store) EntityCounts(ctx context.Context) (map[string]int64, error) {
	rows, err := s.reader.QueryContext(ctx, "SELECT type, count(*) FROM entities GROUP BY type")
	if err != nil {
		return nil, unavailable("counting entities", err)
	}
	defer func() { _ = rows.Close() }()
	counts := map[string]int64{}
	for rows.Next() {
		var kind string
		var count int64
		if err := rows.Scan(&kind, &count); err != nil {
			return nil, unavailable("counting entities", err)
		}
		counts[kind] = count
	}
	if err := rows.Err(); err != nil {
		return nil, unavailable("counting entities", err)
	}
	return counts, nil
}

// Progress is one consumer's progress row of one partition.
type Progress struct {
	Consumer, Topic string
	Partition       int32
	// Epoch counts how often the partition was taken.
	Epoch int64
	// Frontier is the lowest offset that is not known to be finished; Done is what is finished above it.
	Frontier int64
	Done     progress.DoneSet
}

// Progress returns the progress rows of a consumer, or of all when it is empty, by consumer, topic and partition.
func (s *Store) Progress(ctx context.Context, consumer string) ([]Progress, error) {
	all, err := progressOf(ctx, s.reader, consumer)
	if err != nil {
		return nil, unavailable("reading the progress", err)
	}
	return all, nil
}

// progressOf reads progress rows by a pool, or on one connection.
func progressOf(ctx context.Context, by interface {
	QueryContext(ctx context.Context, query string, arguments ...any) (*sql.Rows, error)
}, consumer string) ([]Progress, error) {
	rows, err := by.QueryContext(ctx, `SELECT consumer, topic, partition, epoch, frontier, done FROM progress
WHERE $1 = '' OR consumer = $1 ORDER BY consumer, topic, partition`, consumer)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var all []Progress
	for rows.Next() {
		var p Progress
		var text string
		if err := rows.Scan(&p.Consumer, &p.Topic, &p.Partition, &p.Epoch, &p.Frontier, &text); err != nil {
			return nil, err
		}
		if p.Done, err = readDone(text); err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, rows.Err()
}
