package router_test

import (
	"context"
	"strings"
	"testing"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router"
)

func nothing[T any](context.Context, messages.Event[T]) error { return nil }

func nothingAtAll(context.Context, *record.Record) error { return nil }

func TestMistakesOfWiringFailByName(t *testing.T) {
	t.Parallel()
	created := router.On(messages.AppointmentCreated, nothing[messages.AppointmentEvent])
	tests := []struct {
		name     string
		consumer string
		options  []router.Option
		want     string // part of the error
	}{
		{"a name with spaces", "my consumer", []router.Option{created}, `consumer "my consumer"`},
		{"no route", "points", nil, "has no route"},
		{"an action that is routed twice", "points", []router.Option{created, created}, `AppointmentEvent is routed twice for action "created"`},
		{"two functions for every action", "points", []router.Option{router.OnAny(messages.Types(), nothing[any]), router.OnAny(messages.Types(), nothing[any])}, "is routed twice"},
		{"an action that the type does not have", "points", []router.Option{router.On(messages.Appointments.Kind(messages.Shipped), nothing[messages.AppointmentEvent])}, `AppointmentEvent has no action "shipped"`},
		{"decoded and undecoded", "points", []router.Option{created, router.OnRecord(messages.Types(), nothingAtAll)}, "both decoded and undecoded"},
		{"effects outside within a unit of work", "points", []router.Option{created, router.EffectsOutside(true), router.WithUnitOfWork(noUnit{})}, "has effects outside and a unit of work"},
		{"no function", "points", []router.Option{router.On[messages.AppointmentEvent](messages.AppointmentCreated, nil)}, "has no function"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := router.Consume(test.consumer, test.options...)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got error %v, want one with %q", err, test.want)
			}
		})
	}
}

// noUnit is a unit of work that nobody opens.
type noUnit struct{ router.UnitOfWork }

// Ensure whoever runs consumers can tell which share a store and which do what nobody can take back.
func TestWhereEffectsGo(t *testing.T) {
	t.Parallel()
	created := router.On(messages.AppointmentCreated, nothing[messages.AppointmentEvent])
	tests := []struct {
		name                     string
		option                   router.Option
		durable, outside, stored bool
	}{
		{"none that anybody knows of", router.StrictContent(), false, false, false},
		{"in a unit of work", router.WithUnitOfWork(noUnit{}), true, false, true},
		{"outside, with marks in the store", router.EffectsOutside(true), false, true, true},
		{"outside, with nothing kept", router.EffectsOutside(false), false, true, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c, err := router.Consume("points", created, test.option)
			if err != nil {
				t.Fatal(err)
			}
			if c.Durable() != test.durable || c.Outside() != test.outside || c.Stored() != test.stored {
				t.Errorf("got durable %t, outside %t, stored %t, want %t, %t, %t", c.Durable(), c.Outside(), c.Stored(), test.durable, test.outside, test.stored)
			}
		})
	}
}

func TestRowsListEachActionWithItsFunction(t *testing.T) {
	t.Parallel()
	consumer, err := router.Consume("points",
		router.On(messages.OrderShipped, nothing[messages.OrderEvent]),
		router.OnRecord([]messages.Type{messages.Appointments}, nothingAtAll))
	if err != nil {
		t.Fatal(err)
	}
	want := []router.Row{
		{Consumer: "points", Topic: "order-events", Type: "OrderEvent", Action: "shipped", Function: "router_test.nothing"},
		{Consumer: "points", Topic: "appointment-events", Type: "AppointmentEvent", Action: "*", Function: "router_test.nothingAtAll"},
	}
	got := consumer.Rows()
	if len(got) != len(want) {
		t.Fatalf("got %d rows, want %d: %+v", len(got), len(want), got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("row %d: got %+v, want %+v", i, got[i], want[i])
		}
	}
}
