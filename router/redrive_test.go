package router_test

import (
	"context"
	"errors"
	"testing"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/router/routertest"
)

// Ensure a record that comes back from a dead letter is handled as on the topic that it was on, with the position that it had.
func TestRedrivenRecordIsHandledAsBefore(t *testing.T) {
	t.Parallel()
	var seen []messages.Meta
	var fail error
	take := func(_ context.Context, e messages.Event[messages.OrderEvent]) error {
		seen = append(seen, e.Meta)
		return fail
	}
	kit := routertest.NewWith(t, router.Settings{}, router.ConsumerSettings{Group: "points", Redrive: "points-redrive"}, "points",
		router.On(messages.OrderDelivered, take), router.On(messages.AppointmentCreated, nothing[messages.AppointmentEvent]))
	original := routertest.Record(t, messages.OrderDelivered, messages.OrderEvent{OrderID: "ord-1"})
	original.Partition, original.Offset = 3, 42
	letter := record.Position{Topic: "order-events-dlt", Partition: 3, Offset: 7}
	back := record.Redrive{Original: original, Letter: letter}.On("points-redrive")
	back.Partition = 0

	if got := kit.DeliverRecords(back)[0]; got.Outcome != record.Done {
		t.Fatalf("got %+v, want done", got)
	}
	if len(seen) != 1 || !seen[0].Redrive() || seen[0].Topic != "order-events" || seen[0].Partition != 3 || seen[0].Offset != 42 || seen[0].ID != "order-events/3/42" {
		t.Errorf("got %+v, want a redrive of order-events/3/42", seen)
	}

	fail = router.Permanent(errors.New("still wrong"))
	if got := kit.DeliverRecords(back)[0]; got.Outcome != record.DeadLettered {
		t.Fatalf("got %+v, want a dead letter", got)
	}
	letters := kit.Letters()
	if len(letters) != 1 || letters[0].Redriven != letter || letters[0].Record.Position != original.Position || len(letters[0].Record.Headers) != len(original.Headers) {
		t.Errorf("got %+v, want one letter of %v that came back from %v", letters, original.Position, letter)
	}
}

func TestRecordOnARedriveTopicThatNobodyRedroveIsSkipped(t *testing.T) {
	t.Parallel()
	kit := routertest.NewWith(t, router.Settings{}, router.ConsumerSettings{Redrive: "points-redrive"}, "points",
		router.On(messages.OrderDelivered, nothing[messages.OrderEvent]))
	plain := routertest.Record(t, messages.OrderDelivered, messages.OrderEvent{OrderID: "ord-1"})
	plain.Topic = "points-redrive"
	elsewhere := routertest.Record(t, messages.AppointmentCreated, messages.AppointmentEvent{AppointmentID: "apt-1"})
	foreign := record.Redrive{Original: elsewhere, Letter: record.Position{Topic: "appointment-events-dlt"}}.On("points-redrive")
	foreign.Partition = 0
	for name, r := range map[string]*record.Record{"an event": plain, "one of a topic that the consumer does not take": foreign} {
		if got := kit.DeliverRecords(r)[0]; got.Outcome != record.Skipped || got.Reason != "no_redrive" {
			t.Errorf("%s: got %+v, want skipped as no_redrive", name, got)
		}
	}
}
