//go:build unix && postgres

package integration_test

import (
	"database/sql"
	"fmt"
	"testing"
)

// schemaCopy copies the tables of a store that is a schema, and returns what restores the copy.
func schemaCopy(t *testing.T, p *platform) (restore func()) {
	t.Helper()
	db, err := sql.Open("pgx", p.dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	var tables []string
	rows, err := db.QueryContext(t.Context(), "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var table string
		if err := rows.Scan(&table); err != nil {
			t.Fatal(err)
		}
		tables = append(tables, table)
	}
	if err := rows.Err(); err != nil || len(tables) == 0 {
		t.Fatalf("got %d tables, %v, want the store's", len(tables), err)
	}
	each := func(statements ...string) {
		for _, table := range tables {
			for _, statement := range statements {
				if _, err := db.ExecContext(t.Context(), fmt.Sprintf(statement, table)); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	each(`CREATE TABLE "copy_of_%[1]s" AS TABLE "%[1]s"`)
	return func() {
		each(`DELETE FROM "%[1]s"`, `INSERT INTO "%[1]s" OVERRIDING SYSTEM VALUE SELECT * FROM "copy_of_%[1]s"`)
	}
}

func TestPostgresRestoredStopsItsConsumer(t *testing.T) {
	t.Parallel()
	testRestoredStore(t, newSharedPlatform(t, anyBroker(t), nil), schemaCopy)
}
