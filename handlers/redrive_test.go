package handlers_test

import (
	"testing"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
)

// Ensure an event that comes back from a dead letter after its entity has gone on takes back none of that: each later event has the whole of the
// entity. A deletion counts whenever it comes.
func TestEventThatComesBackLate(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		late           [2]string // action and status of the event that comes back
		meantime       [][2]string
		outcome        record.Outcome
		status, action string
		deleted        bool
	}{
		"nothing came meanwhile":     {[2]string{"created", "pending"}, nil, record.Done, "pending", "created", false},
		"the entity has gone on":     {[2]string{"created", "pending"}, [][2]string{{"shipped", "shipped"}}, record.Skipped, "shipped", "shipped", false},
		"an update passed it":        {[2]string{"updated", "pending"}, [][2]string{{"updated", "pending"}}, record.Skipped, "pending", "updated", false},
		"the entity was deleted":     {[2]string{"updated", "pending"}, [][2]string{{"created", "pending"}, {"deleted", ""}}, record.Skipped, "pending", "deleted", true},
		"the late one is a deletion": {[2]string{"deleted", ""}, [][2]string{{"updated", "processing"}}, record.Done, "processing", "deleted", true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			orders := domains()[2]
			p := setup(t, options{redrive: "orders-redrive"})
			late := p.place(orders.event("ord-1", messages.Action(test.late[0]), test.late[1]))[0]
			for _, event := range test.meantime {
				done(t, p.deliver("orders", orders.event("ord-1", messages.Action(event[0]), event[1])))
			}
			back := record.Redrive{Original: late, Letter: record.Position{Topic: "order-events-dlt"}}.On("orders-redrive")
			result := p.deliver("orders", back)[0]
			if result.Outcome != test.outcome || test.outcome == record.Skipped && result.Reason != "superseded" {
				t.Errorf("got %s (%s), want %s", result.Outcome, result.Reason, test.outcome)
			}
			got := p.entity(orders.declared, "ord-1")
			if got.Status != test.status || got.Action != test.action || got.Deleted != test.deleted {
				t.Errorf("got %s after %s, deleted %t, want %s after %s, %t", got.Status, got.Action, got.Deleted, test.status, test.action, test.deleted)
			}
			if test.outcome == record.Done && (got.Offset != late.Offset || got.Topic != late.Topic) {
				t.Errorf("got position %s/%d, want that of the event", got.Topic, got.Offset)
			}
		})
	}
}

// Ensure what comes back has its progress on the redrive topic: the same record again, as after a crash, changes nothing.
func TestEventThatComesBackTwiceCountsOnce(t *testing.T) {
	t.Parallel()
	orders := domains()[2]
	p := setup(t, options{redrive: "orders-redrive"})
	late := p.place(orders.event("ord-1", messages.Created, "pending"))[0]
	back := p.place(record.Redrive{Original: late, Letter: record.Position{Topic: "order-events-dlt"}}.On("orders-redrive"))[0]
	done(t, p.redeliver("orders", "first", back))
	p = p.restart()
	if got := p.redeliver("orders", "second", back)[0]; got.Outcome != record.Done || got.Reason != "repeated" {
		t.Errorf("got %+v, want it known as repeated", got)
	}
	history, err := p.store.History(t.Context(), orders.declared.Name(), "ord-1")
	if err != nil || len(history) != 1 {
		t.Errorf("got %d changes, %v, want one", len(history), err)
	}
}
