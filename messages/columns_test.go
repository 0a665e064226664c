package messages_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/prantikov/millrace/messages"
)

func TestColumnsAreTheFieldsOfAnEvent(t *testing.T) {
	t.Parallel()
	for _, declared := range messages.Types() {
		decoded, err := declared.Decode(declared.Sample(messages.Created))
		if err != nil {
			t.Fatal(err)
		}
		columns, values := declared.Columns(), decoded.Values()
		if len(columns) != len(values) {
			t.Fatalf("%s: got %d columns and %d values", declared.Name(), len(columns), len(values))
		}
		var tagged []string
		for i, column := range columns {
			if column.PHI {
				tagged = append(tagged, column.Name)
			}
			if values[i] != nil && reflect.TypeOf(values[i]) != column.Type {
				t.Errorf("%s.%s: got %T, want %s", declared.Name(), column.Name, values[i], column.Type)
			}
		}
		want := slices.DeleteFunc(declared.PHI(), func(name string) bool { return strings.Contains(name, ".") })
		if !slices.Equal(tagged, want) {
			t.Errorf("%s: got %q tagged, want %q", declared.Name(), tagged, want)
		}
	}
}

func TestValuesOfWhatIsNotSetAreNil(t *testing.T) {
	t.Parallel()
	decoded, err := messages.Orders.Decode([]byte(`{"orderId":"ord-1","totalPrice":0,"status":"no such word","items":[],"action":"created"}`))
	if err != nil {
		t.Fatal(err)
	}
	zero, _ := messages.ParseNumber("0")
	want := []any{"ord-1", nil, nil, zero, nil, nil, nil, []messages.OrderItemEvent{}, messages.Created}
	if got := decoded.Values(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := (messages.Decoded{Body: &messages.OrderEvent{}}).Values(); got != nil {
		t.Errorf("got %v of an event that nobody decoded, want nothing", got)
	}
}
