package routertest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/router/routertest"
)

// reminders is what a handler's author has written: it calls a service that fails now and then.
type reminders struct {
	send func(appointment string) error
	sent []string
}

func (r *reminders) remind(_ context.Context, e messages.Event[messages.AppointmentEvent]) error {
	if e.Body.DoctorID == "" {
		return router.Permanent(errors.New("an appointment without a doctor"))
	}
	if err := r.send(e.EntityID); err != nil {
		return err
	}
	r.sent = append(r.sent, e.EntityID)
	return nil
}

// A handler's author sees in milliseconds what becomes of a failure: the pauses between tries pass at once.
func Example() {
	t := new(testing.T) // yours is the one of your test
	failures := 2
	r := &reminders{send: func(string) error {
		if failures > 0 {
			failures--
			return errors.New("the service is busy")
		}
		return nil
	}}
	kit := routertest.New(t, "reminders", router.On(messages.AppointmentCreated, r.remind))

	// It fails twice, and is tried again.
	result := routertest.Deliver(kit, messages.AppointmentCreated, messages.AppointmentEvent{AppointmentID: "app-1", DoctorID: "doc-1"})
	fmt.Println(result.Outcome, "after", result.Attempts, "tries and", kit.Waited())

	// No try can help it.
	result = routertest.Deliver(kit, messages.AppointmentCreated, messages.AppointmentEvent{AppointmentID: "app-2"})
	letter := kit.Letters()[0]
	fmt.Println(result.Outcome, "as", result.Class, "from", letter.Consumer, "at", letter.Record.Position)

	// The consumer has no route for it.
	result = routertest.Deliver(kit, messages.AppointmentCancelled, messages.AppointmentEvent{AppointmentID: "app-1", DoctorID: "doc-1"})
	fmt.Println(result.Outcome, "for", result.Reason)
	// Output:
	// done after 3 tries and 300ms
	// dead_letter as permanent from reminders at appointment-events/0/1
	// skipped for no_route
}

// Records of one batch keep their order, also when one of them has to be tried again.
func ExampleKit_DeliverRecords() {
	t := new(testing.T)
	failed := false
	r := &reminders{send: func(appointment string) error {
		if appointment == "app-2" && !failed {
			failed = true
			return errors.New("the service is busy")
		}
		return nil
	}}
	kit := routertest.New(t, "reminders", router.On(messages.AppointmentCreated, r.remind))

	var batch []*record.Record
	for _, id := range []string{"app-1", "app-2", "app-3"} {
		event := messages.AppointmentEvent{AppointmentID: id, DoctorID: "doc-1"}
		batch = append(batch, routertest.Record(t, messages.AppointmentCreated, event))
	}
	for _, result := range kit.DeliverRecords(batch...) {
		fmt.Println(result.Outcome, result.Attempts)
	}
	fmt.Println(r.sent)
	// Output:
	// done 1
	// done 2
	// done 1
	// [app-1 app-2 app-3]
}
