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
	// Counterpart is who has part in the events besides the patient; empty where none is named, and where the counts are of all.
	Counterpart string
	// Topic is the topic's name; Action and Status are as events have them, Status empty for events that have none.
	Topic, Action, Status string
	N                     int64
}

// countKey is what is counted apart. The counts of all have no role.
type countKey struct{ day, role, counterpart, topic, action, status string }

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
	return s.add(countKey{day: day, topic: topic, action: action, status: status}, n)
}

// AddFor adds n to the count of the events of one counterpart, and nothing to what [CounterSet.Add] counts. The role says what the counterpart
// is, for example doctor; the counterpart is empty for events that name none.
func (s *CounterSet) AddFor(role, counterpart, day, topic, action, status string, n int64) error {
	return s.add(countKey{day: day, role: role, counterpart: counterpart, topic: topic, action: action, status: status}, n)
}

func (s *CounterSet) add(key countKey, n int64) error {
	if s.err != nil {
		return fmt.Errorf("adding to a count: %w", s.err)
	}
	set := &s.work.counters
	if set.added == nil {
		set.added = map[countKey]int64{}
	}
	set.added[key] += n
	s.work.journal = append(s.work.journal, func() {
		set.added[key] -= n
		if set.added[key] == 0 {
			delete(set.added, key)
		}
	})
	return nil
}

// statements add to the counts. They do it in one order, so that two that add to the same ones at once do not wait for each other for ever; those
// of all come last, for every unit adds to the same few.
func (s *counterSet) statements(d dialect) []statement {
	var all, each []any
	for _, key := range slices.SortedFunc(maps.Keys(s.added), compareCounts) {
		if key.role == "" {
			all = append(all, key.day, key.topic, key.action, key.status, s.added[key])
		} else {
			each = append(each, key.day, key.role, key.counterpart, key.topic, key.action, key.status, s.added[key])
		}
	}
	return append(d.insert(&counterpartCountTable, each, errMoved), d.insert(&countTable, all, errMoved)...)
}

func compareCounts(a, b countKey) int {
	return cmp.Or(cmp.Compare(a.day, b.day), cmp.Compare(a.role, b.role), cmp.Compare(a.counterpart, b.counterpart),
		cmp.Compare(a.topic, b.topic), cmp.Compare(a.action, b.action), cmp.Compare(a.status, b.status))
}

var countTable = table{
	name:     "event_counts",
	columns:  []column{{"day", texts}, {"topic", texts}, {"action", texts}, {"status", texts}, {"events", numbers}},
	conflict: `ON CONFLICT (day, topic, action, status) DO UPDATE SET events = event_counts.events + excluded.events`,
}

var counterpartCountTable = table{
	name: "counterpart_counts",
	columns: []column{
		{"day", texts}, {"role", texts}, {"counterpart", texts}, {"topic", texts}, {"action", texts}, {"status", texts}, {"events", numbers},
	},
	conflict: `ON CONFLICT (day, role, counterpart, topic, action, status) DO UPDATE SET events = counterpart_counts.events + excluded.events`,
}
