package store

import (
	"strconv"
	"strings"
)

// insertArrays writes any number of rows by one statement, with an array for each column.
func insertArrays(into *table, values []any, short error) []statement {
	if len(values) == 0 {
		return nil
	}
	width := len(into.columns)
	arrays, arguments := make([]string, width), make([]any, width)
	for i, column := range into.columns {
		arrays[i] = "$" + strconv.Itoa(i+1) + "::" + arrayTypes[column.kind]
		arguments[i] = array(column.kind, values[i:], width)
	}
	return []statement{{
		query:     "INSERT INTO " + into.name + " (" + into.names() + ") SELECT * FROM unnest(" + strings.Join(arrays, ", ") + ") " + into.conflict,
		arguments: arguments, rows: int64(len(values) / width), short: short,
	}}
}

var arrayTypes = map[columnKind]string{texts: "text[]", numbers: "bigint[]", flags: "boolean[]", bodies: "bytea[]", moments: "bigint[]"}

// array is one column of values that stand row after row.
func array(kind columnKind, values []any, width int) any {
	rows := (len(values) + width - 1) / width
	switch kind {
	case numbers:
		return columnOf[int64](values, width, rows)
	case flags:
		return columnOf[bool](values, width, rows)
	case moments:
		return optionalNumbers(values, width, rows)
	case bodies:
		bodies := columnOf[[]byte](values, width, rows)
		for i, body := range bodies {
			if body == nil {
				bodies[i] = []byte{}
			}
		}
		return bodies
	default:
		texts := columnOf[string](values, width, rows)
		for i, text := range texts {
			texts[i] = escaped(text)
		}
		return texts
	}
}

func columnOf[T any](values []any, width, rows int) []T {
	column := make([]T, 0, rows)
	for i := 0; i < len(values); i += width {
		value, _ := values[i].(T)
		column = append(column, value)
	}
	return column
}

// optionalNumbers is a column of numbers, nil for NULL.
func optionalNumbers(values []any, width, rows int) []*int64 {
	column := make([]*int64, 0, rows)
	for i := 0; i < len(values); i += width {
		var number *int64
		if value, set := values[i].(int64); set {
			number = &value
		}
		column = append(column, number)
	}
	return column
}
