package notification_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prantikov/millrace/handlers"
	"github.com/prantikov/millrace/handlers/notification"
	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/router/routertest"
	"github.com/prantikov/millrace/store"
	"github.com/prantikov/millrace/store/storetest"
)

// outbox is the consumer with its folder.
type outbox struct {
	t         *testing.T
	files     router.Option
	folder    string
	templates string
}

func setup(t *testing.T) *outbox {
	t.Helper()
	folder := t.TempDir()
	opened, err := store.Open(t.Context(), storetest.Place(t, t.TempDir()), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = opened.Close() })
	files := handlers.Files(handlers.Storage{Store: func() *store.Store { return opened }}, "notification", folder)
	return &outbox{t: t, files: files, folder: folder}
}

// kit is the consumer from offset 0 on.
func (o *outbox) kit() *routertest.Kit {
	o.t.Helper()
	notifier := notification.New(notification.Settings{Templates: o.templates}, notification.Dependencies{})
	if err := notifier.Open(); err != nil {
		o.t.Fatal(err)
	}
	return routertest.New(o.t, "notification", o.files, router.OnAny(messages.Types(), notifier.Notify))
}

// text is the outbox.
func (o *outbox) text() string {
	o.t.Helper()
	content, err := os.ReadFile(filepath.Join(o.folder, notification.File))
	if err != nil {
		o.t.Fatal(err)
	}
	return string(content)
}

var at = time.Date(2024, 12, 25, 10, 30, 0, 123_000_000, time.UTC)

func raw(topic, value string) *record.Record {
	return &record.Record{Position: record.Position{Topic: topic}, Value: []byte(value), Timestamp: at}
}

// Ensure the form of a line, which whoever sends will read.
func TestLineOfANotification(t *testing.T) {
	t.Parallel()
	o := setup(t)
	r := routertest.Record(t, messages.OrderShipped, messages.OrderEvent{OrderID: "ord-1", PatientID: "pat-1", PharmacyID: "ph-3", Status: "shipped"})
	r.Timestamp = at
	r.Headers = []record.Header{{Key: "ce_id", Value: []byte("0b7e")}}
	o.kit().DeliverRecords(r)
	want := `{"topic":"order-events","partition":0,"offset":0,"timestamp":"2024-12-25T10:30:00.123Z","id":"0b7e",` +
		`"audience":"patient","patientId":"pat-1","kind":"OrderEvent.shipped","entityId":"ord-1","text":"Your order was shipped."}` + "\n"
	if got := o.text(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// clinical has events whose clinical content is a canary.
var clinical = map[string]string{
	"appointment-events":   `{"appointmentId":"e-1","patientId":"pat-1","doctorId":"d-1","date":"1999-12-25","time":"03:33","reason":"canary","visitType":"virtual","note":"canary","action":"ACTION"}`,
	"prescription-events":  `{"prescriptionId":"e-1","patientId":"pat-1","doctorId":"d-1","medication":"canary","dosage":"canary","frequency":"canary","startDate":"1999-12-25","endDate":"1999-12-25","note":"canary","action":"ACTION"}`,
	"order-events":         `{"orderId":"e-1","patientId":"pat-1","pharmacyId":"p-1","totalPrice":66613.13,"orderDate":"1999-12-25T03:33:33","deliveryDate":"1999-12-25T03:33:33","items":[{"productId":"canary","quantity":66613,"price":66613.13}],"note":"canary","action":"ACTION"}`,
	"health-record-events": `{"recordId":"e-1","patientId":"pat-1","doctorId":"d-1","recordType":"diagnosis","description":"canary","recordDate":"1999-12-25","note":"canary","action":"ACTION"}`,
}

// Ensure every action of every type gives exactly one line with all its fields, and none with clinical content.
func TestEveryActionGivesOneLineWithoutClinicalContent(t *testing.T) {
	t.Parallel()
	want := []string{"audience", "entityId", "id", "kind", "offset", "partition", "patientId", "text", "timestamp", "topic"}
	for _, declared := range messages.Types() {
		for _, action := range declared.Actions() {
			t.Run(declared.Name()+" "+string(action), func(t *testing.T) {
				t.Parallel()
				o := setup(t)
				o.kit().DeliverRecords(raw(declared.Topic(), strings.ReplaceAll(clinical[declared.Topic()], "ACTION", string(action))))
				text := o.text()
				if got := strings.Count(text, "\n"); got != 1 || !strings.HasSuffix(text, "\n") {
					t.Fatalf("got %d lines, want exactly one: %q", got, text)
				}
				var line map[string]any
				if err := json.Unmarshal([]byte(text), &line); err != nil {
					t.Fatal(err)
				}
				if got := slices.Sorted(maps.Keys(line)); !slices.Equal(got, want) {
					t.Errorf("got fields %q, want %q", got, want)
				}
				if line["patientId"] != "pat-1" || line["entityId"] != "e-1" || line["audience"] != "patient" {
					t.Errorf("got %s, want the patient pat-1 to be told of e-1", text)
				}
				if got, want := line["kind"], declared.Name()+"."+string(action); got != want {
					t.Errorf("got kind %v, want %v", got, want)
				}
				for _, hidden := range []string{"canary", "1999-12", "03:33", "66613"} {
					if strings.Contains(text, hidden) {
						t.Errorf("got %s, want nothing of %q", text, hidden)
					}
				}
			})
		}
	}
}

// Ensure what a patient would read says that something happened, not what: a message on a locked screen is read by others too.
func TestTextOfALine(t *testing.T) {
	t.Parallel()
	tests := []struct {
		declared messages.Type
		action   messages.Action
		status   string
		want     string
	}{
		{messages.Appointments, messages.Created, "scheduled", "Your appointment was registered."},
		{messages.Appointments, messages.Created, "", "A new appointment is available."},
		{messages.Appointments, messages.Updated, "confirmed", "Your appointment was changed: it is now confirmed."},
		{messages.Appointments, messages.Updated, "", "Your appointment was updated."},
		{messages.Appointments, messages.Cancelled, "cancelled", "Your appointment was cancelled."},
		{messages.Appointments, messages.Deleted, "cancelled", "Your appointment was removed."},
		{messages.Prescriptions, messages.Created, "active", "Your prescription was registered."},
		{messages.Prescriptions, messages.Cancelled, "inactive", "Your prescription was cancelled."},
		{messages.Orders, messages.Created, "pending", "Your order was registered."},
		{messages.Orders, messages.Shipped, "shipped", "Your order was shipped."},
		{messages.Orders, messages.Delivered, "delivered", "Your order was delivered."},
		{messages.HealthRecords, messages.Created, "", "A new health record is available."},
		{messages.HealthRecords, messages.Updated, "", "Your health record was updated."},
		{messages.HealthRecords, messages.Deleted, "", "Your health record was removed."},
	}
	for _, test := range tests {
		t.Run(test.declared.Name()+" "+string(test.action)+" "+test.status, func(t *testing.T) {
			t.Parallel()
			o := setup(t)
			value := strings.ReplaceAll(clinical[test.declared.Topic()], "ACTION", string(test.action))
			value = strings.Replace(value, `"note"`, `"status":"`+test.status+`","note"`, 1)
			o.kit().DeliverRecords(raw(test.declared.Topic(), value))
			var line struct{ Text string }
			if err := json.Unmarshal([]byte(o.text()), &line); err != nil || line.Text != test.want {
				t.Errorf("got %q and %v, want %q", line.Text, err, test.want)
			}
		})
	}
}

// Ensure a team's own texts count in the outbox too, and that a text that was taken away writes nothing.
func TestOutboxHasTheTeamsTexts(t *testing.T) {
	t.Parallel()
	o := setup(t)
	o.templates = folder(t, map[string]string{
		"patient/OrderEvent.shipped.txt": "Subject: On its way\n\nIt is on its way: {{.entityId}}.\n", "patient/OrderEvent.created.txt": "",
	})
	event := clinical["order-events"]
	results := o.kit().DeliverRecords(
		raw("order-events", strings.ReplaceAll(event, "ACTION", "created")), raw("order-events", strings.ReplaceAll(event, "ACTION", "shipped")))
	if results[0].Outcome != record.Skipped || results[0].Reason != "no_template" {
		t.Errorf("got %s for %q, want the event without a text skipped for no_template", results[0].Outcome, results[0].Reason)
	}
	if got := o.text(); strings.Count(got, "\n") != 1 || !strings.Contains(got, `"text":"It is on its way: e-1."`) {
		t.Errorf("got %s, want one line with the team's text", got)
	}
}

// folder is a directory with these files.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// Ensure a record that comes again adds nothing: a kit begins at offset 0, so a second one on the same store delivers the same again.
func TestRepeatAddsNoLine(t *testing.T) {
	t.Parallel()
	o := setup(t)
	event := strings.ReplaceAll(clinical["order-events"], "ACTION", "created")
	o.kit().DeliverRecords(raw("order-events", event), raw("order-events", event))
	before := o.text()
	o.kit().DeliverRecords(raw("order-events", event), raw("order-events", event))
	if got := o.text(); got != before || strings.Count(got, "\n") != 2 {
		t.Errorf("got %s, want the two lines of before: %s", got, before)
	}
}

// Ensure a readable event with a known action gives its line, whatever else is odd about it: its other rules are not this consumer's.
func TestOddRecordsGiveTheirLineToo(t *testing.T) {
	t.Parallel()
	event := `{"orderId":"ord-1","patientId":"pat-1","status":"processing","action":"updated"}`
	header := func(key, value string) func(*record.Record) {
		return func(r *record.Record) { r.Headers = []record.Header{{Key: key, Value: []byte(value)}} }
	}
	tests := []struct {
		name   string
		change func(*record.Record)
		want   string // part of the line
	}{
		{"an id of bytes that are no text", header("ce_id", "a\xff\x00b"), `"id":"a�\u0000b"`},
		{"an id with a line break", header("ce_id", "a\nb"), `"id":"a\nb"`},
		{"no id", func(*record.Record) {}, `"id":"order-events/0/0"`},
		{"a timestamp of microseconds", func(r *record.Record) { r.Timestamp = time.UnixMilli(at.UnixMicro()) }, `"timestamp":"+56953-11-`},
		{"no timestamp", func(r *record.Record) { r.Timestamp = time.Time{} }, `"timestamp":"0001-01-01T00:00:00Z"`},
		{"a status that could be anything is not passed on", func(r *record.Record) {
			r.Value = []byte(strings.ReplaceAll(event, "processing", "canary"))
		}, `"text":"Your order was updated."`},
		{"no patient", func(r *record.Record) { r.Value = []byte(`{"orderId":"ord-1","action":"shipped"}`) }, `"patientId":""`},
		{"ids with line breaks", func(r *record.Record) { r.Value = []byte(`{"orderId":"a\nb","action":"shipped"}`) }, `"entityId":"a\nb"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			o, r := setup(t), raw("order-events", event)
			test.change(r)
			if got := o.kit().DeliverRecords(r)[0]; got.Outcome != record.Done {
				t.Fatalf("got %s of class %q, want done", got.Outcome, got.Class)
			}
			text := o.text()
			if strings.Count(text, "\n") != 1 || !strings.Contains(text, test.want) || strings.Contains(text, "canary") {
				t.Errorf("got %s, want one line with %s", text, test.want)
			}
		})
	}
}
