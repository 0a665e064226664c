package cmd_test

import (
	"database/sql"
	"fmt"
	"os"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// execute runs statements on the script's store, as anybody could who spoils it: execute STATEMENT….
func execute(ts *testscript.TestScript, _ bool, arguments []string) {
	database, err := sql.Open("sqlite", "file:"+ts.MkAbs("data/store.db"))
	ts.Check(err)
	defer database.Close()
	for _, statement := range arguments {
		_, err := database.Exec(statement)
		ts.Check(err)
	}
}

// tables writes all that the script's store has of entities into a file: tables FILE.
func tables(ts *testscript.TestScript, _ bool, arguments []string) {
	if len(arguments) != 1 {
		ts.Fatalf("usage: tables FILE")
	}
	database, err := sql.Open("sqlite", "file:"+ts.MkAbs("data/store.db")+"?mode=ro")
	ts.Check(err)
	defer database.Close()
	var text strings.Builder
	for _, query := range []string{"SELECT * FROM entities ORDER BY type, id", "SELECT * FROM entity_history ORDER BY type, id, revision"} {
		rows, err := database.Query(query)
		ts.Check(err)
		columns, err := rows.Columns()
		ts.Check(err)
		for rows.Next() {
			values, into := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			ts.Check(rows.Scan(into...))
			fmt.Fprintf(&text, "%q\n", fmt.Sprint(values...))
		}
		ts.Check(rows.Err())
		ts.Check(rows.Close())
	}
	ts.Check(os.WriteFile(ts.MkAbs(arguments[0]), []byte(text.String()), 0o600))
}
