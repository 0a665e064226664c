package messages

import (
	"encoding"
	"reflect"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// fieldSet is what the tags of a struct say of its JSON fields.
type fieldSet struct {
	list   []field
	byName map[string]*field
	// enums are the fields of this struct itself that have fixed words.
	enums []*field
}

type field struct {
	name string
	// index is the path to the Go field, longer than one for a field of an embedded struct.
	index []int
	// phi says that the field, with all inside it, is patient data.
	phi bool
	// enum has the words of the contract, nil when any text is good.
	enum []string
	// list says that the field is a slice, of structs when inner is set.
	list bool
	// inner has the fields of a struct or of a slice's structs.
	inner *fieldSet
	// leaf is the type of a value that is a single one (text, number, truth value, or a type of ours that reads itself), nil of others.
	leaf reflect.Type
}

// fieldsOf reads the tags of a struct type.
func fieldsOf(event reflect.Type) *fieldSet {
	return collect(event, nil, map[reflect.Type]bool{})
}

func collect(event reflect.Type, path []int, open map[reflect.Type]bool) *fieldSet {
	open[event] = true
	defer delete(open, event)
	set := &fieldSet{byName: map[string]*field{}}
	for i := range event.NumField() {
		declared := event.Field(i)
		name, _, _ := strings.Cut(declared.Tag.Get("json"), ",")
		index := append(append([]int{}, path...), i)
		if declared.Anonymous && name == "" && declared.Type.Kind() == reflect.Struct && !open[declared.Type] {
			set.list = append(set.list, collect(declared.Type, index, open).list...)
			continue
		}
		if !declared.IsExported() || name == "-" {
			continue
		}
		if name == "" {
			name = declared.Name
		}
		set.list = append(set.list, describe(declared, name, index, open))
	}
	for i := range set.list {
		member := &set.list[i]
		set.byName[member.name] = member
		if member.enum != nil {
			set.enums = append(set.enums, member)
		}
	}
	return set
}

func describe(declared reflect.StructField, name string, index []int, open map[reflect.Type]bool) field {
	member := field{name: name, index: index, phi: declared.Tag.Get("phi") == "true"}
	kind := declared.Type
	for (kind.Kind() == reflect.Slice || kind.Kind() == reflect.Pointer) && !readsItself(kind) {
		member.list = member.list || kind.Kind() == reflect.Slice
		kind = kind.Elem()
	}
	switch {
	case readsItself(kind):
		member.leaf = kind
	case kind.Kind() == reflect.Struct:
		if open[kind] { // a type inside itself has no end: it is hidden as a whole
			member.phi = true
			break
		}
		member.inner = collect(kind, nil, open)
	case kind.Kind() == reflect.String:
		member.leaf = kind
		if declared.Type.Kind() == reflect.String {
			member.enum = strings.Fields(declared.Tag.Get("enum"))
		}
	default:
		if kind.Kind() <= reflect.Float64 && kind.Kind() != reflect.Invalid {
			member.leaf = kind
		}
	}
	if len(member.enum) == 0 {
		member.enum = nil
	}
	return member
}

// readsItself says whether a type decides about its own JSON, so that what is inside it is its own business.
func readsItself(kind reflect.Type) bool {
	pointer := reflect.PointerTo(kind)
	return pointer.Implements(reflect.TypeFor[json.UnmarshalerFrom]()) ||
		pointer.Implements(reflect.TypeFor[json.Unmarshaler]()) ||
		pointer.Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// tagged lists the fields that are patient data, with the names of the fields around them.
func (s *fieldSet) tagged(prefix string) []string {
	var names []string
	for i := range s.list {
		switch member := &s.list[i]; {
		case member.phi:
			names = append(names, prefix+member.name)
		case member.inner != nil:
			names = append(names, member.inner.tagged(prefix+member.name+".")...)
		}
	}
	return names
}

// path is the place of a JSON pointer as far as it is of the contract: names of the payload's own never show.
func (s *fieldSet) path(pointer jsontext.Pointer) string {
	var text strings.Builder
	tokens := slices.Collect(pointer.Tokens())
	set := s
	for i := 0; i < len(tokens) && set != nil; i++ {
		member := set.byName[tokens[i]]
		if member == nil {
			break
		}
		if text.Len() > 0 {
			text.WriteByte('.')
		}
		text.WriteString(member.name)
		if member.list && i+1 < len(tokens) && isDigits(tokens[i+1]) {
			i++
			text.WriteString("[" + tokens[i] + "]")
		}
		set = member.inner
	}
	return text.String()
}

func isDigits(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}
