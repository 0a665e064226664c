package analytics

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/store"
)

// Query chooses what is measured, and what each row is of.
type Query struct {
	// Entity is the Name of the kind that is asked for; empty for all.
	Entity string
	// From and To are days, both included; unset for no bound.
	From, To messages.Date
	// ByDay gives each day rows of its own.
	ByDay bool
	// ByRole, doctor or pharmacy, gives each of them rows of its own, and leaves out kinds of entities that have another role. Empty: it does not.
	ByRole string
	// Zone is where a day begins and ends.
	Zone *time.Location
}

// Group is what a row is of. Entity is set always, the others where the query asks for them.
type Group struct {
	// Entity is the [Entity]'s Name.
	Entity string
	// Day is 2006-01-02.
	Day string
	// Counterpart is the doctor's or the pharmacy's id; empty where no event has named one.
	Counterpart string
}

// each calls note for the journeys that have a step within the days, kind by kind.
func (q Query) each(ctx context.Context, s *store.Store, note func(Entity, *store.Journey)) error {
	for _, entity := range Entities() {
		if q.Entity != "" && entity.Name != q.Entity || q.ByRole != "" && entity.Role != q.ByRole {
			continue
		}
		from, to := q.bounds()
		err := s.EachJourney(ctx, store.JourneyFilter{Type: entity.declared.Name(), From: from, To: to}, func(j store.Journey) error {
			note(entity, &j)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// bounds are when the first day begins and the last one ends; the zero time for none.
func (q Query) bounds() (from, to time.Time) {
	if q.To.IsSet() {
		to = endOf(q.To, q.Zone)
	}
	return q.From.In(q.Zone), to
}

// endOf is when the day after begins.
func endOf(day messages.Date, zone *time.Location) time.Time {
	return time.Date(day.Year(), day.Month(), day.Day()+1, 0, 0, 0, 0, zone)
}

// has says whether a time is within the days.
func (q Query) has(at time.Time) bool {
	from, to := q.bounds()
	return !at.Before(from) && (to.IsZero() || at.Before(to))
}

// group is what a journey counts for that has the time at that decides.
func (q Query) group(entity Entity, j *store.Journey, at time.Time) Group {
	g := Group{Entity: entity.Name}
	if q.ByDay {
		g.Day = at.In(q.Zone).Format(time.DateOnly)
	}
	if q.ByRole != "" {
		g.Counterpart = j.Counterpart.Text
	}
	return g
}

func (g Group) compare(other Group) int {
	return cmp.Or(cmp.Compare(g.Entity, other.Entity), cmp.Compare(g.Day, other.Day), cmp.Compare(g.Counterpart, other.Counterpart))
}

// sorted are the values of a map in the order of their keys.
func sorted[K comparable, V any](all map[K]V, compare func(a, b K) int) []V {
	values := make([]V, 0, len(all))
	for _, key := range slices.SortedFunc(maps.Keys(all), compare) {
		values = append(values, all[key])
	}
	return values
}
