package messages

import (
	"reflect"
	"slices"
)

// Leaf is one single value of an event, as text.
type Leaf struct {
	// Name is the JSON name of the field.
	Name string
	// Text is the value as the log would show it; empty for one that is not set, and for a word that the field does not have.
	Text string
	// PHI says that the field is tagged as patient data.
	PHI bool
}

// Leaves returns the single values at the top of an event, in the order of its fields, the unset ones too: so those of an empty event tell
// which fields there are. Lists and what is inside other structs are left out. It returns nothing for what is no struct.
func Leaves(event any) []Leaf {
	body := reflect.ValueOf(event)
	for body.Kind() == reflect.Pointer || body.Kind() == reflect.Interface {
		body = body.Elem()
	}
	if body.Kind() != reflect.Struct {
		return nil
	}
	var leaves []Leaf
	fields := fieldsOf(body.Type())
	for i := range fields.list {
		member := &fields.list[i]
		if member.leaf == nil || member.list {
			continue
		}
		leaf := Leaf{Name: member.name, PHI: member.phi}
		if place, err := body.FieldByIndexErr(member.index); err == nil && !place.IsZero() {
			for place.Kind() == reflect.Pointer {
				place = place.Elem()
			}
			if value, shown := visibleLeaf(place); shown {
				leaf.Text = value.String()
			}
		}
		if member.enum != nil && !slices.Contains(member.enum, leaf.Text) {
			leaf.Text = ""
		}
		leaves = append(leaves, leaf)
	}
	return leaves
}
