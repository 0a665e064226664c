package messages_test

import (
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/prantikov/millrace/messages"
)

// text draws what a text field can hold, the empty text among it.
func text(t *rapid.T, label string) string { return rapid.String().Draw(t, label) }

func drawDateTime(t *rapid.T, label string) messages.DateTime {
	if rapid.Bool().Draw(t, label+" unset") {
		return messages.DateTime{}
	}
	seconds := rapid.Int64Range(-62_167_219_200-400*86_400, 253_402_300_799+400*86_400).Draw(t, label) // years -1 to 10000
	return messages.DateTimeOf(time.Unix(seconds, rapid.Int64Range(0, 999_999_999).Draw(t, label+" nanoseconds")).UTC())
}

func drawNumber(t *rapid.T, label string) messages.Number {
	return messages.NumberOf(rapid.Float64().Filter(func(v float64) bool { return v-v == 0 }).Draw(t, label))
}

func TestEveryOrderSurvivesTheWire(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		order := messages.OrderEvent{
			OrderID:      rapid.StringMatching(`[a-z]\PC*`).Draw(t, "id"),
			PatientID:    text(t, "patient"),
			PharmacyID:   text(t, "pharmacy"),
			TotalPrice:   drawNumber(t, "total"),
			Status:       rapid.SampledFrom([]string{"", "pending", "processing", "shipped", "delivered"}).Draw(t, "status"),
			OrderDate:    drawDateTime(t, "ordered"),
			DeliveryDate: drawDateTime(t, "delivered"),
			Action:       rapid.SampledFrom(messages.Orders.Actions()).Draw(t, "action"),
		}
		for range rapid.IntRange(0, 3).Draw(t, "items") {
			order.Items = append(order.Items, messages.OrderItemEvent{
				ProductID: text(t, "product"),
				Quantity:  messages.Integer(rapid.Int32().Draw(t, "quantity")),
				Price:     drawNumber(t, "price"),
			})
		}
		value, err := messages.Encode(messages.Orders, &order)
		if err != nil {
			t.Fatal(err)
		}
		decoded, err := messages.Orders.Decode(value)
		if err != nil {
			t.Fatal(err)
		}
		if got := decoded.Body.(*messages.OrderEvent); !reflect.DeepEqual(*got, order) {
			t.Errorf("got another order from %s", value)
		}
		if decoded.EntityID != order.OrderID || decoded.Action != order.Action || decoded.Normalised {
			t.Errorf("got %q, %q, want %q, %q", decoded.EntityID, decoded.Action, order.OrderID, order.Action)
		}
	})
}

func TestEveryAppointmentSurvivesTheWire(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		appointment := messages.AppointmentEvent{
			AppointmentID: rapid.StringMatching(`[a-z]{1,5}-[0-9]{1,9}`).Draw(t, "id"),
			PatientID:     text(t, "patient"),
			DoctorID:      text(t, "doctor"),
			Date:          drawDateTime(t, "date").Date(),
			Time:          messages.TimeOfDay(rapid.SampledFrom([]string{"", "00:00", "10:30", "23:59", "10:30:05", "10:30:05.12"}).Draw(t, "time")),
			Reason:        text(t, "reason"),
			Status:        rapid.SampledFrom([]string{"", "scheduled", "confirmed", "completed", "cancelled"}).Draw(t, "status"),
			VisitType:     rapid.SampledFrom([]string{"", "in_person", "virtual"}).Draw(t, "visit"),
			Action:        rapid.SampledFrom(messages.Appointments.Actions()).Draw(t, "action"),
		}
		value, err := messages.Encode(messages.Appointments, &appointment)
		if err != nil {
			t.Fatal(err)
		}
		decoded, err := messages.Appointments.Decode(value)
		if err != nil {
			t.Fatal(err)
		}
		if got := *decoded.Body.(*messages.AppointmentEvent); got != appointment {
			t.Errorf("got another appointment from %s", value)
		}
	})
}
