package store

import (
	"context"
	"database/sql"
	"math"
	"strings"
	"time"
)

// JourneyFilter chooses journeys.
type JourneyFilter struct {
	// Type is the entities'.
	Type string
	// From and To are times between which at least one step must be, To itself not included; the zero time is no bound.
	From, To time.Time
}

// EachJourney calls each for the journeys that the filter chooses, in no order, while it reads them: there may be more than memory has room for. An
// error of each ends it and is returned.
func (s *Store) EachJourney(ctx context.Context, filter JourneyFilter, each func(Journey) error) error {
	var steps []string
	for _, column := range journeyTable.columns {
		if column.kind == moments {
			steps = append(steps, column.name+" >= $2 AND "+column.name+" < $3")
		}
	}
	from, to := int64(math.MinInt64), int64(math.MaxInt64)
	if !filter.From.IsZero() {
		from = filter.From.UnixMilli()
	}
	if !filter.To.IsZero() {
		to = filter.To.UnixMilli()
	}
	query := "SELECT " + journeyTable.names() + " FROM journeys WHERE type = $1 AND (" + strings.Join(steps, " OR ") + ")"
	return s.eachJourney(ctx, query, []any{filter.Type, from, to}, func(rows *sql.Rows) error {
		j, err := s.scanJourney(rows)
		if err != nil {
			return unavailable("reading the journeys", err)
		}
		return each(j)
	})
}

// OpenJourney is the journey of an entity that is still under way, and the state of the entity.
type OpenJourney struct {
	Journey
	// State has the entity's status, body and the like; its Type is empty when there is none.
	State State
}

// EachOpenJourney calls each for the journeys of a type that began before a time and were not completed, cancelled or deleted before it, in
// no order, with the entities' states. An error of each ends it and is returned.
func (s *Store) EachOpenJourney(ctx context.Context, kind string, before time.Time, each func(OpenJourney) error) error {
	const query = `SELECT journeys.type, journeys.id, journeys.counterpart, journeys.counterpart_weight, journeys.status, journeys.status_weight,
seen_at, created_at, confirmed_at, shipped_at, completed_at, cancelled_at, deleted_at,
coalesce(entities.type, ''), coalesce(entities.status, ''), entities.deleted, entities.body, coalesce(record_time, 0)
FROM journeys LEFT JOIN entities ON entities.id = journeys.id AND entities.type = journeys.type
WHERE journeys.type = $1 AND seen_at < $2 AND (completed_at IS NULL OR completed_at >= $2) AND (cancelled_at IS NULL OR cancelled_at >= $2)
AND (deleted_at IS NULL OR deleted_at >= $2)`
	return s.eachJourney(ctx, query, []any{kind, before.UnixMilli()}, func(rows *sql.Rows) error {
		var open OpenJourney
		var err error
		var milliseconds int64
		var deleted sql.NullBool
		open.Journey, err = s.scanJourney(rows, &open.State.Type, &open.State.Status, &deleted, &open.State.Body, &milliseconds)
		if err != nil {
			return unavailable("reading the journeys", err)
		}
		open.State.ID, open.State.Deleted, open.State.Timestamp = open.ID, deleted.Bool, time.UnixMilli(milliseconds).UTC()
		open.State.Type, open.State.Status = s.dialect.plain(open.State.Type), s.dialect.plain(open.State.Status)
		return each(open)
	})
}

// eachJourney runs a query. A store that a version before journeys wrote, and that is open for reading, has none.
func (s *Store) eachJourney(ctx context.Context, query string, arguments []any, each func(*sql.Rows) error) error {
	if there, err := s.has(ctx, journeyTable.name); err != nil {
		return unavailable("reading the journeys", err)
	} else if !there {
		return nil
	}
	rows, err := s.reader.QueryContext(ctx, query, arguments...)
	if err != nil {
		return unavailable("reading the journeys", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := each(rows); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return unavailable("reading the journeys", err)
	}
	return nil
}

// scanJourney scans the columns of a journey, and what stands behind them.
func (s *Store) scanJourney(rows *sql.Rows, behind ...any) (Journey, error) {
	var j Journey
	var at [7]sql.NullInt64
	into := []any{&j.Type, &j.ID, &j.Counterpart.Text, &j.Counterpart.Weight, &j.Status.Text, &j.Status.Weight}
	for i := range at {
		into = append(into, &at[i])
	}
	if err := rows.Scan(append(into, behind...)...); err != nil {
		return Journey{}, err
	}
	plain := s.dialect.plain
	j.Type, j.ID, j.Counterpart.Text, j.Status.Text = plain(j.Type), plain(j.ID), plain(j.Counterpart.Text), plain(j.Status.Text)
	for i, step := range []*time.Time{&j.Seen, &j.Created, &j.Confirmed, &j.Shipped, &j.Completed, &j.Cancelled, &j.Deleted} {
		if at[i].Valid {
			*step = time.UnixMilli(at[i].Int64).UTC()
		}
	}
	return j, nil
}
