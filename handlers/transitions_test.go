package handlers_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
)

// Ensure the whole table: from each status to each, the contract's transitions pass and no others.
func TestStatusTransitions(t *testing.T) {
	t.Parallel()
	for _, d := range domains() {
		t.Run(d.consumer, func(t *testing.T) {
			t.Parallel()
			p := setup(t, options{})
			for _, from := range d.statuses {
				for _, to := range d.statuses {
					id := from + "-" + to
					done(t, p.deliver(d.consumer, d.event(id, messages.Created, from)))
					got := p.deliver(d.consumer, d.event(id, messages.Updated, to))[0]
					want, kept := record.Result{Outcome: record.Done, Attempts: 1}, to
					if from != to && !slices.Contains(d.allowed, from+" "+to) {
						want = record.Result{Outcome: record.DeadLettered, Class: record.ClassInvalidTransition, Attempts: 1}
						kept = from
					}
					if got != want {
						t.Errorf("%s to %s: got %+v, want %+v", from, to, got, want)
					}
					if got := p.entity(d.declared, id).Status; got != kept {
						t.Errorf("%s to %s: the state has %q, want %q", from, to, got, kept)
					}
				}
			}
			if len(p.accepted) != 0 {
				t.Errorf("accepted: got %v, want none by default", p.accepted)
			}
		})
	}
}

// Ensure the table is read right: of a status that the contract calls final there is no way out.
func TestFinalStatuses(t *testing.T) {
	t.Parallel()
	want := map[string][]string{
		"appointments": {"completed", "cancelled"}, "prescriptions": {"completed"}, "orders": {"delivered"},
	}
	for _, d := range domains() {
		var got []string
		for _, status := range d.statuses {
			if !slices.ContainsFunc(d.allowed, func(pair string) bool { return strings.HasPrefix(pair, status+" ") }) {
				got = append(got, status)
			}
		}
		if !slices.Equal(got, want[d.consumer]) {
			t.Errorf("%s: got final statuses %q, want %q", d.consumer, got, want[d.consumer])
		}
	}
}

// Ensure the action does not matter where the status decides.
func TestActionsThatImplyAStatusKeepToTheTable(t *testing.T) {
	t.Parallel()
	appointments, prescriptions, orders := domains()[0], domains()[1], domains()[2]
	tests := []struct {
		name   string
		d      domain
		from   string
		action messages.Action
	}{
		{"a completed appointment is not cancelled", appointments, "completed", messages.Cancelled},
		{"a completed prescription is not cancelled", prescriptions, "completed", messages.Cancelled},
		{"a delivered order is not shipped", orders, "delivered", messages.Shipped},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := setup(t, options{})
			done(t, p.deliver(test.d.consumer, test.d.event("e-1", messages.Created, test.from)))
			got := p.deliver(test.d.consumer, test.d.event("e-1", test.action, ""))[0]
			if got.Class != record.ClassInvalidTransition || got.Attempts != 1 {
				t.Errorf("got %s of class %q after %d tries, want class invalid_transition at once", got.Outcome, got.Class, got.Attempts)
			}
		})
	}
}

func TestDeletedIsFinal(t *testing.T) {
	t.Parallel()
	for _, d := range domains() {
		t.Run(d.consumer, func(t *testing.T) {
			t.Parallel()
			p := setup(t, options{})
			status := ""
			if len(d.statuses) > 0 {
				status = d.statuses[len(d.statuses)-1]
			}
			done(t, p.deliver(d.consumer, d.event("e-1", messages.Created, status), d.event("e-1", messages.Deleted, "")))
			for _, action := range d.declared.Actions() {
				got := p.deliver(d.consumer, d.event("e-1", action, status))[0]
				if action == messages.Deleted {
					done(t, []record.Result{got}) // the same again
				} else if got.Class != record.ClassInvalidTransition || got.Attempts != 1 {
					t.Errorf("%s after deleted: got %s of class %q, want class invalid_transition at once", action, got.Outcome, got.Class)
				}
			}
			if got := p.entity(d.declared, "e-1"); !got.Deleted || got.Action != "deleted" {
				t.Errorf("got deleted %t by action %s, want the row marked", got.Deleted, got.Action)
			}
		})
	}
}

// Ensure every status can be deleted: deleting is no transition.
func TestEveryStatusCanBeDeleted(t *testing.T) {
	t.Parallel()
	p := setup(t, options{})
	for _, d := range domains() {
		for _, status := range append([]string{""}, d.statuses...) {
			id := "e-" + status
			done(t, p.deliver(d.consumer, d.event(id, messages.Created, status), d.event(id, messages.Deleted, "")))
			if got := p.entity(d.declared, id); !got.Deleted || got.Status != status {
				t.Errorf("%s %q: got deleted %t with status %q, want it deleted with its status", d.consumer, status, got.Deleted, got.Status)
			}
		}
	}
}

// Ensure a refused record harms nobody: its neighbours in the batch flow on, and the state is that of the last good one.
func TestRefusedTransitionIsUndoneAlone(t *testing.T) {
	t.Parallel()
	p := setup(t, options{})
	orders := domains()[2]
	last := orders.event("ord-1", messages.Delivered, "delivered")
	results := p.deliver("orders",
		orders.event("ord-1", messages.Created, "shipped"), orders.event("ord-1", messages.Updated, "pending"),
		orders.event("ord-2", messages.Created, "pending"), last)
	var got []string
	for _, result := range results {
		got = append(got, result.Outcome.String())
	}
	if want := []string{"done", "dead_letter", "done", "done"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if state := p.entity(orders.declared, "ord-1"); state.Status != "delivered" || state.Offset != 3 {
		t.Errorf("got status %q of offset %d, want delivered of 3", state.Status, state.Offset)
	}
	if len(p.letters.written) != 1 {
		t.Fatalf("got %d dead letters, want 1", len(p.letters.written))
	}
	letter := p.letters.written[0]
	if letter.Record.Offset != 1 || letter.Consumer != "orders" || letter.Handler != "handlers.orders.updated" || letter.Class != record.ClassInvalidTransition {
		t.Errorf("got dead letter of offset %d by %s in %s, class %s, want 1, orders, handlers.orders.updated, invalid_transition",
			letter.Record.Offset, letter.Consumer, letter.Handler, letter.Class)
	}
}

func TestPolicyAcceptLetsEveryTransitionPassAndCountsIt(t *testing.T) {
	t.Parallel()
	for _, d := range domains() {
		t.Run(d.consumer, func(t *testing.T) {
			t.Parallel()
			p := setup(t, options{accept: true})
			want := 0
			for _, from := range d.statuses {
				for _, to := range d.statuses {
					id := from + "-" + to
					done(t, p.deliver(d.consumer, d.event(id, messages.Created, from), d.event(id, messages.Updated, to)))
					if got := p.entity(d.declared, id).Status; got != to {
						t.Errorf("%s to %s: got status %q, want %q", from, to, got, to)
					}
					if from != to && !slices.Contains(d.allowed, from+" "+to) {
						want++
					}
				}
			}
			done(t, p.deliver(d.consumer, d.event("e-1", messages.Deleted, ""), d.event("e-1", messages.Updated, "")))
			if p.entity(d.declared, "e-1").Deleted {
				t.Error("got the row marked as deleted, want it back by the later event")
			}
			want++
			if got := p.accepted[d.consumer+" "+d.declared.Topic()]; got != want || len(p.accepted) != 1 {
				t.Errorf("accepted: got %v, want %d of this consumer and topic", p.accepted, want)
			}
		})
	}
}
