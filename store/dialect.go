package store

import "github.com/pressly/goose/v3"

// dialect is what the two databases say differently. All other queries have numbered parameters ($1), which both take.
type dialect struct {
	goose goose.Dialect
	// folder has the migrations, ours and those of a plugin that has some for each database.
	folder string
	// isOneOf is what follows a column that is to be one of several texts, which list makes an argument of.
	isOneOf string
	list    func(texts []string) (any, error)
	// hasTable counts the tables of a name.
	hasTable string
	// insert makes the statements that write rows into a table. The values stand row after row; short is the error of a row that is not written.
	insert func(into *table, values []any, short error) []statement
	// kept is a text as the database keeps it, for the condition of a query; what is written, it makes so by itself. plain undoes that.
	kept, plain func(text string) string
}

// table is how rows of one table are written.
type table struct {
	name    string
	columns []column
	// conflict is what becomes of a row that is there: the end of the statement, from ON CONFLICT on.
	conflict string
}

type column struct {
	name string
	kind columnKind
}

// columnKind is what a column's values are in Go.
type columnKind int

const (
	texts   columnKind = iota // string
	numbers                   // int64
	flags                     // bool
	bodies                    // []byte
	moments                   // int64, or nil for NULL
)

func (t *table) names() string {
	names := ""
	for i, column := range t.columns {
		if i > 0 {
			names += ", "
		}
		names += column.name
	}
	return names
}
