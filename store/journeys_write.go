package store

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

// statements add to the journeys, in one order, so that two units that add to the same ones do not wait for each other for ever. The database makes
// one of what it has and what is added, so nothing is read before.
func (s *journeySet) statements(d dialect) []statement {
	values := make([]any, 0, len(s.added)*len(journeyTable.columns))
	for _, key := range slices.SortedFunc(maps.Keys(s.added), compareJourneys) {
		j := s.added[key]
		values = append(values, j.Type, j.ID, j.Counterpart.Text, j.Counterpart.Weight, j.Status.Text, j.Status.Weight,
			moment(j.Seen), moment(j.Created), moment(j.Confirmed), moment(j.Shipped), moment(j.Completed), moment(j.Cancelled), moment(j.Deleted))
	}
	return d.insert(&journeyTable, values, errMoved)
}

func compareJourneys(a, b journeyKey) int {
	return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.id, b.id))
}

// moment is a time as a column has it: nil for never.
func moment(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMilli()
}

var journeyTable = table{
	name: "journeys",
	columns: []column{
		{"type", texts}, {"id", texts}, {"counterpart", texts}, {"counterpart_weight", numbers}, {"status", texts}, {"status_weight", numbers},
		{"seen_at", moments}, {"created_at", moments}, {"confirmed_at", moments}, {"shipped_at", moments}, {"completed_at", moments},
		{"cancelled_at", moments}, {"deleted_at", moments},
	},
	conflict: "ON CONFLICT (type, id) DO UPDATE SET " + strings.Join([]string{
		setWeightier("counterpart"), setWeightier("status"),
		setEarlier("seen_at"), setEarlier("created_at"), setEarlier("confirmed_at"), setEarlier("shipped_at"), setEarlier("completed_at"),
		setEarlier("cancelled_at"), setEarlier("deleted_at"),
	}, ", "),
}

// setWeightier is [weightier] in SQL.
func setWeightier(word string) string {
	choose := func(column string) string {
		return column + " = CASE WHEN (excluded." + word + "_weight, excluded." + word + ") > (journeys." + word + "_weight, journeys." + word + ") " +
			"THEN excluded." + column + " ELSE journeys." + column + " END"
	}
	return choose(word) + ", " + choose(word+"_weight")
}

// setEarlier is [earlier] in SQL: what is compared with NULL is not so.
func setEarlier(column string) string {
	return column + " = CASE WHEN journeys." + column + " <= excluded." + column + " THEN journeys." + column +
		" ELSE coalesce(excluded." + column + ", journeys." + column + ") END"
}
