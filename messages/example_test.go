package messages_test

import (
	"fmt"
	"log/slog"

	"github.com/prantikov/millrace/messages"
)

// VisitEvent is an event of a team's own.
type VisitEvent struct {
	VisitID   string          `json:"visitId"`
	PatientID string          `json:"patientId" phi:"true"`
	Ward      string          `json:"ward"`
	Outcome   string          `json:"outcome" enum:"sent_home kept"`
	Action    messages.Action `json:"action"`
}

// LogValue shows slog what is not patient data.
func (v VisitEvent) LogValue() slog.Value { return messages.Visible(v) }

// A new event type is a struct with tags, a topic with the key of its records, and its kinds.
func ExampleNewTopic() {
	visits := messages.NewTopic("visit-events",
		func(v *VisitEvent) string { return v.VisitID },
		func(v *VisitEvent) *messages.Action { return &v.Action },
		messages.Created, "ended",
	)
	ended := visits.Kind("ended")

	key, value, err := ended.Encode(VisitEvent{VisitID: "v-1", PatientID: "pat-7", Ward: "3b", Outcome: "sent_home"})
	fmt.Println(string(key), string(value), err)
	fmt.Println(string(messages.Masked(visits, value)))

	decoded, err := visits.Decode([]byte(`{"visitId":"v-2","outcome":"SENT-HOME","action":"ENDED"}`))
	fmt.Println(decoded.EntityID, decoded.Action, decoded.Normalised, decoded.Body.(*VisitEvent).Outcome, err)

	_, err = visits.Decode([]byte(`{"visitId":"v-3","action":"moved"}`))
	fmt.Println(err)
	// Output:
	// v-1 {"visitId":"v-1","patientId":"pat-7","ward":"3b","outcome":"sent_home","action":"ended"} <nil>
	// {"visitId":"v-1","patientId":"•••","ward":"3b","outcome":"sent_home","action":"ended"}
	// v-2 ended true sent_home <nil>
	// reading VisitEvent: the action is not one of created, ended, deleted
}

// A payload is unwrapped, decoded once, and its body is a pointer to the type's struct.
func ExampleTopic_Decode() {
	payload, err := messages.Payload([]byte(`{"orderId":"ord-1","totalPrice":149.90,"orderDate":[2024,12,25,10,30],"action":"shipped"}`), "application/json")
	if err != nil {
		fmt.Println(err)
		return
	}
	decoded, err := messages.Orders.Decode(payload)
	if err != nil {
		fmt.Println(err)
		return
	}
	order := decoded.Body.(*messages.OrderEvent)
	fmt.Println(order.TotalPrice, order.OrderDate)
	fmt.Println(order) // no patient data is printed
	// Output:
	// 149.90 2024-12-25T10:30:00
	// OrderEvent[orderId=ord-1 action=shipped]
}
