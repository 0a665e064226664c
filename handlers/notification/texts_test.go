package notification_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"context"

	"github.com/prantikov/millrace/handlers/notification"
	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
)

// Ensure no branch of a default text can use a field that is tagged as patient data: as a team's own, which may not, they are all good.
func TestNoDefaultTextUsesPatientData(t *testing.T) {
	t.Parallel()
	if err := notification.New(notification.Settings{Templates: "texts"}, notification.Dependencies{}).Open(); err != nil {
		t.Errorf("got %v, want no field of the default texts tagged", err)
	}
}

// Ensure every kind has a text for each who is concerned, and that none of them has anything of the event's clinical content.
func TestEveryAudienceIsToldOfEveryKindWithoutClinicalContent(t *testing.T) {
	t.Parallel()
	for _, declared := range messages.Types() {
		for _, action := range declared.Actions() {
			t.Run(declared.Name()+" "+string(action), func(t *testing.T) {
				t.Parallel()
				r := newReceiver(t, nil)
				var mutex sync.Mutex
				asked := map[notification.Audience]string{}
				o := newOffice(t, hooked(), func(_ context.Context, audience notification.Audience, id string) (notification.Recipient, bool, error) {
					mutex.Lock()
					defer mutex.Unlock()
					asked[audience] = id
					return notification.Recipient{Channel: "webhook", Address: r.URL}, true, nil
				})
				event := strings.ReplaceAll(clinical[declared.Topic()], "ACTION", string(action))
				for _, status := range []string{"canary", ""} { // each branch of a text
					done(t, o.deliver(raw(declared.Topic(), strings.Replace(event, `"note"`, `"status":"`+status+`","note"`, 1))))
				}
				if len(r.hooks()) != 4 || asked[notification.Patient] != "pat-1" || len(asked) != 2 {
					t.Fatalf("got %d webhooks to %v, want the patient and one more told of each", len(r.hooks()), asked)
				}
				for _, one := range r.hooks() {
					for _, hidden := range []string{"canary", "1999-12", "03:33", "66613"} {
						if strings.Contains(string(one.body), hidden) {
							t.Errorf("got %s, want nothing of %q", one.body, hidden)
						}
					}
				}
			})
		}
	}
}

func TestMistakesOfATextFailAtStartAndAreNamed(t *testing.T) {
	t.Parallel()
	const head = "Subject: News\n\n"
	tests := []struct{ name, file, content, want string }{
		{"no template", "patient/OrderEvent.shipped.txt", head + "{{if}}", "it is no template: 1: missing value for if"},
		{"a field that the event does not have", "patient/OrderEvent.shipped.txt", head + "{{.doctorId}}", "it uses the field .doctorId, which the event does not have: there are action, audience, entityId"},
		{"one in the subject", "doctor/AppointmentEvent.updated.txt", "Subject: {{.medication}}\n\nText", "it uses the field .medication, which the event does not have"},
		{"one in a branch that is never taken", "patient/OrderEvent.shipped.txt", head + `{{if eq .status "never"}}{{.canary}}{{end}}`, "it uses the field .canary"},
		{"one in another branch", "patient/OrderEvent.shipped.txt", head + `{{if .status}}a{{else if .orderId}}{{.canary}}{{end}}`, "it uses the field .canary"},
		{"one in an argument", "patient/OrderEvent.shipped.txt", head + `{{printf "%s" (print .canary)}}`, "it uses the field .canary"},
		{"one in a definition", "patient/OrderEvent.shipped.txt", head + `{{define "x"}}{{.canary}}{{end}}{{template "x" .}}`, "it uses the field .canary"},
		{"one behind the dollar", "patient/OrderEvent.shipped.txt", head + `{{with .status}}{{$.canary}}{{end}}`, "it uses the field .canary"},
		{"a field within with", "patient/OrderEvent.shipped.txt", head + `{{with .status}}{{.orderId}}{{end}}`, "it uses .orderId within range or with, where the dot is another: write $.orderId"},
		{"a field of a field", "patient/OrderEvent.shipped.txt", head + `{{.status.canary}}`, "it uses the field .status.canary"},
		{"a field of a variable", "patient/OrderEvent.shipped.txt", head + `{{$x := .status}}{{$x.canary}}`, "it uses .canary of something that has no fields"},
		{"a function that cannot be called so", "patient/OrderEvent.shipped.txt", head + `{{index .status "a"}}`, "it cannot be filled in"},
		{"patient data", "patient/OrderEvent.shipped.txt", head + "{{.totalPrice}}", "it uses the field .totalPrice, which is patient data: notification.phi_templates lets it"},
		{"no subject", "patient/OrderEvent.shipped.txt", "Text\n", `want a first line "Subject: …", an empty line and the text`},
		{"no text", "patient/OrderEvent.shipped.txt", "Subject: News\n", `want a first line "Subject: …", an empty line and the text`},
		{"an action that the type does not have", "patient/OrderEvent.cancelled.txt", head + "Text", "no event has a text of this name: want AUDIENCE/TYPE.ACTION.txt, for example patient/OrderEvent.created.txt"},
		{"an audience that the event does not name", "doctor/OrderEvent.shipped.txt", head + "Text", "no event has a text of this name"},
		{"another file", "README.md", "Text", "no event has a text of this name"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			root := folder(t, map[string]string{test.file: test.content, "patient/OrderEvent.deleted.txt": "broken too"})
			err := notification.New(notification.Settings{Templates: root}, notification.Dependencies{}).Open()
			if err == nil {
				t.Fatal("got no error, want one at the start")
			}
			for _, want := range []string{
				"notification.templates: " + filepath.Join(root, filepath.FromSlash(test.file)) + ": " + test.want,
				filepath.Join(root, "patient", "OrderEvent.deleted.txt"), // all of them at once
			} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want %q in it", err, want)
				}
			}
		})
	}
	if err := notification.New(notification.Settings{Templates: "missing"}, notification.Dependencies{}).Open(); err == nil || !strings.Contains(err.Error(), `notification.templates: reading "missing": no such file or directory`) {
		t.Errorf("got %v, want an error that names the setting and the directory", err)
	}
}

// Ensure a team's texts count, also as Kubernetes mounts them: links to a hidden folder.
func TestTeamsTextsReplaceTheDefaults(t *testing.T) {
	t.Parallel()
	root := folder(t, map[string]string{
		"..data/shipped": "Subject: {{.orderId}}\r\n\r\n{{range $i, $x := .status}}{{end}}On the way since {{.timestamp}}\r\nto {{.pharmacyId}}: {{.totalPrice}} {{.deliveryDate}}\r\n",
	})
	if err := os.Mkdir(filepath.Join(root, "patient"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../..data/shipped", filepath.Join(root, "patient", "OrderEvent.shipped.txt")); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(root, "..data", "shipped"))
	if err != nil {
		t.Fatal(err)
	}
	plain := strings.Replace(string(content), "{{range $i, $x := .status}}{{end}}", "", 1)
	if err := os.WriteFile(filepath.Join(root, "..data", "shipped"), []byte(plain), 0o600); err != nil {
		t.Fatal(err)
	}
	m := newMailbox(t, nil, nil, false)
	settings := mailed(m.address)
	settings.Templates, settings.PHITemplates = root, true
	o := newOffice(t, settings, patientAt("smtp", "pat-1@example.org"))
	done(t, o.deliver(shipped()))
	text := m.letters()[0].text
	for _, want := range []string{"Subject: e-1\r\n", "On the way since 2024-12-25T10:30:00Z\r\nto p-1: 66613.13 1999-12-25T03:33:33"} {
		if !strings.Contains(text, want) {
			t.Errorf("got %s, want %q in it", text, want)
		}
	}
}

// Ensure an empty file takes a text away: who has none is not told, and an event of which nobody is told is skipped.
func TestEmptyFileTellsNobody(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, nil)
	settings := hooked()
	settings.Templates = folder(t, map[string]string{"pharmacy/OrderEvent.shipped.txt": "\n"})
	everybody := func(context.Context, notification.Audience, string) (notification.Recipient, bool, error) {
		return notification.Recipient{Channel: "webhook", Address: r.URL}, true, nil
	}
	o := newOffice(t, settings, everybody)
	done(t, o.deliver(shipped()))
	o.wantCounts(map[string]int{"patient webhook sent": 1, "pharmacy  no_template": 1})
	settings.Templates = folder(t, map[string]string{"pharmacy/OrderEvent.shipped.txt": "", "patient/OrderEvent.shipped.txt": ""})
	o = newOffice(t, settings, everybody)
	if got := o.deliver(shipped())[0]; got.Outcome != record.Skipped || got.Reason != "no_template" {
		t.Errorf("got %s for %q, want the record skipped for no_template", got.Outcome, got.Reason)
	}
}
