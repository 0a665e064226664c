package analytics

import (
	"context"
	"math"

	"github.com/prantikov/millrace/store"
)

// Rate is what became of the entities that were created on the days of a query. Created is the sum of the four others.
type Rate struct {
	Group
	Created int
	// Completed are those that reached their end: completed or delivered. Cancelled are those that were cancelled or are inactive. Deleted are
	// those that were deleted while they were open. Open are all others.
	Completed, Cancelled, Deleted, Open int
}

// CompletionRate is how many per cent of the created ones are completed, to a tenth.
func (r Rate) CompletionRate() float64 { return perCent(r.Completed, r.Created) }

// CancellationRate is how many per cent of the created ones are cancelled, to a tenth.
func (r Rate) CancellationRate() float64 { return perCent(r.Cancelled, r.Created) }

func perCent(part, of int) float64 { return math.Round(1000*float64(part)/float64(of)) / 10 }

// Rates says what became, until now, of the entities that were created on the days of the query; the day of a row is that of the creation. An
// entity whose creation was not seen counts on the day of its earliest event.
func Rates(ctx context.Context, s *store.Store, q Query) ([]Rate, error) {
	rates := map[Group]*Rate{}
	err := q.each(ctx, s, func(entity Entity, j *store.Journey) {
		at := began(j)
		if !q.has(at) {
			return
		}
		group := q.group(entity, j, at)
		rate := rates[group]
		if rate == nil {
			rate = &Rate{Group: group}
			rates[group] = rate
		}
		rate.Created++
		switch outcomeOf(j) {
		case outcomeCompleted:
			rate.Completed++
		case outcomeCancelled:
			rate.Cancelled++
		case outcomeDeleted:
			rate.Deleted++
		default:
			rate.Open++
		}
	})
	if err != nil {
		return nil, err
	}
	return values(sorted(rates, Group.compare)), nil
}

func values[T any](pointers []*T) []T {
	all := make([]T, len(pointers))
	for i, one := range pointers {
		all[i] = *one
	}
	return all
}
