package messages

import (
	"reflect"
	"slices"
)

// Column is a field at the top of an event, as a table has it.
type Column struct {
	// Name is the JSON name of the field.
	Name string
	// PHI says that the field, with all inside it, is patient data.
	PHI bool
	// Type is the Go type of its values.
	Type reflect.Type
}

// Columns lists the fields at the top of T, in their order.
func (t *Topic[T]) Columns() []Column {
	event := reflect.TypeFor[T]()
	columns := make([]Column, len(t.fields.list))
	for i := range t.fields.list {
		member := &t.fields.list[i]
		columns[i] = Column{Name: member.name, PHI: member.phi, Type: event.FieldByIndex(member.index).Type}
	}
	return columns
}

// Values returns the values of the event, in the order of its type's columns. It is nil for one that is not set, and for a word that the field
// does not have. There is none where the event was not made by Decode.
func (d Decoded) Values() []any {
	if d.checker == nil {
		return nil
	}
	return d.checker.values(d.Body)
}

func (t *Topic[T]) values(event any) []any {
	body := reflect.ValueOf(event).Elem()
	values := make([]any, len(t.fields.list))
	for i := range t.fields.list {
		member := &t.fields.list[i]
		place, err := body.FieldByIndexErr(member.index)
		if err != nil || unset(place) || member.enum != nil && !slices.Contains(member.enum, place.String()) {
			continue
		}
		values[i] = place.Interface()
	}
	return values
}

// unset says whether a field has no value. A number of Go's own has always one.
func unset(place reflect.Value) bool {
	switch {
	case place.CanInt(), place.CanUint(), place.CanFloat(), place.Kind() == reflect.Bool:
		return false
	}
	return place.IsZero()
}
