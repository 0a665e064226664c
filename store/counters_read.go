package store

import "context"

// CountFilter chooses counts. Its zero value is all of them.
type CountFilter struct {
	// Topic is one topic; empty for all.
	Topic string
	// From and To are days, 2006-01-02, both included; empty for no bound.
	From, To string
}

// Counts returns the counts that the filter chooses, by day, topic, action and status.
func (s *Store) Counts(ctx context.Context, filter CountFilter) ([]Count, error) {
	return s.counts(ctx, `SELECT day, '', topic, action, status, events FROM event_counts WHERE `+countsChosen+`
ORDER BY day, topic, action, status`, filter.Topic, filter.From, filter.To)
}

// CountsOf returns the counts of the events of each counterpart of a role, by day, counterpart, topic, action and status. A store that a version
// before them wrote, and that is open for reading, has none.
func (s *Store) CountsOf(ctx context.Context, role string, filter CountFilter) ([]Count, error) {
	if there, err := s.has(ctx, counterpartCountTable.name); err != nil {
		return nil, unavailable("reading the counts", err)
	} else if !there {
		return nil, nil
	}
	return s.counts(ctx, `SELECT day, counterpart, topic, action, status, events FROM counterpart_counts WHERE `+countsChosen+` AND role = $4
ORDER BY day, counterpart, topic, action, status`, filter.Topic, filter.From, filter.To, role)
}

const countsChosen = "($1 = '' OR topic = $1) AND ($2 = '' OR day >= $2) AND ($3 = '' OR day <= $3)"

func (s *Store) counts(ctx context.Context, query string, arguments ...any) ([]Count, error) {
	rows, err := s.reader.QueryContext(ctx, query, arguments...)
	if err != nil {
		return nil, unavailable("reading the counts", err)
	}
	defer func() { _ = rows.Close() }()
	var counts []Count
	for rows.Next() {
		var c Count
		if err := rows.Scan(&c.Day, &c.Counterpart, &c.Topic, &c.Action, &c.Status, &c.N); err != nil {
			return nil, unavailable("reading the counts", err)
		}
		c.Counterpart, c.Action, c.Status = s.dialect.plain(c.Counterpart), s.dialect.plain(c.Action), s.dialect.plain(c.Status)
		counts = append(counts, c)
	}
	if err := rows.Err(); err != nil {
		return nil, unavailable("reading the counts", err)
	}
	return counts, nil
}
