package handlers_test

import (
	"encoding/base64"
	"testing"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router/routertest"
	"github.com/prantikov/millrace/store"
)

// Ensure that each action of each type keeps the state, and that it makes the row when it is the first that is seen of its entity:
// retention may have dropped the events before it.
func TestFirstEventOfAnyActionMakesTheRow(t *testing.T) {
	t.Parallel()
	for _, d := range domains() {
		for _, action := range d.declared.Actions() {
			t.Run(d.consumer+" "+string(action), func(t *testing.T) {
				t.Parallel()
				p := setup(t, options{})
				decoded, err := d.declared.Decode(d.declared.Sample(action))
				if err != nil {
					t.Fatal(err)
				}
				r := d.raw(decoded.EntityID, d.declared.Sample(action))
				r.Partition, p.next[r.Topic] = 3, 42
				done(t, p.deliver(d.consumer, r))
				got := p.entity(d.declared, decoded.EntityID)
				want := store.State{
					Type: d.declared.Name(), ID: decoded.EntityID, Action: string(action), Deleted: action == messages.Deleted,
					Status: decoded.Body.(messages.Stateful).StatusName(), Body: r.Value, Topic: r.Topic, Partition: 3, Offset: 42,
					Timestamp: at, FirstSeen: record.Position{Topic: r.Topic, Partition: 3, Offset: 42},
				}
				checkState(t, got, want)
				if got := p.firstSeen[d.consumer+" "+r.Topic]; got != 1 || len(p.firstSeen) != 1 {
					t.Errorf("first_seen: got %v, want 1 of this consumer and topic", p.firstSeen)
				}
			})
		}
	}
}

func checkState(t *testing.T, got, want store.State) {
	t.Helper()
	if string(got.Body) != string(want.Body) {
		t.Errorf("body: got %s, want %s", got.Body, want.Body)
	}
	if !got.Timestamp.Equal(want.Timestamp) {
		t.Errorf("timestamp: got %v, want %v", got.Timestamp, want.Timestamp)
	}
	got.Body, want.Body, got.Timestamp, want.Timestamp = nil, nil, at, at
	if got.FirstSeen != want.FirstSeen || got.Status != want.Status || got.Action != want.Action || got.Deleted != want.Deleted ||
		got.Type != want.Type || got.ID != want.ID || got.Topic != want.Topic || got.Partition != want.Partition || got.Offset != want.Offset {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestLaterEventReplacesTheStateAndADeletionMarksIt(t *testing.T) {
	t.Parallel()
	for _, d := range domains() {
		t.Run(d.consumer, func(t *testing.T) {
			t.Parallel()
			p := setup(t, options{})
			// One batch, so that the second event finds what the first has not committed yet; the third finds it committed.
			updated := d.event("e-1", messages.Updated, "")
			done(t, p.deliver(d.consumer, d.event("e-1", messages.Created, ""), updated))
			last := d.event("e-1", messages.Deleted, "")
			done(t, p.deliver(d.consumer, last))
			checkState(t, p.entity(d.declared, "e-1"), store.State{
				Type: d.declared.Name(), ID: "e-1", Action: "deleted", Deleted: true, Body: updated.Value, Topic: last.Topic, Offset: 2,
				Timestamp: at, FirstSeen: record.Position{Topic: last.Topic},
			})
			if got := p.firstSeen[d.consumer+" "+last.Topic]; got != 1 {
				t.Errorf("first_seen: got %d, want 1 of three events", got)
			}
		})
	}
}

func TestStatusThatIsLeftOut(t *testing.T) {
	t.Parallel()
	appointments, prescriptions, orders := domains()[0], domains()[1], domains()[2]
	tests := []struct {
		name   string
		d      domain
		events [][2]string // action and status, "" for null
		want   string
	}{
		{"an update keeps the status", appointments, [][2]string{{"created", "confirmed"}, {"updated", ""}}, "confirmed"},
		{"a deletion keeps the status", orders, [][2]string{{"created", "processing"}, {"deleted", ""}}, "processing"},
		{"a creation has none", orders, [][2]string{{"created", ""}}, ""},
		{"what had none may get any", orders, [][2]string{{"created", ""}, {"updated", "delivered"}}, "delivered"},
		{"a cancelled appointment is cancelled", appointments, [][2]string{{"created", "scheduled"}, {"cancelled", ""}}, "cancelled"},
		{"a cancelled appointment that is seen first is cancelled", appointments, [][2]string{{"cancelled", ""}}, "cancelled"},
		{"a cancelled prescription is inactive, for it has no status cancelled", prescriptions, [][2]string{{"created", "active"}, {"cancelled", ""}}, "inactive"},
		{"a shipped order is shipped", orders, [][2]string{{"created", "pending"}, {"shipped", ""}}, "shipped"},
		{"a delivered order is delivered", orders, [][2]string{{"created", "pending"}, {"delivered", ""}}, "delivered"},
		{"the event's own status counts before its action", orders, [][2]string{{"created", "pending"}, {"shipped", "delivered"}}, "delivered"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := setup(t, options{})
			for _, event := range test.events {
				done(t, p.deliver(test.d.consumer, test.d.event("e-1", messages.Action(event[0]), event[1])))
			}
			if got := p.entity(test.d.declared, "e-1").Status; got != test.want {
				t.Errorf("got status %q, want %q", got, test.want)
			}
		})
	}
}

// Ensure the state is the event, whatever its producer wrapped around it.
func TestStateIsTheEventWithoutItsWrapping(t *testing.T) {
	t.Parallel()
	orders := domains()[2]
	event := string(orders.event("ord-1", messages.Created, "pending").Value)
	structured := []record.Header{{Key: "content-type", Value: []byte("application/cloudevents+json; charset=utf-8")}}
	tests := []struct {
		name    string
		value   string
		headers []record.Header
	}{
		{"bare", event, nil},
		{"in Confluent's framing", "\x00\x00\x00\x00\x07" + event, nil},
		{"in a structured CloudEvent", `{"specversion":"1.0","id":"1","data":` + event + `}`, structured},
		{"in a structured CloudEvent as base64", `{"specversion":"1.0","data_base64":"` + base64.StdEncoding.EncodeToString([]byte(event)) + `"}`, structured},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := setup(t, options{})
			r := orders.raw("ord-1", []byte(test.value))
			r.Headers = test.headers
			done(t, p.deliver("orders", r))
			if got := string(p.entity(orders.declared, "ord-1").Body); got != event {
				t.Errorf("got %q, want %q", got, event)
			}
		})
	}
}

// Ensure types do not share states: ids are unique within a type alone.
func TestEntitiesOfTwoTypesMayShareAnID(t *testing.T) {
	t.Parallel()
	p := setup(t, options{})
	for _, d := range domains() {
		done(t, p.deliver(d.consumer, d.event("1", messages.Created, "")))
	}
	counts, err := p.store.EntityCounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range domains() {
		if got := counts[d.declared.Name()]; got != 1 {
			t.Errorf("%s: got %d entities, want 1", d.declared.Name(), got)
		}
	}
}

// Ensure a record that comes again changes nothing, in the same process, after a rebalance, and after a restart.
func TestRedeliveryChangesNothing(t *testing.T) {
	t.Parallel()
	orders := domains()[2]
	p := setup(t, options{})
	placed := p.place(
		orders.event("ord-1", messages.Created, "pending"), orders.event("ord-1", messages.Delivered, ""),
		orders.event("ord-1", messages.Updated, "pending"), // refused
		orders.event("ord-1", messages.Deleted, ""), orders.event("ord-2", messages.Created, "pending"),
	)
	first := p.redeliver("orders", "first claim", placed...)
	if first[2].Class != record.ClassInvalidTransition || len(p.letters.written) != 1 {
		t.Fatalf("got class %q and %d dead letters, want the third record refused", first[2].Class, len(p.letters.written))
	}
	before := []store.State{p.entity(orders.declared, "ord-1"), p.entity(orders.declared, "ord-2")}
	done(t, p.redeliver("orders", "first claim", placed...))
	done(t, p.redeliver("orders", "second claim", placed[1:]...))
	after := p.restart()
	done(t, after.redeliver("orders", "third claim", placed...))
	checkState(t, after.entity(orders.declared, "ord-1"), before[0])
	checkState(t, after.entity(orders.declared, "ord-2"), before[1])
	if got := p.firstSeen["orders order-events"] + after.firstSeen["orders order-events"]; got != 2 {
		t.Errorf("first_seen: got %d, want 2 of two entities", got)
	}
	if got := len(p.letters.written) + len(after.letters.written); got != 1 {
		t.Errorf("got %d dead letters, want 1: no repeat of it", got)
	}
}

// Ensure the typed way in works too: what a producer makes of an event is what a handler takes.
func TestTypedEventsKeepTheState(t *testing.T) {
	t.Parallel()
	p := setup(t, options{})
	done(t, p.deliver("appointments", routertest.Record(t, messages.AppointmentCreated, messages.AppointmentEvent{AppointmentID: "apt-1", Status: "scheduled"})))
	done(t, p.deliver("prescriptions", routertest.Record(t, messages.PrescriptionCreated, messages.PrescriptionEvent{PrescriptionID: "rx-1", Status: "active"})))
	done(t, p.deliver("orders", routertest.Record(t, messages.OrderShipped, messages.OrderEvent{OrderID: "ord-1", Status: "shipped"})))
	done(t, p.deliver("health-records", routertest.Record(t, messages.HealthRecordUpdated, messages.HealthRecordEvent{RecordID: "hr-1"})))
	for _, want := range []store.State{
		{Type: "AppointmentEvent", ID: "apt-1", Status: "scheduled"}, {Type: "PrescriptionEvent", ID: "rx-1", Status: "active"},
		{Type: "OrderEvent", ID: "ord-1", Status: "shipped"}, {Type: "HealthRecordEvent", ID: "hr-1"},
	} {
		got, found, err := p.store.Entity(t.Context(), want.Type, want.ID)
		if err != nil || !found || got.Status != want.Status {
			t.Errorf("%s %s: got %t, status %q, error %v, want status %q", want.Type, want.ID, found, got.Status, err, want.Status)
		}
	}
}
