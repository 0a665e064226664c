package messages_test

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/prantikov/millrace/messages"
)

func TestSamplesAreGoldens(t *testing.T) {
	t.Parallel()
	for _, declared := range messages.Types() {
		for _, action := range declared.Actions() {
			t.Run(declared.Name()+"."+string(action), func(t *testing.T) {
				t.Parallel()
				sample := declared.Sample(action)
				decoded, err := declared.Decode(sample)
				if err != nil {
					t.Fatal(err)
				}
				if decoded.Action != action || decoded.Normalised || decoded.Check() != nil {
					t.Errorf("got action %s, normalised %v, check %v, want %s, false, none", decoded.Action, decoded.Normalised, decoded.Check(), action)
				}
				if got := encoded(t, decoded.Body); !bytes.Equal(got, sample) {
					t.Errorf("got %s, want the sample %s", got, sample)
				}
			})
		}
		if got := declared.Sample("teleported"); got != nil {
			t.Errorf("got %s, want no sample of an unknown action", got)
		}
	}
}

func TestSampleIsACopy(t *testing.T) {
	t.Parallel()
	messages.Orders.Sample(messages.Created)[0] = 'x'
	if got := messages.Orders.Sample(messages.Created)[0]; got != '{' {
		t.Errorf("got %q, want {", got)
	}
}

func TestEncodingIsWhatJavaReads(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name  string
		event messages.OrderEvent
		want  string
	}{
		{
			"what is unset is null",
			messages.OrderEvent{OrderID: "o", Action: messages.Created},
			`{"orderId":"o","patientId":null,"pharmacyId":null,"totalPrice":null,"status":null,"orderDate":null,"deliveryDate":null,"items":null,"action":"created"}`,
		},
		{
			"quantity and price are never null",
			messages.OrderEvent{OrderID: "o", Action: messages.Created, Items: []messages.OrderItemEvent{{ProductID: "p"}}},
			`{"orderId":"o","patientId":null,"pharmacyId":null,"totalPrice":null,"status":null,"orderDate":null,"deliveryDate":null,"items":[{"productId":"p","quantity":0,"price":0.0}],"action":"created"}`,
		},
		{
			"no items are an empty list",
			messages.OrderEvent{OrderID: "o", Action: messages.Created, Items: []messages.OrderItemEvent{}, TotalPrice: messages.NumberOf(1e7)},
			`{"orderId":"o","patientId":null,"pharmacyId":null,"totalPrice":1.0E7,"status":null,"orderDate":null,"deliveryDate":null,"items":[],"action":"created"}`,
		},
		{
			"only what JSON asks for is escaped",
			messages.OrderEvent{OrderID: "<a&b>'/\u2028\u2029\u007f\ufeff🤒\"\\\n\u0001", Action: messages.Created},
			`{"orderId":"<a&b>'/` + "\u2028\u2029\u007f\ufeff🤒" + `\"\\\n\u0001","patientId":null,"pharmacyId":null,"totalPrice":null,"status":null,"orderDate":null,"deliveryDate":null,"items":null,"action":"created"}`,
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := messages.Encode(messages.Orders, &c.event)
			if err != nil || string(got) != c.want {
				t.Errorf("got %s and %v, want %s", got, err, c.want)
			}
		})
	}
}

func TestEncodeRefusesWhatDecodeWouldRefuse(t *testing.T) {
	t.Parallel()
	good := messages.AppointmentEvent{AppointmentID: "apt-1", Action: messages.Created}
	cases := []struct {
		name   string
		change func(*messages.AppointmentEvent)
		class  string
		field  string
	}{
		{"no id", func(e *messages.AppointmentEvent) { e.AppointmentID = "" }, "missing_field", ""},
		{"no action", func(e *messages.AppointmentEvent) { e.Action = "" }, "missing_field", ""},
		{"an action of another type", func(e *messages.AppointmentEvent) { e.Action = messages.Shipped }, "unknown_action", ""},
		{"an action in another spelling", func(e *messages.AppointmentEvent) { e.Action = "CREATED" }, "unknown_action", ""},
		{"an unknown status", func(e *messages.AppointmentEvent) { e.Status = "lost" }, "unknown_status", "status"},
		{"a status in another spelling", func(e *messages.AppointmentEvent) { e.Status = "SCHEDULED" }, "unknown_status", "status"},
		{"an impossible time", func(e *messages.AppointmentEvent) { e.Time = "25:00" }, "invalid_value", "time"},
		{"invalid UTF-8", func(e *messages.AppointmentEvent) { e.Reason = "a\xff" }, "invalid_value", "reason"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			event := good
			c.change(&event)
			_, err := messages.Encode(messages.Appointments, &event)
			checkRefusal(t, err, c.class, c.field)
		})
	}
	_, err := messages.Encode(messages.Appointments, nil)
	checkRefusal(t, err, "missing_field", "")
}

func TestEncodeRefusesNumbersThatAreNotFinite(t *testing.T) {
	t.Parallel()
	for _, value := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		event := messages.OrderEvent{OrderID: "o", Action: messages.Created, TotalPrice: messages.NumberOf(value)}
		_, err := messages.Encode(messages.Orders, &event)
		checkRefusal(t, err, "invalid_value", "totalPrice")
	}
}

func TestKindSetsTheActionOfACopy(t *testing.T) {
	t.Parallel()
	event := messages.OrderEvent{OrderID: "ord-1", Status: "shipped", Action: messages.Created}
	key, value, err := messages.OrderShipped.Encode(event)
	if err != nil || string(key) != "ord-1" || !strings.HasSuffix(string(value), `"action":"shipped"}`) {
		t.Errorf("got key %s, value %s, error %v, want ord-1 and shipped", key, value, err)
	}
	if event.Action != messages.Created {
		t.Errorf("got the caller's action changed to %s, want created", event.Action)
	}
	if _, _, err := messages.OrderShipped.Encode(messages.OrderEvent{}); classOf(t, err) != "missing_field" {
		t.Errorf("got %v, want missing_field", err)
	}
}

func TestParseNumberTakesJSONNumbersAlone(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"1", "-1.50", "1e5", "0"} {
		if got, err := messages.ParseNumber(text); err != nil || got.String() != text {
			t.Errorf("got %s and %v, want %s", got, err, text)
		}
	}
	for _, text := range []string{"", " 1", "1 ", "+1", "01", ".5", "1.", "NaN", "1e400", "secret", "1,5"} {
		if _, err := messages.ParseNumber(text); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("got %v for %q, want an error that does not quote it", err, text)
		}
	}
	if (messages.Number{}).Float64() != 0 {
		t.Error("got a value of an unset number, want 0")
	}
}
