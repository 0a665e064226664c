package analytics

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/prantikov/millrace/store"
)

// Duration is how long entities took from one step to another.
type Duration struct {
	Group
	// From and To are the steps: booked, confirmed, completed, ordered, shipped, delivered.
	From, To string
	// Count is how many durations the others are made of. Median and P90 lie between the two nearest ones where none is in the place, as
	// PostgreSQL's percentile_cont has it.
	Count             int
	Median, P90, Mean time.Duration
	// Backwards are those that were left out because the second step has an earlier time than the first one: somebody's clock is wrong.
	Backwards int
}

type spanKey struct {
	Group
	// place is the span's among those of its entity.
	place int
}

func compareSpans(a, b spanKey) int {
	return cmp.Or(a.Group.compare(b.Group), cmp.Compare(a.place, b.place))
}

// taken has the durations of one row, in milliseconds.
type taken struct {
	Duration
	all []int64
}

// Durations measures the steps that were reached on the days of the query; the day of a row is that of the second step. An entity of which one of
// both steps was not seen has no such duration.
func Durations(ctx context.Context, s *store.Store, q Query) ([]Duration, error) {
	found := map[spanKey]*taken{}
	err := q.each(ctx, s, func(entity Entity, j *store.Journey) {
		for place, span := range entity.spans {
			begin, ended := *span.begin(j), *span.ended(j)
			if begin.IsZero() || ended.IsZero() || !q.has(ended) {
				continue
			}
			key := spanKey{Group: q.group(entity, j, ended), place: place}
			row := found[key]
			if row == nil {
				row = &taken{Duration: Duration{Group: key.Group, From: span.from, To: span.to}}
				found[key] = row
			}
			if ended.Before(begin) {
				row.Backwards++
			} else {
				row.all = append(row.all, ended.Sub(begin).Milliseconds())
			}
		}
	})
	if err != nil {
		return nil, err
	}
	var durations []Duration
	for _, row := range sorted(found, compareSpans) {
		durations = append(durations, row.measure())
	}
	return durations, nil
}

func (t *taken) measure() Duration {
	t.Count = len(t.all)
	if t.Count == 0 {
		return t.Duration
	}
	slices.Sort(t.all)
	sum := 0.0
	for _, one := range t.all {
		sum += float64(one)
	}
	t.Median, t.P90, t.Mean = milliseconds(quantile(t.all, 0.5)), milliseconds(quantile(t.all, 0.9)), milliseconds(sum/float64(t.Count))
	return t.Duration
}

// quantile is what a part of the sorted values does not exceed.
func quantile(ordered []int64, part float64) float64 {
	place := part * float64(len(ordered)-1)
	below := int(place)
	if below == len(ordered)-1 {
		return float64(ordered[below])
	}
	return float64(ordered[below]) + (place-float64(below))*float64(ordered[below+1]-ordered[below])
}

func milliseconds(n float64) time.Duration { return time.Duration(math.Round(n)) * time.Millisecond }
