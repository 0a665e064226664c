package routertest_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/router/routertest"
)

func appointment(id string) messages.AppointmentEvent {
	return messages.AppointmentEvent{AppointmentID: id, PatientID: "pat-7", DoctorID: "doc-1", Status: "scheduled", VisitType: "virtual"}
}

// failing is a function that fails the first times.
func failing(times int, err error) func(context.Context, messages.Event[messages.AppointmentEvent]) error {
	return func(context.Context, messages.Event[messages.AppointmentEvent]) error {
		if times > 0 {
			times--
			return err
		}
		return nil
	}
}

func TestKitTriesAgainWithoutWaiting(t *testing.T) {
	t.Parallel()
	busy := errors.New("busy")
	tests := []struct {
		name     string
		failures int
		err      error
		retry    router.RetrySettings
		want     record.Result
		letters  int
		waited   time.Duration // how far the kit's clock has gone
	}{
		{name: "a good function needs one try", want: record.Result{Outcome: record.Done, Attempts: 1}},
		{
			name: "pauses double by default", failures: 3, err: busy,
			want: record.Result{Outcome: record.Done, Attempts: 4}, waited: 700 * time.Millisecond,
		},
		{
			name: "the last try writes a dead letter", failures: 4, err: busy,
			want: record.Result{Outcome: record.DeadLettered, Class: record.ClassFailed, Attempts: 4}, letters: 1, waited: 700 * time.Millisecond,
		},
		{
			name: "retries are as the settings say", failures: 2, err: busy,
			retry: router.RetrySettings{Tries: 2, InitialInterval: time.Second},
			want:  record.Result{Outcome: record.DeadLettered, Class: record.ClassFailed, Attempts: 2}, letters: 1, waited: time.Second,
		},
		{
			name: "a permanent error is not tried again", failures: 1, err: router.Permanent(busy),
			want: record.Result{Outcome: record.DeadLettered, Class: record.ClassPermanent, Attempts: 1}, letters: 1,
		},
		{
			name: "a policy of the function's own is a skip", failures: 1, err: router.Skip("too_late"),
			want: record.Result{Outcome: record.Skipped, Reason: "too_late", Attempts: 1},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			kit := routertest.NewWith(t, router.Settings{}, router.ConsumerSettings{Retry: test.retry}, "reminders",
				router.On(messages.AppointmentCreated, failing(test.failures, test.err)))
			got := routertest.Deliver(kit, messages.AppointmentCreated, appointment("app-1"))
			if got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
			if len(kit.Letters()) != test.letters || kit.Waited() != test.waited {
				t.Errorf("got %d dead letters and %s, want %d and %s", len(kit.Letters()), kit.Waited(), test.letters, test.waited)
			}
		})
	}
}

func TestDeadLetterHasTheRecordAndItsTries(t *testing.T) {
	t.Parallel()
	kit := routertest.New(t, "reminders", router.On(messages.AppointmentCreated, failing(4, errors.New("busy"))))
	sent := routertest.Record(t, messages.AppointmentCreated, appointment("app-1"))
	kit.DeliverRecords(sent)
	letter := kit.Letters()[0]
	if letter.Consumer != "reminders" || letter.Group != "reminders" || letter.Class != record.ClassFailed || letter.Attempts.Made != 4 {
		t.Errorf("got consumer %s, group %s, class %s, %d tries, want reminders twice, failed, 4", letter.Consumer, letter.Group, letter.Class, letter.Attempts.Made)
	}
	if string(letter.Record.Value) != string(sent.Value) || string(letter.Record.Key) != "app-1" {
		t.Errorf("got value of %d bytes and key %q, want the record's %d and app-1", len(letter.Record.Value), letter.Record.Key, len(sent.Value))
	}
	if got := letter.FailedAt.Sub(letter.Attempts.First); got != kit.Waited() {
		t.Errorf("got %s between the first try and the end, want the kit's %s", got, kit.Waited())
	}
}

func TestOffsetsGoOnPerTopic(t *testing.T) {
	t.Parallel()
	var seen []string
	note := func(_ context.Context, e messages.Event[any]) error {
		seen = append(seen, record.Position{Topic: e.Topic, Partition: e.Partition, Offset: e.Offset}.String())
		return nil
	}
	kit := routertest.New(t, "notes", router.OnAny(messages.Types(), note))
	routertest.Deliver(kit, messages.AppointmentCreated, appointment("app-1"))
	routertest.Deliver(kit, messages.OrderCreated, messages.OrderEvent{OrderID: "ord-1"})
	routertest.Deliver(kit, messages.AppointmentUpdated, appointment("app-1"))
	if want := []string{"appointment-events/0/0", "order-events/0/0", "appointment-events/0/1"}; !slices.Equal(seen, want) {
		t.Errorf("got %v, want %v", seen, want)
	}
}

func TestBadRecordsHaveTheirFateInMemoryToo(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		value string
		want  record.Class
	}{
		{name: "truncated JSON is malformed", value: `{"appointmentId":"app-1"`, want: record.ClassMalformed},
		{name: "an unknown action has its class", value: `{"appointmentId":"app-1","action":"moved"}`, want: record.ClassUnknownAction},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			kit := routertest.New(t, "reminders", router.On(messages.AppointmentCreated, failing(0, nil)))
			bad := &record.Record{Position: record.Position{Topic: "appointment-events"}, Key: []byte("app-1"), Value: []byte(test.value)}
			got := kit.DeliverRecords(bad, routertest.Record(t, messages.AppointmentCreated, appointment("app-2")))
			if got[0].Class != test.want || got[1].Outcome != record.Done {
				t.Errorf("got class %q and then %s, want %q and done", got[0].Class, got[1].Outcome, test.want)
			}
		})
	}
}
