package handlers_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/prantikov/millrace/handlers"
	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router"
)

// theList is the whole of what Millrace does: consumer, topic, action, function.
const theList = `
appointments appointment-events created handlers.appointments.created
appointments appointment-events updated handlers.appointments.updated
appointments appointment-events cancelled handlers.appointments.cancelled
appointments appointment-events deleted handlers.appointments.deleted
prescriptions prescription-events created handlers.prescriptions.created
prescriptions prescription-events updated handlers.prescriptions.updated
prescriptions prescription-events cancelled handlers.prescriptions.cancelled
prescriptions prescription-events deleted handlers.prescriptions.deleted
orders order-events created handlers.orders.created
orders order-events updated handlers.orders.updated
orders order-events shipped handlers.orders.shipped
orders order-events delivered handlers.orders.delivered
orders order-events deleted handlers.orders.deleted
health-records health-record-events created handlers.healthRecords.created
health-records health-record-events updated handlers.healthRecords.updated
health-records health-record-events deleted handlers.healthRecords.deleted
`

// fanOut is the consumers that take every topic, with the function that takes every action.
var fanOut = map[string]string{
	"notification": "notification.Notifier.Notify", "analytics": "analytics.Figures.Note", "logging": "logging.Log.Log", "archive": "archive.Keep",
}

// list is the built-in consumers, which can be listed without a store.
func list(t *testing.T) []*router.Consumer {
	t.Helper()
	consumers, err := handlers.Consumers(handlers.Dependencies{})
	if err != nil {
		t.Fatal(err)
	}
	return consumers
}

func TestEachActionHasAFunctionOfItsOwnInItsDomainConsumer(t *testing.T) {
	t.Parallel()
	var got []string
	for _, consumer := range list(t) {
		if fanOut[consumer.Name()] != "" {
			continue
		}
		for _, row := range consumer.Rows() {
			got = append(got, strings.Join([]string{row.Consumer, row.Topic, string(row.Action), row.Function}, " "))
		}
	}
	if want := strings.Split(strings.TrimSpace(theList), "\n"); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestFanOutConsumersTakeEveryActionOfEveryTopic(t *testing.T) {
	t.Parallel()
	for _, consumer := range list(t) {
		function := fanOut[consumer.Name()]
		if function == "" {
			continue
		}
		var got, want []string
		for _, row := range consumer.Rows() {
			got = append(got, row.Topic+" "+string(row.Action)+" "+row.Function)
		}
		for _, declared := range messages.Types() {
			actions := declared.Actions()
			if consumer.Name() == "archive" {
				actions = []messages.Action{"*"} // undecoded
			}
			for _, action := range actions {
				want = append(want, declared.Topic()+" "+string(action)+" "+function)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got\n%s\nwant\n%s", consumer.Name(), strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

// Ensure nothing is repeated after a crash: every built-in consumer commits its effects with its progress.
func TestEveryConsumerIsDurable(t *testing.T) {
	t.Parallel()
	consumers := list(t)
	if len(consumers) != 8 {
		t.Errorf("got %d consumers, want 8", len(consumers))
	}
	for _, consumer := range consumers {
		if !consumer.Durable() {
			t.Errorf("%s: got no unit of work, want one", consumer.Name())
		}
	}
}

// Ensure a record that breaks a rule on content is a dead letter of its domain consumer alone.
func TestOnlyDomainConsumersHaveRulesOnContent(t *testing.T) {
	t.Parallel()
	p := setup(t, options{})
	orders := domains()[2]
	tests := []struct {
		name string
		r    *record.Record
		want record.Class
	}{
		{"an unknown status", orders.event("ord-1", messages.Created, "eaten"), record.ClassUnknownStatus},
		{"the key of another entity", orders.raw("ord-2", orders.event("ord-1", messages.Created, "pending").Value), record.ClassKeyMismatch},
		{"no key", &record.Record{Position: record.Position{Topic: "order-events"}, Value: orders.event("ord-1", messages.Created, "pending").Value, Timestamp: at}, record.ClassMissingKey},
	}
	for _, test := range tests {
		placed := p.place(test.r)
		if got := p.redeliver("orders", "claim", placed...)[0]; got.Outcome != record.DeadLettered || got.Class != test.want || got.Attempts != 1 {
			t.Errorf("%s: got %s of class %q after %d tries, want a dead letter of class %s at once", test.name, got.Outcome, got.Class, got.Attempts, test.want)
		}
		for consumer := range fanOut {
			if got := p.redeliver(consumer, "claim", placed...)[0]; got.Outcome != record.Done {
				t.Errorf("%s at %s: got %s of class %q, want done", test.name, consumer, got.Outcome, got.Class)
			}
		}
	}
	if _, found, err := p.store.Entity(t.Context(), "OrderEvent", "ord-1"); found || err != nil {
		t.Errorf("got a state: %t, error %v, want none of dead letters", found, err)
	}
}

func TestFilesAreWhereOthersLookForThem(t *testing.T) {
	t.Parallel()
	p := setup(t, options{})
	placed := p.place(domains()[2].event("ord-1", messages.Created, "pending"))
	for consumer, file := range map[string]string{
		"notification": "notification/outbox.jsonl",
		"logging":      "logging/2024-12-25.jsonl",
		"archive":      "archive/order-events/0/2024-12-25.jsonl",
	} {
		done(t, p.redeliver(consumer, "claim", placed...))
		content, err := os.ReadFile(filepath.Join(p.dataDir, filepath.FromSlash(file)))
		if err != nil {
			t.Error(err)
			continue
		}
		for _, field := range []string{`"topic":"order-events"`, `"partition":0`, `"offset":0`, `"timestamp":"2024-12-25T10:30:00.123Z"`} {
			if !strings.Contains(string(content), field) {
				t.Errorf("%s: got %s, want %s in it", file, content, field)
			}
		}
	}
}
