// Package storetest owns places for the stores of tests: a file each, or where MILLRACE_TEST_POSTGRES names a PostgreSQL database a schema
// of it each, so that every test of the store is a test of both.
// It never starts a server.
package storetest

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the database's driver
	_ "modernc.org/sqlite"             // the file's
)

// variable names the database: postgres://user:password@host:5432/database. Its user may make schemas.
const variable = "MILLRACE_TEST_POSTGRES"

// Postgres says whether the places are schemas of a PostgreSQL database.
func Postgres() bool { return Address() != "" }

// Address is that of the database that the variable names; empty for none.
func Address() string { return os.Getenv(variable) }

// Place is where a test has its store, as store.Open takes it: store.db in the directory, or the schema of this directory, which is made when
// it is asked for first and dropped when the test ends.
func Place(t testing.TB, directory string) string {
	t.Helper()
	if !Postgres() {
		return filepath.Join(directory, "store.db")
	}
	return Schema(t, directory)
}

// Schema is the address of a schema, whose name is made of any text. It is dropped when the test ends.
func Schema(t testing.TB, of string) string {
	t.Helper()
	sum := sha256.Sum256([]byte(of))
	name := "test_" + hex.EncodeToString(sum[:10])
	Execute(t, Address(), "CREATE SCHEMA IF NOT EXISTS "+name)
	t.Cleanup(func() { Execute(t, Address(), "DROP SCHEMA IF EXISTS "+name+" CASCADE") })
	address, err := url.Parse(Address())
	if err != nil {
		t.Fatalf("%s is no address", variable)
	}
	query := address.Query()
	query.Set("search_path", name)
	query.Set("application_name", name)
	address.RawQuery = query.Encode()
	return address.String()
}

// Execute runs statements on a database at an address of PostgreSQL, as anybody could.
func Execute(t testing.TB, address string, statements ...string) {
	t.Helper()
	execute(t, "pgx", address, statements)
}

// ExecuteFile runs statements on an SQLite file, as anybody could.
func ExecuteFile(t testing.TB, path string, statements ...string) {
	t.Helper()
	execute(t, "sqlite", "file:"+path+"?_pragma=busy_timeout(10000)", statements)
}

func execute(t testing.TB, driver, source string, statements []string) {
	t.Helper()
	database, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = database.Close() }()
	for _, statement := range statements {
		// It also cleans up, when the test's own context has ended.
		if _, err := database.ExecContext(context.Background(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}
