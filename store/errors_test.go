package store_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/prantikov/millrace/store"
)

// Ensure what says nothing against a statement is known as the database's own trouble, so that no record is given up for it.
func TestUnavailableKnowsPostgresTroubles(t *testing.T) {
	t.Parallel()
	answer := func(code string) error { return &pgconn.PgError{Severity: "ERROR", Code: code} }
	tests := []struct {
		name string
		err  error
		want bool
	}{
		{"the disk is full", answer("53100"), true},
		{"there are no connections left", answer("53300"), true},
		{"the server shuts down", answer("57P01"), true},
		{"the server starts up", answer("57P03"), true},
		{"the primary has become a standby", answer("25006"), true},
		{"somebody else has the lock", answer("55P03"), true},
		{"a deadlock was found", answer("40P01"), true},
		{"a page is damaged", answer("XX001"), true},
		{"a file cannot be read", answer("58030"), true},
		{"the password was changed", answer("28P01"), true},
		{"the connection is cut", io.ErrUnexpectedEOF, true},
		{"nobody listens", &net.OpError{Op: "dial", Err: errors.New("connection refused")}, true},
		{"a constraint is broken", answer("23505"), false},
		{"a statement is misspelt", answer("42601"), false},
		{"a table is missing", answer("42P01"), false},
		{"a value does not fit", answer("22003"), false},
		{"it is no error of a database", errors.New("refused"), false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := store.Unavailable(fmt.Errorf("writing: %w", test.err)); got != test.want {
				t.Errorf("got %t, want %t", got, test.want)
			}
		})
	}
}
