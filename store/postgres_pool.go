package store

import (
	"context"
	"database/sql"
	"net/url"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// writers bounds the connections that write, per process. Each is in use for the milliseconds of a commit, so a few serve many partitions.
const writers = 8

// connectTimeout is for an address that says nothing itself (connect_timeout).
const connectTimeout = 5 * time.Second

// idleInTransaction is when the server ends a session whose process stopped in the middle of a transaction: its locks would keep the next owner
// of its partition waiting.
const idleInTransaction = 2 * lockWait

// writePool opens connections whose commits are on the server's disk when they return, whatever the server's own default is.
func writePool(where string) (*sql.DB, error) {
	settings, err := parse(where)
	if err != nil {
		return nil, err
	}
	settings.RuntimeParams["lock_timeout"] = milliseconds(lockWait)
	settings.RuntimeParams["idle_in_transaction_session_timeout"] = milliseconds(idleInTransaction)
	// remote_apply promises more than on does, so it stays.
	const durable = "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') IN ('off', 'local', 'remote_write')"
	return pool(settings, writers, stdlib.OptionAfterConnect(func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, durable, pgx.QueryExecModeSimpleProtocol)
		return err
	})), nil
}

// readPool opens connections of which each statement that writes fails.
func readPool(where string) (*sql.DB, error) {
	settings, err := parse(where)
	if err != nil {
		return nil, err
	}
	settings.RuntimeParams["default_transaction_read_only"] = "on"
	return pool(settings, readers), nil
}

func parse(where string) (*pgx.ConnConfig, error) {
	settings, err := pgx.ParseConfig(where)
	if err != nil {
		return nil, explainPostgres(where, err)
	}
	if settings.ConnectTimeout == 0 || settings.ConnectTimeout > lockWait {
		settings.ConnectTimeout = connectTimeout
	}
	if settings.RuntimeParams["application_name"] == "" {
		settings.RuntimeParams["application_name"] = "millrace"
	}
	// The server finds out in half a minute that a machine is gone, and frees what it had locked.
	for name, value := range map[string]string{"tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3"} {
		if settings.RuntimeParams[name] == "" {
			settings.RuntimeParams[name] = value
		}
	}
	return settings, nil
}

func pool(settings *pgx.ConnConfig, connections int, options ...stdlib.OptionOpenDB) *sql.DB {
	opened := stdlib.OpenDB(*settings, options...)
	opened.SetMaxOpenConns(connections)
	opened.SetMaxIdleConns(connections)
	return opened
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// shown is an address without what nobody must read.
func shown(where string) string {
	parsed, err := url.Parse(where)
	if err != nil {
		return "postgres://…"
	}
	return (&url.URL{Scheme: parsed.Scheme, Host: parsed.Host, Path: parsed.Path}).String()
}
