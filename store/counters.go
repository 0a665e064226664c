package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
)

// Count is how many events of a topic had an action and a status on one day.
type Count struct {
	// Day is 2006-01-02, in whatever time zone the consumer counts.
	Day string
	// Topic is the topic's name; Action and Status are as events have them, Status empty for events that have none.
	Topic, Action, Status string
	N                     int64
}

type countKey struct{ day, topic, action, status string }

// counterSet is what a unit of work adds to the counts.
type counterSet struct{ added map[countKey]int64 }

func (s *counterSet) clean() bool { return len(s.added) == 0 }

// CounterSet is the counts within a unit of work.
type CounterSet struct {
	work *Work
	err  error
}

// Counters returns the counts within the unit of work that the context carries.
func Counters(ctx context.Context) *CounterSet {
	work, err := workOf(ctx)
	return &CounterSet{work: work, err: err}
}

// Add adds n to the count of a day (2006-01-02), topic, action and status. It is durable when the unit of work is committed, and then a
// repeat of the record adds nothing. The error is [ErrNoUnitOfWork] or [ErrEnded].
func (s *CounterSet) Add(day, topic, action, status string, n int64) error {
	if s.err != nil {
		return fmt.Errorf("adding to a count: %w", s.err)
	}
	set := &s.work.counters
	if set.added == nil {
		set.added = map[countKey]int64{}
	}
	key := countKey{day: day, topic: topic, action: action, status: status}
	set.added[key] += n
	s.work.journal = append(s.work.journal, func() {
		set.added[key] -= n
		if set.added[key] == 0 {
			delete(set.added, key)
		}
	})
	return nil
}

// statements add to the counts. They do it in one order, so that two that add to the same ones at once do not wait for each other for ever.
func (s *counterSet) statements(d dialect) []statement {
	var values []any
	for _, key := range slices.SortedFunc(maps.Keys(s.added), compareCounts) {
		values = append(values, key.day, key.topic, key.action, key.status, s.added[key])
	}
	return d.insert(&countTable, values, errMoved)
}

func compareCounts(a, b countKey) int {
	return cmp.Or(cmp.Compare(a.day, b.day), cmp.Compare(a.topic, b.topic), cmp.Compare(a.action, b.action), cmp.Compare(a.status, b.status))
}

var countTable = table{
	name:     "event_counts",
	columns:  []column{{"day", texts}, {"topic", texts}, {"action", texts}, {"status", texts}, {"events", numbers}},
	conflict: `ON CONFLICT (day, topic, action, status) DO UPDATE SET events = event_counts.events + excluded.events`,
}

// CountFilter chooses counts. Its zero value is all of them.
type CountFilter struct {
	// Topic is one topic; empty for all.
	Topic string
	// From and To are days, 2006-01-02, both included; empty for no bound.
	From, To string
}

// Counts returns the counts that the filter chooses, by day, topic, action and status.
func (s *Store) Counts(ctx context.Context, filter CountFilter) ([]Count, error) {
	const query = `SELECT day, topic, action, status, events FROM event_counts
WHERE ($1 = '' OR topic = $1) AND ($2 = '' OR day >= $2) AND ($3 = '' OR day <= $3)
ORDER BY day, topic, action, status`
	rows, err := s.reader.QueryContext(ctx, query, filter.Topic, filter.From, filter.To)
	if err != nil {
		return nil, unavailable("reading the counts", err)
	}
	defer func() { _ = rows.Close() }()
	var counts []Count
	for rows.Next() {
		var c Count
		if err := rows.Scan(&c.Day, &c.Topic, &c.Action, &c.Status, &c.N); err != nil {
			return nil, unavailable("reading the counts", err)
		}
		c.Action, c.Status = s.dialect.plain(c.Action), s.dialect.plain(c.Status)
		counts = append(counts, c)
	}
	if err := rows.Err(); err != nil {
		return nil, unavailable("reading the counts", err)
	}
	return counts, nil
}
