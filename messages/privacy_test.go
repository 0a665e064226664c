package messages_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prantikov/millrace/messages"
)

func TestMaskedShowsOnlyWhatIsKnownToBeHarmless(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name     string
		declared messages.Type
		value    string
		want     string // empty for nil
	}{
		{"an event", messages.Appointments, `{"appointmentId":"apt-1","patientId":"secret","date":[2024,12,25],"reason":null,"status":"scheduled","action":"created"}`,
			`{"appointmentId":"apt-1","patientId":"•••","date":"•••","reason":"•••","status":"scheduled","action":"created"}`},
		{"unknown names with their values", messages.Appointments, `{"appointmentId":"apt-1","secret":1,"Reason":"secret","secret2":{"status":"secret"}}`,
			`{"appointmentId":"apt-1","•••":"•••"}`},
		{"items", messages.Orders, `{"orderId":"ord-1","totalPrice":1.5,"items":[{"productId":"secret"}]}`, `{"orderId":"ord-1","totalPrice":"•••","items":"•••"}`},
		{"known names of another shape", messages.Appointments, `{"appointmentId":["secret"],"status":{"secret":1},"visitType":null}`,
			`{"appointmentId":"•••","status":"•••","visitType":null}`},
		{"words that are none of the contract's", messages.Orders, `{"orderId":"ord-1","status":"Maria Müller called","action":"sécret"}`,
			`{"orderId":"ord-1","status":"••• (19 characters)","action":"••• (6 characters)"}`},
		{"words in another spelling", messages.Appointments, `{"appointmentId":"apt-1","status":"SCHEDULED","visitType":"In-Person","action":"CREATED"}`,
			`{"appointmentId":"apt-1","status":"SCHEDULED","visitType":"In-Person","action":"CREATED"}`},
		{"text where the type has a number", newVisits(), `{"id":"v-1","done":"secret","count":"secret","action":""}`, `{"id":"v-1","done":"•••","count":"•••","action":""}`},
		{"a type of a plugin, inside too", newVisits(), visitJSON,
			`{"id":"v-1","mood":"FAIR","address":{"street":"•••","ward":"3b","•••":"•••"},"notes":[{"text":"•••","code":"A1"},null,"•••"],` +
				`"labels":["x","•••"],"free":"•••","again":"•••","done":true,"count":3,"on":"•••","action":"begun"}`},
		{"Confluent's framing is taken off", messages.Orders, "\x00\x00\x00\x00\x01{\"orderId\":\"ord-1\"}", `{"orderId":"ord-1"}`},
		{"a byte order mark is taken off", messages.Orders, "\ufeff{\"orderId\":\"ord-1\"}", `{"orderId":"ord-1"}`},
		{"control characters are escaped", messages.Orders, `{"orderId":"\u001b[2J"}`, `{"orderId":"\u001b[2J"}`},
		{"an unknown type hides all", foreign{messages.Orders}, `{"orderId":"ord-1"}`, `{"•••":"•••"}`},
		{"truncated JSON is unreadable", messages.Orders, `{"orderId":"secret"`, ""},
		{"text after the object is unreadable", messages.Orders, `{"orderId":"ord-1"} secret`, ""},
		{"a repeated name is unreadable", messages.Orders, `{"orderId":"1","orderId":"2"}`, ""},
		{"no object is unreadable", messages.Orders, `["secret"]`, ""},
		{"an empty value is unreadable", messages.Orders, ``, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := messages.Masked(c.declared, []byte(c.value))
			if string(got) != c.want || (c.want == "") != (got == nil) {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// foreign is a Type that is not one of ours.
type foreign struct{ inner messages.Type }

func (f foreign) Topic() string                                   { return f.inner.Topic() }
func (f foreign) Name() string                                    { return f.inner.Name() }
func (f foreign) Actions() []messages.Action                      { return f.inner.Actions() }
func (f foreign) PHI() []string                                   { return nil }
func (f foreign) Columns() []messages.Column                      { return nil }
func (f foreign) Sample(a messages.Action) []byte                 { return f.inner.Sample(a) }
func (f foreign) Decode(payload []byte) (messages.Decoded, error) { return f.inner.Decode(payload) }

// secretEvents are events of all four types whose patient data is the word secret, or a date of 1999 or the price 66613.
func secretEvents(t *testing.T) []messages.Decoded {
	t.Helper()
	payloads := []struct {
		declared messages.Type
		payload  string
	}{
		{messages.Appointments, `{"appointmentId":"id-1","patientId":"secret","doctorId":"who-1","date":"1999-12-25","time":"10:30","reason":"secret","status":"scheduled","visitType":"virtual","action":"created"}`},
		{messages.Prescriptions, `{"prescriptionId":"id-1","patientId":"secret","doctorId":"who-1","medication":"secret","dosage":"secret","frequency":"secret","startDate":"1999-12-25","endDate":"1999-12-25","status":"active","action":"created"}`},
		{messages.Orders, `{"orderId":"id-1","patientId":"secret","pharmacyId":"who-1","totalPrice":66613,"status":"pending","orderDate":"1999-12-25T10:30","deliveryDate":"1999-12-25T10:30","items":[{"productId":"secret","quantity":66613,"price":66613}],"action":"created"}`},
		{messages.HealthRecords, `{"recordId":"id-1","patientId":"secret","doctorId":"who-1","recordType":"diagnosis","description":"secret","recordDate":"1999-12-25","action":"created"}`},
	}
	events := make([]messages.Decoded, len(payloads))
	for i, p := range payloads {
		decoded, err := p.declared.Decode([]byte(p.payload))
		if err != nil {
			t.Fatal(err)
		}
		events[i] = decoded
	}
	return events
}

func checkPrinted(t *testing.T, how, printed string) {
	t.Helper()
	for _, hidden := range []string{"secret", "1999", "10:30", "66613", "115 101 99", "736563"} { // as text, as bytes, in hexadecimal
		if strings.Contains(printed, hidden) {
			t.Errorf("%s: got %q, want nothing of %q", how, printed, hidden)
		}
	}
	for _, shown := range []string{"id-1", "who-1"} {
		if !strings.Contains(printed, shown) {
			t.Errorf("%s: got %q, want %q in it", how, printed, shown)
		}
	}
}

func TestPrintedEventsHidePatientData(t *testing.T) {
	t.Parallel()
	verbs := []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"}
	for _, decoded := range secretEvents(t) {
		whole := messages.Event[any]{Body: decoded.Body, Meta: messages.Meta{Key: []byte("secret"), Timestamp: time.Unix(0, 0)}}
		for _, verb := range verbs {
			checkPrinted(t, verb+" of a body", fmt.Sprintf(verb, decoded.Body))
			checkPrinted(t, verb+" of what was decoded", fmt.Sprintf(verb, decoded))
			checkPrinted(t, verb+" of an event", fmt.Sprintf(verb, whole))
			checkPrinted(t, verb+" of a pointer to an event", fmt.Sprintf(verb, &whole))
		}
		var log bytes.Buffer
		for _, handler := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
			log.Reset()
			slog.New(handler).Info("got", "body", decoded.Body, "event", whole, "pointer", &whole, "decoded", decoded)
			checkPrinted(t, fmt.Sprintf("%T", handler), strings.ReplaceAll(log.String(), `time="`, ""))
		}
	}
}

func TestPrintedValuesHidePatientData(t *testing.T) {
	t.Parallel()
	order := secretEvents(t)[2].Body.(*messages.OrderEvent)
	typed := messages.Event[messages.OrderEvent]{Body: *order, Meta: messages.Meta{Key: []byte("secret")}}
	checkPrinted(t, "a value", fmt.Sprint(*order))
	checkPrinted(t, "a typed event", fmt.Sprintf("%+v", typed))
	checkPrinted(t, "a list", fmt.Sprint([]messages.OrderEvent{*order}))
	if got := fmt.Sprintf("%+v", order.Items[0]); strings.Contains(got, "secret") {
		t.Errorf("got %q, want nothing of the item", got)
	}
	if got := fmt.Sprintf("%+v", messages.Meta{Key: []byte("secret")}); strings.Contains(got, "secret") || strings.Contains(got, "115") {
		t.Errorf("got %q, want nothing of the key", got)
	}
}

func TestVisibleShowsPluginsFields(t *testing.T) {
	t.Parallel()
	on, err := messages.ParseDate("1999-12-25")
	if err != nil {
		t.Fatal(err)
	}
	event := visit{ID: "v-1", Done: true, Count: 3, On: on, Address: address{Street: "secret", Ward: "3b"}, Notes: []note{{Text: "secret"}}}
	if got, want := messages.Visible(&event).String(), "[id=v-1 address=[ward=3b] done=true count=3]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, nothing := range []any{nil, "secret", (*visit)(nil)} {
		if got := messages.Visible(nothing).String(); got != "[]" {
			t.Errorf("got %s, want nothing", got)
		}
	}
}

func TestPrintedEncodedEventsHideTheirValue(t *testing.T) {
	t.Parallel()
	encoded, err := messages.OrderShipped.Outgoing(messages.OrderEvent{OrderID: "id-1", PatientID: "secret", PharmacyID: "who-1"})
	if err != nil {
		t.Fatal(err)
	}
	printed := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		printed[verb] = fmt.Sprintf(verb, encoded)
		printed[verb+" of a pointer"] = fmt.Sprintf(verb, &encoded)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("sent", "encoded", encoded)
	printed["slog"] = log.String()
	for how, got := range printed {
		for _, hidden := range []string{"secret", "patientId", "115 101", "736563", "c2VjcmV0"} { // as text, as bytes, in hexadecimal, in base64
			if strings.Contains(got, hidden) {
				t.Errorf("%s: got %q, want nothing of the value", how, got)
			}
		}
		if !strings.Contains(got, "OrderEvent") || !strings.Contains(got, "id-1") {
			t.Errorf("%s: got %q, want type and entity in it", how, got)
		}
	}
	if got := fmt.Sprint(messages.Encoded{}); !strings.HasPrefix(got, "Encoded[") {
		t.Errorf("nothing encoded: got %q, want it to print all the same", got)
	}
}
