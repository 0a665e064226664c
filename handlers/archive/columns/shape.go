package columns

import (
	"reflect"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/router"
)

// own are the columns that every record has, in their order.
func own() []column {
	dictionary := parquet.Encoded(parquet.String(), &parquet.RLEDictionary)
	return []column{
		{name: "topic", node: dictionary}, {name: "partition", node: parquet.Int(32)}, {name: "offset", node: parquet.Int(64)},
		{name: "timestamp", node: parquet.Timestamp(parquet.Microsecond)}, {name: "key", node: parquet.Optional(parquet.String())},
		{name: "class", node: parquet.Optional(dictionary)},
	}
}

// column is one column of a table.
type column struct {
	name string
	node parquet.Node
	phi  bool
	// value is the Parquet value of a field's; nil for one of the record's own columns.
	value func(any) (parquet.Value, bool)
}

// shape is the columns of a topic's tables.
type shape struct {
	columns []column
	// fields is where the columns of the event's fields begin.
	fields  int
	schema  *parquet.Schema
	reading *router.Reading
}

// newShape has the columns of a type, or those alone that every record has.
func newShape(declared messages.Type, reading *router.Reading) *shape {
	s := &shape{columns: own(), reading: reading}
	s.fields = len(s.columns)
	if declared != nil {
		for _, field := range declared.Columns() {
			kind := kindOf(field.Type)
			s.columns = append(s.columns, column{name: s.free(field.Name), node: parquet.Optional(kind.node), phi: field.PHI, value: kind.value})
		}
	}
	s.schema = parquet.NewSchema("record", inOrder(s.columns))
	return s
}

// free is a field's name, or another when one of the record's own columns has it: the names of columns do not look at case.
func (s *shape) free(name string) string {
	taken := func(c column) bool { return strings.EqualFold(c.name, name) }
	for slices.ContainsFunc(s.columns, taken) || strings.EqualFold(name, "dt") {
		name = "event_" + name
	}
	return name
}

// ordered is a group whose fields stand as they were declared; the library's own sorts them by name.
type ordered struct {
	parquet.Group
	names []string
}

func inOrder(columns []column) parquet.Node {
	group := ordered{Group: parquet.Group{}}
	for _, c := range columns {
		group.Group[c.name] = c.node
		group.names = append(group.names, c.name)
	}
	return group
}

// Fields implements parquet.Node.
func (o ordered) Fields() []parquet.Field {
	fields := o.Group.Fields()
	slices.SortFunc(fields, func(a, b parquet.Field) int {
		return slices.Index(o.names, a.Name()) - slices.Index(o.names, b.Name())
	})
	return fields
}

// GoType implements parquet.Node: rows are never made of Go values.
func (o ordered) GoType() reflect.Type { return reflect.TypeFor[struct{}]() }
