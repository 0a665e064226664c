package store

import (
	"cmp"
	"slices"
)

// statements write the history and then the states, in one order, so that two units that change the same entities do not wait for each
// other for ever. An entity that was changed since it was looked at has these numbers in its history already: nothing is written then.
func (s *stateSet) statements(d dialect) []statement {
	changes := slices.Clone(s.history)
	slices.SortStableFunc(changes, compareStates)
	history := make([]any, 0, len(changes)*len(historyTable.columns))
	states := make([]any, 0, len(s.changed)*len(stateTable.columns))
	var base int64
	for i, change := range changes {
		if i == 0 || compareStates(changes[i-1], change) != 0 {
			base = s.base(stateKey{id: change.ID, kind: change.Type})
		}
		revision := base + change.revision
		history = append(history, change.ID, change.Type, revision, change.Status, change.Action, change.Deleted, change.Body,
			change.Topic, int64(change.Partition), change.Offset, change.Timestamp.UnixMilli())
		if i == len(changes)-1 || compareStates(change, changes[i+1]) != 0 {
			first := change.FirstSeen
			states = append(states, change.ID, change.Type, revision, change.Status, change.Action, change.Deleted, change.Body,
				change.Topic, int64(change.Partition), change.Offset, change.Timestamp.UnixMilli(), first.Topic, int64(first.Partition), first.Offset)
		}
	}
	return append(d.insert(&historyTable, history, errMoved), d.insert(&stateTable, states, errMoved)...)
}

func compareStates(a, b *storedState) int {
	return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Type, b.Type))
}

// changeColumns are those that a state and a change have both.
var changeColumns = []column{
	{"id", texts}, {"type", texts}, {"revision", numbers}, {"status", texts}, {"action", texts}, {"deleted", flags}, {"body", bodies},
	{"topic", texts}, {"partition", numbers}, {"record_offset", numbers}, {"record_time", numbers},
}

var historyTable = table{
	name: "entity_history", columns: changeColumns,
	conflict: "ON CONFLICT (id, type, revision) DO NOTHING",
}

var stateTable = table{
	name:    "entities",
	columns: slices.Concat(changeColumns, []column{{"first_topic", texts}, {"first_partition", numbers}, {"first_offset", numbers}}),
	conflict: `ON CONFLICT (id, type) DO UPDATE SET revision = excluded.revision, status = excluded.status, action = excluded.action,
deleted = excluded.deleted, body = excluded.body, topic = excluded.topic, partition = excluded.partition,
record_offset = excluded.record_offset, record_time = excluded.record_time
WHERE entities.revision < excluded.revision`,
}
