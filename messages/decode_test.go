package messages_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/prantikov/millrace/messages"
)

// event puts members into an appointment event that has its id and action.
func event(members string) string {
	return `{"appointmentId":"apt-1","action":"created"` + members + `}`
}

// order puts members into an order event that has its id and action.
func order(members string) string {
	return `{"orderId":"ord-1","action":"created"` + members + `}`
}

func TestBadInputIsRefusedWithItsClass(t *testing.T) {
	t.Parallel()
	deep := func(levels int) string {
		return strings.Repeat(`{"a":[`, levels/2) + strings.Repeat(`]}`, levels/2)
	}
	cases := []struct {
		name    string
		payload string
		class   string
		field   string
	}{
		{name: "an empty value is empty_value", payload: "", class: "empty_value"},
		{name: "the text null is a tombstone", payload: " null\n", class: "tombstone"},
		{name: "the text null behind a byte order mark is a tombstone", payload: "\ufeffnull", class: "tombstone"},
		{name: "blanks are malformed", payload: "  \n", class: "malformed"},
		{name: "a truncated object is malformed", payload: `{"appointmentId":"apt-1",`, class: "malformed"},
		{name: "an array is malformed", payload: `[]`, class: "malformed"},
		{name: "a text is malformed", payload: `"x"`, class: "malformed"},
		{name: "no JSON is malformed", payload: `hello`, class: "malformed"},
		{name: "text after the object is malformed", payload: event("") + " x", class: "malformed"},
		{name: "a second object is malformed", payload: event("") + event(""), class: "malformed"},
		{name: "a repeated name is malformed", payload: event(`,"action":"updated"`), class: "malformed"},
		{name: "a repeated name behind an escape is malformed", payload: event(`,"\u0061ction":"updated"`), class: "malformed"},
		{name: "a repeated unknown name is malformed", payload: event(`,"z":1,"z":2`), class: "malformed"},
		{name: "a repeated name inside an unknown property is malformed", payload: event(`,"z":{"a":1,"a":2}`), class: "malformed"},
		{name: "invalid UTF-8 is malformed", payload: event(`,"reason":"` + "\xc3\x28" + `"`), class: "malformed"},
		{name: "half a surrogate pair is malformed", payload: event(`,"reason":"\ud83e"`), class: "malformed"},
		{name: "a raw control character is malformed", payload: event(",\"reason\":\"a\tb\""), class: "malformed"},
		{name: "an impossible date before a truncation is malformed", payload: `{"appointmentId":"apt-1","date":"2024-02-30","acti`, class: "malformed"},
		{name: "65 levels are malformed", payload: event(`,"z":` + deep(64)), class: "malformed"},
		{name: "100,000 levels are malformed", payload: event(`,"z":` + deep(100_000)), class: "malformed"},
		{name: "an impossible date is invalid", payload: event(`,"date":"2024-02-30"`), class: "invalid_value", field: "date"},
		{name: "a date as a bean is invalid", payload: event(`,"date":{"year":2024,"monthValue":12,"dayOfMonth":25}`), class: "invalid_value", field: "date"},
		{name: "an impossible time is invalid", payload: event(`,"time":"24:00"`), class: "invalid_value", field: "time"},
		{name: "a text as an object is invalid", payload: event(`,"reason":{"x":1}`), class: "invalid_value", field: "reason"},
		{name: "a text as a list is invalid", payload: event(`,"status":["scheduled"]`), class: "invalid_value", field: "status"},
		{name: "a number for text does not hide an impossible date", payload: event(`,"reason":1,"date":"2024-02-30"`), class: "invalid_value", field: "date"},
		{name: "an event without its id misses a field", payload: `{"action":"created"}`, class: "missing_field"},
		{name: "a null id misses a field", payload: `{"appointmentId":null,"action":"created"}`, class: "missing_field"},
		{name: "an empty id misses a field", payload: `{"appointmentId":"","action":"created"}`, class: "missing_field"},
		{name: "a blank id misses a field", payload: `{"appointmentId":"  ","action":"created"}`, class: "missing_field"},
		{name: "an event without an action misses a field", payload: `{"appointmentId":"apt-1"}`, class: "missing_field"},
		{name: "a null action misses a field", payload: `{"appointmentId":"apt-1","action":null}`, class: "missing_field"},
		{name: "a name in another case is another name", payload: `{"appointmentId":"apt-1","Action":"created"}`, class: "missing_field"},
		{name: "an unknown action is unknown", payload: `{"appointmentId":"apt-1","action":"teleported"}`, class: "unknown_action"},
		{name: "an action of another type is unknown", payload: `{"appointmentId":"apt-1","action":"shipped"}`, class: "unknown_action"},
		{name: "a number for an action is unknown", payload: `{"appointmentId":"apt-1","action":1}`, class: "unknown_action"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := messages.Appointments.Decode([]byte(c.payload))
			checkRefusal(t, err, c.class, c.field)
		})
	}
}

func TestBadOrdersAreRefused(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name    string
		members string
		class   string
		field   string
	}{
		{"NaN is malformed", `,"totalPrice":NaN`, "malformed", ""},
		{"NaN in quotes is invalid", `,"totalPrice":"NaN"`, "invalid_value", "totalPrice"},
		{"minus Infinity in quotes is invalid", `,"totalPrice":"-Infinity"`, "invalid_value", "totalPrice"},
		{"a number beyond the doubles is invalid", `,"totalPrice":1e309`, "invalid_value", "totalPrice"},
		{"310 digits are invalid", `,"totalPrice":1` + strings.Repeat("0", 309), "invalid_value", "totalPrice"},
		{"a truth value as a number is invalid", `,"totalPrice":true`, "invalid_value", "totalPrice"},
		{"a decimal comma is invalid", `,"totalPrice":"1,5"`, "invalid_value", "totalPrice"},
		{"a hexadecimal number is invalid", `,"totalPrice":"0x1p3"`, "invalid_value", "totalPrice"},
		{"two numbers in quotes are invalid", `,"totalPrice":"1 2"`, "invalid_value", "totalPrice"},
		{"an infinite price of an item is invalid", `,"items":[{},{"price":"Infinity"}]`, "invalid_value", "items[1].price"},
		{"a fraction as quantity is invalid", `,"items":[{"quantity":3.7}]`, "invalid_value", "items[0].quantity"},
		{"a tiny fraction as quantity is invalid", `,"items":[{"quantity":3.00000000000000000001}]`, "invalid_value", "items[0].quantity"},
		{"a quantity beyond Java's int is invalid", `,"items":[{"quantity":2147483648}]`, "invalid_value", "items[0].quantity"},
		{"a quantity below Java's int is invalid", `,"items":[{"quantity":-2147483649}]`, "invalid_value", "items[0].quantity"},
		{"a quantity with a huge exponent is invalid", `,"items":[{"quantity":1e999999999999}]`, "invalid_value", "items[0].quantity"},
		{"a quantity of a small exponent is invalid", `,"items":[{"quantity":1e-2}]`, "invalid_value", "items[0].quantity"},
		{"items as an object are invalid", `,"items":{}`, "invalid_value", "items"},
		{"an item as text is invalid", `,"items":["secret"]`, "invalid_value", "items[0]"},
		{"a date alone as a date-time is invalid", `,"orderDate":"2024-12-25"`, "invalid_value", "orderDate"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := messages.Orders.Decode([]byte(order(c.members)))
			checkRefusal(t, err, c.class, c.field)
		})
	}
}

func checkRefusal(t *testing.T, err error, class, field string) {
	t.Helper()
	var refused *messages.Error
	if !errors.As(err, &refused) {
		t.Fatalf("got error %v, want class %s", err, class)
	}
	if refused.Class != class || refused.Field != field {
		t.Errorf("got class %s, field %q, want %s, %q", refused.Class, refused.Field, class, field)
	}
	if errors.Unwrap(err) != nil {
		t.Error("got a wrapped error, whose text may quote the payload, want none")
	}
}

func TestNilIsATombstone(t *testing.T) {
	t.Parallel()
	if got := classOf(t, second(messages.Orders.Decode(nil))); got != "tombstone" {
		t.Errorf("got class %q, want tombstone", got)
	}
}

func TestRefusalsNeverQuoteThePayload(t *testing.T) {
	t.Parallel()
	payloads := []string{
		`{"secret":`,
		`secret`,
		event(`,"date":"secret"`),
		event(`,"secret":1,"secret":2`),
		event(`,"reason":{"secret":"secret"}`),
		event(`,"reason":"secret` + "\xff" + `"`),
		event(``) + "secret",
		`{"appointmentId":"secret","action":"secret"}`,
		`{"appointmentId":"secret","patientId":"secret"}`,
	}
	for _, payload := range payloads {
		_, err := messages.Appointments.Decode([]byte(payload))
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("got %v for %s, want an error without secret", err, payload)
		}
	}
	status := messages.AppointmentEvent{Status: "secret"}
	if err := messages.Check(&status); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v, want an error without secret", err)
	}
}

func TestErrorTextSaysWhatWasTriedAndWhatIsWanted(t *testing.T) {
	t.Parallel()
	_, err := messages.Orders.Decode([]byte(order(`,"items":[{"price":"x"}]`)))
	if got, want := err.Error(), "reading OrderEvent: items[0].price: want a finite number or null"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTolerantInputIsRead(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name    string
		payload string
		want    messages.AppointmentEvent
	}{
		{"a byte order mark is passed over", "\ufeff" + event(""), messages.AppointmentEvent{}},
		{"blanks around the object are passed over", "\n\t " + event("") + " \r\n", messages.AppointmentEvent{}},
		{"unknown properties are passed over", event(`,"z":{"a":[1,{"b":null}]},"AppointmentId":"other"`), messages.AppointmentEvent{}},
		{"null is unset in every other field", event(`,"patientId":null,"doctorId":null,"date":null,"time":null,"reason":null,"status":null,"visitType":null`), messages.AppointmentEvent{}},
		{"a number in a text field keeps its text", event(`,"reason":1.50,"patientId":12345678901234567890`), messages.AppointmentEvent{Reason: "1.50", PatientID: "12345678901234567890"}},
		{"a truth value in a text field keeps its text", event(`,"reason":true`), messages.AppointmentEvent{Reason: "true"}},
		{"a time of a LocalTime is read", event(`,"time":[10,30]`), messages.AppointmentEvent{Time: "10:30"}},
		{"a time with seconds of zero loses them", event(`,"time":"10:30:00"`), messages.AppointmentEvent{Time: "10:30"}},
		{"a time with seconds keeps them", event(`,"time":[9,5,7]`), messages.AppointmentEvent{Time: "09:05:07"}},
		{"a blank time is unset", event(`,"time":" "`), messages.AppointmentEvent{}},
		{"an escaped time is read", event(`,"time":"\u00310:30"`), messages.AppointmentEvent{Time: "10:30"}},
		{"an unknown status is for Check alone", event(`,"status":"lost"`), messages.AppointmentEvent{Status: "lost"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			decoded, err := messages.Appointments.Decode([]byte(c.payload))
			if err != nil {
				t.Fatal(err)
			}
			c.want.AppointmentID, c.want.Action = "apt-1", messages.Created
			if got := *decoded.Body.(*messages.AppointmentEvent); got != c.want {
				t.Errorf("got another event than wanted: %s, want %s", encoded(t, &got), encoded(t, &c.want))
			}
			if decoded.Normalised || decoded.Action != messages.Created || decoded.EntityID != "apt-1" {
				t.Errorf("got %v %q %q, want false, created, apt-1", decoded.Normalised, decoded.Action, decoded.EntityID)
			}
		})
	}
}

func TestIDThatIsANumberKeepsItsText(t *testing.T) {
	t.Parallel()
	decoded, err := messages.Orders.Decode([]byte(`{"orderId":9007199254740993,"action":"created"}`))
	if err != nil || decoded.EntityID != "9007199254740993" {
		t.Errorf("got %q and %v, want 9007199254740993", decoded.EntityID, err)
	}
}

func TestSixtyFourLevelsAreRead(t *testing.T) {
	t.Parallel()
	inner := strings.Repeat(`[`, 63) + strings.Repeat(`]`, 63)
	for _, members := range []string{`,"z":` + inner, `,"reason":"` + strings.Repeat(`[{\"`, 200) + `"`} {
		if _, err := messages.Appointments.Decode([]byte(event(members))); err != nil {
			t.Errorf("got %v, want none for %s", err, members)
		}
	}
}

func TestQuantityIsReadHoweverItIsWritten(t *testing.T) {
	t.Parallel()
	cases := map[string]messages.Integer{
		`3`: 3, `"3"`: 3, `3.0`: 3, `"3.0"`: 3, `3e0`: 3, `0.3E1`: 3, `30e-1`: 3, `null`: 0, `""`: 0, `" "`: 0, `-0`: 0, `0e9`: 0,
		`2147483647`: 2147483647, `-2147483648`: -2147483648, `2.147483647e9`: 2147483647,
	}
	for written, want := range cases {
		decoded, err := messages.Orders.Decode([]byte(order(`,"items":[{"quantity":` + written + `}]`)))
		if err != nil {
			t.Errorf("got %v for %s, want %d", err, written, want)
			continue
		}
		if got := decoded.Body.(*messages.OrderEvent).Items[0].Quantity; got != want {
			t.Errorf("got %d for %s, want %d", got, written, want)
		}
	}
}

func TestNumbersKeepTheirText(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		`149.990`: "149.990", `"149.99"`: "149.99", `" 1.5 "`: "1.5", `-0`: "-0", `1E+7`: "1E+7", `4.9E-324`: "4.9E-324",
		`1.7976931348623157E308`: "1.7976931348623157E308", `1.2E17`: "1.2E17", `123456789012345678901234567890.10`: "123456789012345678901234567890.10",
		`null`: "", `""`: "", `"  "`: "", `1e-400`: "1e-400",
	}
	for written, want := range cases {
		decoded, err := messages.Orders.Decode([]byte(order(`,"totalPrice":` + written)))
		if err != nil {
			t.Errorf("got %v for %s, want %q", err, written, want)
			continue
		}
		got := decoded.Body.(*messages.OrderEvent).TotalPrice
		if got.String() != want || got.IsSet() != (want != "") {
			t.Errorf("got %q for %s, want %q", got, written, want)
		}
	}
}

func TestSpellingOfFixedWordsIsNormalised(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name       string
		declared   messages.Type
		payload    string
		want       string
		normalised bool
	}{
		{"upper case", messages.Appointments, event(`,"visitType":"IN_PERSON","status":"SCHEDULED"`), `"status":"scheduled","visitType":"in_person"`, true},
		{"a hyphen", messages.Appointments, event(`,"visitType":"in-person"`), `"visitType":"in_person"`, true},
		{"the action", messages.Orders, `{"orderId":"o","action":"SHIPPED"}`, `"action":"shipped"`, true},
		{"the record type", messages.HealthRecords, `{"recordId":"r","recordType":"Lab-Result","action":"created"}`, `"recordType":"lab_result"`, true},
		{"as in the contract", messages.Appointments, event(`,"visitType":"in_person"`), `"visitType":"in_person"`, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			decoded, err := c.declared.Decode([]byte(c.payload))
			if err != nil {
				t.Fatal(err)
			}
			if got := string(encoded(t, decoded.Body)); !strings.Contains(got, c.want) || decoded.Normalised != c.normalised {
				t.Errorf("got %s, normalised %v, want %s in it, %v", got, decoded.Normalised, c.want, c.normalised)
			}
			if err := decoded.Check(); err != nil {
				t.Errorf("got %v, want no objection", err)
			}
		})
	}
}

func TestCheckOfWhatWasDecodedRefusesUnknownWords(t *testing.T) {
	t.Parallel()
	decoded, err := messages.Appointments.Decode([]byte(event(`,"status":"lost"`)))
	if err != nil {
		t.Fatal(err)
	}
	checkRefusal(t, decoded.Check(), "unknown_status", "status")
	checkRefusal(t, messages.Decoded{Body: decoded.Body}.Check(), "unknown_status", "status")
	decoded.Body = &messages.OrderEvent{Status: "lost"}
	checkRefusal(t, decoded.Check(), "unknown_status", "status")
}

func TestCheckRefusesUnknownWords(t *testing.T) {
	t.Parallel()
	cases := []struct {
		body  any
		field string // empty when the body is good
	}{
		{&messages.AppointmentEvent{Status: "lost"}, "status"},
		{&messages.AppointmentEvent{VisitType: "by_post"}, "visitType"},
		{&messages.AppointmentEvent{Status: "confirmed", VisitType: "virtual"}, ""},
		{&messages.AppointmentEvent{}, ""},
		{&messages.PrescriptionEvent{Status: "scheduled"}, "status"},
		{&messages.OrderEvent{Status: "cancelled"}, "status"},
		{&messages.HealthRecordEvent{RecordType: "x_ray"}, "recordType"},
		{&visit{Mood: "grim"}, "mood"},
		{&visit{Mood: "fair"}, ""},
		{nil, ""},
		{"text", ""},
	}
	for _, c := range cases {
		err := messages.Check(c.body)
		if c.field == "" {
			if err != nil {
				t.Errorf("%T: got %v, want none", c.body, err)
			}
			continue
		}
		checkRefusal(t, err, "unknown_status", c.field)
	}
}
