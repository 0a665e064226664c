package logging_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prantikov/millrace/handlers"
	"github.com/prantikov/millrace/handlers/logging"
	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/router/routertest"
	"github.com/prantikov/millrace/store"
	"github.com/prantikov/millrace/store/storetest"
)

// activity is the consumer with its folder.
type activity struct {
	t      *testing.T
	files  router.Option
	folder string
}

func setup(t *testing.T) *activity {
	t.Helper()
	folder := t.TempDir()
	opened, err := store.Open(t.Context(), storetest.Place(t, t.TempDir()), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = opened.Close() })
	files := handlers.Files(handlers.Storage{Store: func() *store.Store { return opened }}, "logging", folder)
	return &activity{t: t, files: files, folder: folder}
}

// kit is the consumer from offset 0 on.
func (a *activity) kit(pseudonym func(string) string) *routertest.Kit {
	a.t.Helper()
	return routertest.New(a.t, "logging", a.files, router.OnAny(messages.Types(), logging.New(pseudonym).Log))
}

// text is the file of a day.
func (a *activity) text(day string) string {
	a.t.Helper()
	content, err := os.ReadFile(filepath.Join(a.folder, day+".jsonl"))
	if err != nil {
		a.t.Fatal(err)
	}
	return string(content)
}

var at = time.Date(2024, 12, 25, 10, 30, 0, 123_000_000, time.UTC)

func raw(topic, value string) *record.Record {
	return &record.Record{Position: record.Position{Topic: topic}, Value: []byte(value), Timestamp: at}
}

// alias stands for the patients of these tests.
func alias(string) string { return "5f2c" }

// private has an event of each type with a canary in every field that is tagged phi, and in one that the type does not have, and the
// line that it gives.
var private = []struct {
	declared    messages.Type
	event, want string
}{
	{
		messages.Appointments,
		`{"appointmentId":"apt-1","patientId":"canary","doctorId":"doc-1","date":"1999-12-25","time":"03:33","reason":"canary","status":"scheduled","visitType":"virtual","note":"canary","action":"created"}`,
		`"topic":"appointment-events","partition":0,"offset":0,"type":"AppointmentEvent","action":"created","status":"scheduled","entityId":"apt-1","doctorId":"doc-1","patient":"5f2c"}`,
	},
	{
		messages.Prescriptions,
		`{"prescriptionId":"rx-1","patientId":"canary","doctorId":"doc-1","medication":"canary","dosage":"canary","frequency":"canary","startDate":"1999-12-25","endDate":"1999-12-25","status":"inactive","note":"canary","action":"cancelled"}`,
		`"topic":"prescription-events","partition":0,"offset":0,"type":"PrescriptionEvent","action":"cancelled","status":"inactive","entityId":"rx-1","doctorId":"doc-1","patient":"5f2c"}`,
	},
	{
		messages.Orders,
		`{"orderId":"ord-1","patientId":"canary","pharmacyId":"ph-1","totalPrice":66613.13,"status":"shipped","orderDate":"1999-12-25T03:33:33","deliveryDate":"1999-12-25T03:33:33","items":[{"productId":"canary","quantity":66613,"price":66613.13}],"note":"canary","action":"shipped"}`,
		`"topic":"order-events","partition":0,"offset":0,"type":"OrderEvent","action":"shipped","status":"shipped","entityId":"ord-1","pharmacyId":"ph-1","patient":"5f2c"}`,
	},
	{
		messages.HealthRecords,
		`{"recordId":"hr-1","patientId":"canary","doctorId":"doc-1","recordType":"diagnosis","description":"canary","recordDate":"1999-12-25","note":"canary","action":"updated"}`,
		`"topic":"health-record-events","partition":0,"offset":0,"type":"HealthRecordEvent","action":"updated","entityId":"hr-1","doctorId":"doc-1","patient":"5f2c"}`,
	},
}

// Ensure the form of a line, and that nothing of it is patient data: it is the whole line that is compared.
func TestLineHasNothingOfThePatientButAPseudonym(t *testing.T) {
	t.Parallel()
	for _, test := range private {
		t.Run(test.declared.Name(), func(t *testing.T) {
			t.Parallel()
			for _, tagged := range test.declared.PHI() {
				name, _, _ := strings.Cut(tagged, ".")
				if !strings.Contains(test.event, `"`+name+`":`) {
					t.Errorf("got no canary in %s, want one in every field that is tagged phi", tagged)
				}
			}
			a := setup(t)
			a.kit(alias).DeliverRecords(raw(test.declared.Topic(), test.event))
			if got, want := a.text("2024-12-25"), `{"timestamp":"2024-12-25T10:30:00.123Z",`+test.want+"\n"; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func TestEveryActionGivesOneLine(t *testing.T) {
	t.Parallel()
	a := setup(t)
	kit, want := a.kit(alias), 0
	for _, declared := range messages.Types() {
		for _, action := range declared.Actions() {
			kit.DeliverRecords(raw(declared.Topic(), string(declared.Sample(action))))
			want++
			if got := strings.Count(a.text("2024-12-25"), "\n"); got != want {
				t.Fatalf("%s %s: got %d lines, want %d", declared.Name(), action, got, want)
			}
		}
	}
}

// Ensure one patient's events can be told apart from another's, and are not linked where there is no patient.
func TestPseudonymIsThePatients(t *testing.T) {
	t.Parallel()
	a := setup(t)
	pseudonyms := map[string]string{"pat-1": "5f2c", "pat-2": "77aa"}
	a.kit(func(patient string) string { return pseudonyms[patient] }).DeliverRecords(
		raw("order-events", `{"orderId":"ord-1","patientId":"pat-1","action":"created"}`),
		raw("order-events", `{"orderId":"ord-2","patientId":"pat-2","action":"created"}`),
		raw("order-events", `{"orderId":"ord-3","patientId":null,"action":"created"}`))
	lines := strings.Split(strings.TrimSpace(a.text("2024-12-25")), "\n")
	for i, want := range []string{`"patient":"5f2c"`, `"patient":"77aa"`, `"entityId":"ord-3"}`} {
		if !strings.Contains(lines[i], want) {
			t.Errorf("line %d: got %s, want %s in it", i, lines[i], want)
		}
	}
}

func TestWithoutPseudonymsThePatientIsLeftOut(t *testing.T) {
	t.Parallel()
	a := setup(t)
	a.kit(nil).DeliverRecords(raw("order-events", `{"orderId":"ord-1","patientId":"canary","action":"created"}`))
	if got := a.text("2024-12-25"); strings.Contains(got, "canary") || strings.Contains(got, `"patient"`) {
		t.Errorf("got %s, want nothing of the patient", got)
	}
}

// Ensure a line is in the file of its day: the record's timestamp, in UTC.
func TestFileIsOfTheDay(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		at   time.Time
		want string
	}{
		{"the last millisecond of a day", time.Date(2024, 12, 25, 23, 59, 59, 999_000_000, time.UTC), "2024-12-25"},
		{"midnight begins a day", time.Date(2024, 12, 26, 0, 0, 0, 0, time.UTC), "2024-12-26"},
		{"another zone is brought to UTC", time.Date(2024, 12, 26, 1, 0, 0, 0, time.FixedZone("", 2*60*60)), "2024-12-25"},
		{"a record without a timestamp has a day too", time.Time{}, "0001-01-01"},
		{"a timestamp of microseconds has one too", time.UnixMilli(at.UnixMicro()), "56953-11-05"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			a, r := setup(t), raw("order-events", `{"orderId":"ord-1","action":"created"}`)
			r.Timestamp = test.at
			a.kit(alias).DeliverRecords(r)
			if got := a.text(test.want); strings.Count(got, "\n") != 1 {
				t.Errorf("got %q, want one line", got)
			}
		})
	}
}

// Ensure a record that comes again adds nothing: a kit begins at offset 0, so a second one on the same store delivers the same again.
func TestRepeatAddsNoLine(t *testing.T) {
	t.Parallel()
	a := setup(t)
	for range 2 {
		a.kit(alias).DeliverRecords(raw("order-events", private[2].event), raw("order-events", private[2].event))
	}
	if got := strings.Count(a.text("2024-12-25"), "\n"); got != 2 {
		t.Errorf("got %d lines, want 2", got)
	}
}
