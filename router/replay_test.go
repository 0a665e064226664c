package router_test

import (
	"context"
	"strings"
	"testing"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/router/routertest"
)

func TestFunctionsAreToldOfAReplay(t *testing.T) {
	t.Parallel()
	for name, replay := range map[string]bool{"a replay": true, "the live run": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var told []bool
			kit := routertest.NewWith(t, router.Settings{}, router.ConsumerSettings{Replay: replay}, "points",
				router.On(messages.OrderDelivered, func(_ context.Context, e messages.Event[messages.OrderEvent]) error {
					told = append(told, e.Replay())
					return nil
				}))
			delivered := messages.OrderEvent{OrderID: "ord-1", PatientID: "pat-1", Status: "delivered"}
			if got := routertest.Deliver(kit, messages.OrderDelivered, delivered); got.Outcome != record.Done {
				t.Fatalf("got %s of class %q, want done", got.Outcome, got.Class)
			}
			if len(told) != 1 || told[0] != replay {
				t.Errorf("got e.Replay() %v, want one %t", told, replay)
			}
		})
	}
}

// replayable is a unit of work that can take part in a replay, replaying the one that does.
type (
	replayable struct{ noUnit }
	replaying  struct{ noUnit }
)

func (replayable) Replaying() router.UnitOfWork { return replaying{} }
func (replaying) Files() bool                   { return true }

func TestAUnitOfWorkHasToKnowOfReplays(t *testing.T) {
	t.Parallel()
	created := router.On(messages.AppointmentCreated, nothing[messages.AppointmentEvent])
	tests := []struct {
		name    string
		options []router.Option
		files   bool
		want    string // part of the error
	}{
		{"none, which any replay may run", nil, false, ""},
		{"one that knows", []router.Option{router.WithUnitOfWork(replayable{})}, true, ""},
		{"one that does not", []router.Option{router.WithUnitOfWork(noUnit{})}, false, `consumer "points": its unit of work cannot tell`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			consumer, err := router.Consume("points", append(test.options, created)...)
			if err != nil {
				t.Fatal(err)
			}
			replayed, err := consumer.Replaying()
			if test.want != "" {
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("got error %v, want one with %q", err, test.want)
				}
				return
			}
			if err != nil || replayed.Name() != "points" || replayed.Files() != test.files || consumer.Files() {
				t.Errorf("got %v and error %v, want the same consumer with the unit of work of replays", replayed, err)
			}
		})
	}
}
