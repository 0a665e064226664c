package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

var errReadOnly = errors.New("it can only be read: name the primary server, or give this user the right to write")

// isPostgresAway knows what says nothing against a statement: the server, its machine or the way to it has a trouble.
func isPostgresAway(err error) bool {
	if refusal := (*pgconn.PgError)(nil); errors.As(err, &refusal) {
		return isAwayCode(refusal.Code)
	}
	var unconnected *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &unconnected) || errors.As(err, &network) || errors.Is(err, net.ErrClosed) || errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) || pgconn.SafeToRetry(err)
}

// isAwayCode has the codes of https://www.postgresql.org/docs/current/errcodes-appendix.html by their class.
func isAwayCode(code string) bool {
	switch code {
	case "25006", // read_only_sql_transaction: a standby
		"25P02", // in_failed_sql_transaction
		"25P03", // idle_in_transaction_session_timeout
		"3D000", // invalid_catalog_name: the database is gone
		"42501": // insufficient_privilege
		return true
	}
	for _, class := range []string{
		"08", // connection exception
		"28", // invalid authorization
		"40", // transaction rollback: a deadlock
		"53", // insufficient resources: disk full, too many connections
		"55", // object not in prerequisite state: a lock
		"57", // operator intervention: shutting down, starting up
		"58", // system error: input and output
		"XX", // internal error: damaged data
	} {
		if strings.HasPrefix(code, class) {
			return true
		}
	}
	return false
}

// isCutOff says whether an answer ends the connection and so leaves open what became of a commit.
func isCutOff(refusal *pgconn.PgError) bool {
	return refusal.Severity == "FATAL" || refusal.Severity == "PANIC"
}

// explainPostgres says in a sentence what an operator can do about a database that does not open.
func explainPostgres(where string, err error) error {
	tried := "opening the store " + quoted(shown(where))
	var unreadable *pgconn.ParseConfigError
	if errors.As(err, &unreadable) {
		// Its own text quotes the address, of which it hides what it takes for the password.
		return fmt.Errorf("%s: it is no address of the form postgres://user:password@host:5432/database?sslmode=verify-full", tried)
	}
	code := ""
	if refusal := (*pgconn.PgError)(nil); errors.As(err, &refusal) {
		code = refusal.Code
	}
	switch {
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("%s: %w", tried, err)
	case errors.Is(err, errReadOnly):
		return unavailable(tried, err)
	case strings.HasPrefix(code, "28"):
		return unavailable(tried, fmt.Errorf("the server refuses the user or the password: %w", plainPostgres(err)))
	case code == "3D000":
		return unavailable(tried, fmt.Errorf("there is no such database: create it, and give this user the right to make tables in it: %w", plainPostgres(err)))
	case code == "42501":
		return unavailable(tried, fmt.Errorf("this user may not make tables: give it the right to (GRANT CREATE ON SCHEMA): %w", plainPostgres(err)))
	case code == "53300":
		return unavailable(tried, fmt.Errorf("the server has no connection left: raise its max_connections, or run fewer processes: %w", plainPostgres(err)))
	case isPostgresAway(err):
		return unavailable(tried, fmt.Errorf("the server cannot be reached, or is not ready: %w", plainPostgres(err)))
	}
	return unavailable(tried, err)
}

// plainPostgres is the server's own sentence, or the network's, without the driver's words around it.
func plainPostgres(err error) error {
	if refusal := (*pgconn.PgError)(nil); errors.As(err, &refusal) {
		return fmt.Errorf("%s (%s)", refusal.Message, refusal.Code)
	}
	var network *net.OpError
	if errors.As(err, &network) {
		return network
	}
	return err
}
