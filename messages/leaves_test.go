package messages_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/prantikov/millrace/messages"
)

func TestLeavesAreTheSingleValuesOfAnEvent(t *testing.T) {
	t.Parallel()
	decoded, err := messages.Appointments.Decode([]byte(`{"appointmentId":"apt-1","patientId":"pat-1","doctorId":null,"date":[2024,12,25],"time":"10:30","reason":"a cough","status":"CONFIRMED","visitType":"by pigeon","action":"updated"}`))
	if err != nil {
		t.Fatal(err)
	}
	want := []messages.Leaf{
		{Name: "appointmentId", Text: "apt-1"}, {Name: "patientId", Text: "pat-1", PHI: true}, {Name: "doctorId"},
		{Name: "date", Text: "2024-12-25", PHI: true}, {Name: "time", Text: "10:30", PHI: true}, {Name: "reason", Text: "a cough", PHI: true},
		{Name: "status", Text: "confirmed"}, {Name: "visitType"}, {Name: "action", Text: "updated"},
	}
	if got := messages.Leaves(decoded.Body); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// Ensure an event that says nothing tells all of its fields, and each that is patient data as such.
func TestLeavesOfAnEmptyEventTellWhichThereAre(t *testing.T) {
	t.Parallel()
	for event, declared := range map[any]messages.Type{
		&messages.AppointmentEvent{}: messages.Appointments, &messages.PrescriptionEvent{}: messages.Prescriptions, &messages.OrderEvent{}: messages.Orders,
		&messages.HealthRecordEvent{}: messages.HealthRecords,
	} {
		var tagged []string
		for _, leaf := range messages.Leaves(event) {
			if leaf.Text != "" {
				t.Errorf("%s: got %q for %s, want nothing", declared.Name(), leaf.Text, leaf.Name)
			}
			if leaf.PHI {
				tagged = append(tagged, leaf.Name)
			}
		}
		want := slices.DeleteFunc(declared.PHI(), func(name string) bool { return strings.HasPrefix(name, "items") })
		if !slices.Equal(tagged, want) {
			t.Errorf("%s: got %q tagged, want %q", declared.Name(), tagged, want)
		}
	}
	for _, nothing := range []any{nil, "text", (*messages.OrderEvent)(nil)} {
		if got := messages.Leaves(nothing); got != nil {
			t.Errorf("got %+v of %T, want nothing", got, nothing)
		}
	}
}
