package messages

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// OrderEvent is an event of the topic order-events.
type OrderEvent struct {
	OrderID      string           `json:"orderId"`
	PatientID    string           `json:"patientId" phi:"true"`
	PharmacyID   string           `json:"pharmacyId"`
	TotalPrice   Number           `json:"totalPrice" phi:"true"`
	Status       string           `json:"status" enum:"pending processing shipped delivered"`
	OrderDate    DateTime         `json:"orderDate" phi:"true"`
	DeliveryDate DateTime         `json:"deliveryDate" phi:"true"`
	Items        []OrderItemEvent `json:"items" phi:"true"`
	Action       Action           `json:"action"`
}

// OrderItemEvent is one line of an order.
type OrderItemEvent struct {
	ProductID string  `json:"productId" phi:"true"`
	Quantity  Integer `json:"quantity" phi:"true"`
	Price     Number  `json:"price" phi:"true"`
}

// Orders is the topic order-events.
var Orders = NewTopic("order-events",
	func(e *OrderEvent) string { return e.OrderID },
	func(e *OrderEvent) *Action { return &e.Action },
	Created, Updated, Shipped, Delivered,
).WithSamples(samples)

// The kinds of order-events.
var (
	OrderCreated   = Orders.Kind(Created)
	OrderUpdated   = Orders.Kind(Updated)
	OrderShipped   = Orders.Kind(Shipped)
	OrderDelivered = Orders.Kind(Delivered)
	OrderDeleted   = Orders.Kind(Deleted)
)

// Patient is the patient's id.
func (e OrderEvent) Patient() string { return e.PatientID }

// Counterpart is the pharmacy.
func (e OrderEvent) Counterpart() (role, id string) { return "pharmacy", e.PharmacyID }

// StatusName is the order's status.
func (e OrderEvent) StatusName() string { return e.Status }

// MarshalJSONTo writes an unset price as 0: Java services may have a primitive there, which Jackson 3 does not read from null.
func (e OrderItemEvent) MarshalJSONTo(encoder *jsontext.Encoder) error {
	type plain OrderItemEvent
	if !e.Price.IsSet() {
		e.Price = NumberOf(0)
	}
	return json.MarshalEncode(encoder, plain(e))
}
