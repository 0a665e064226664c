package router_test

import (
	"testing"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router"
)

// Ensure who has no consumer reads a record as the consumers do.
func TestReadingHasTheClassesOfConsumers(t *testing.T) {
	t.Parallel()
	reading := router.NewReading(messages.Orders, messages.Types(), router.Limits{ValueBytes: 1 << 10})
	good := messages.Orders.Sample(messages.Shipped)
	named := func(header string) *record.Record {
		return &record.Record{Value: good, Headers: []record.Header{{Key: "__TypeId__", Value: []byte(header)}}}
	}
	tests := []struct {
		name string
		r    *record.Record
		want record.Class
	}{
		{"a good event", &record.Record{Value: good}, ""},
		{"its own type in a header", named("com.acme.OrderEvent"), ""},
		{"another type in a header", named("com.acme.AppointmentEvent"), record.ClassTypeMismatch},
		{"a tombstone", &record.Record{}, record.ClassTombstone},
		{"no JSON", &record.Record{Value: []byte("{")}, record.ClassMalformed},
		{"a value beyond the limit", &record.Record{Value: make([]byte, 1<<10+1)}, record.ClassTooLarge},
		{"an action that the type does not have", &record.Record{Value: []byte(`{"orderId":"1","action":"exploded"}`)}, record.ClassUnknownAction},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			decoded, class := reading.Decode(test.r)
			if class != test.want || (class == "") != (decoded.Body != nil) {
				t.Errorf("got class %q and %v, want class %q", class, decoded, test.want)
			}
		})
	}
}
