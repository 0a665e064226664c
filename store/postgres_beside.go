package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"

	"github.com/jackc/pgx/v5"
)

// besideSchema ends the name of the schema that is beside a store's.
const besideSchema = "_rebuild"

// makeBeside makes the schema. Its name is the present one's with an end, so stores in several schemas of a database have one each. A lock that
// the server keeps for as long as its connection lives keeps others away.
func (d *postgres) makeBeside(ctx context.Context) (room, error) {
	conn, err := d.pool.Conn(ctx)
	if err != nil {
		return room{}, err
	}
	made, err := d.makeSchema(ctx, conn)
	if err != nil {
		_, _ = conn.ExecContext(context.WithoutCancel(ctx), unlockBeside) // of a lock that it does not have it says so, no more
		return room{}, errors.Join(err, conn.Close())
	}
	made.drop = func(ctx context.Context) error {
		_, dropped := conn.ExecContext(ctx, "DROP SCHEMA IF EXISTS "+identifier(made.name)+" CASCADE")
		_, unlocked := conn.ExecContext(ctx, unlockBeside)
		return errors.Join(dropped, unlocked, conn.Close())
	}
	return made, nil
}

const (
	lockBeside   = "pg_try_advisory_lock(" + besideKey + ")"
	unlockBeside = "SELECT pg_advisory_unlock(" + besideKey + ")"
	besideKey    = "hashtextextended('millrace rebuild of ' || current_schema(), 0)"
)

func (d *postgres) makeSchema(ctx context.Context, conn *sql.Conn) (made room, err error) {
	var present string
	var locked bool
	if err := conn.QueryRowContext(ctx, "SELECT current_schema(), "+lockBeside).Scan(&present, &locked); err != nil {
		return made, err
	}
	if !locked {
		return made, ErrRebuilding
	}
	made.name = present + besideSchema
	if made.address, err = inSchema(d.where, made.name); err != nil {
		return made, err
	}
	for _, query := range []string{"DROP SCHEMA IF EXISTS " + identifier(made.name) + " CASCADE", "CREATE SCHEMA " + identifier(made.name)} {
		if _, err := conn.ExecContext(ctx, query); err != nil {
			return made, fmt.Errorf("making the schema %q, for which this user needs the right to make schemas in the database: %w", made.name, err)
		}
	}
	return made, nil
}

// exclusive locks the progress rows of all: each unit of work begins its commit with its own. Who waits for longer than its patience holds, and
// tries again when this is over.
func (d *postgres) exclusive(ctx context.Context, beside string, use func(exclusively) (keep bool, err error)) error {
	conn, err := d.pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	x := exclusively{conn: conn, beside: identifier(beside) + "."}
	return x.transact(ctx, []string{
		// The log is read between two statements.
		"BEGIN", "SET LOCAL idle_in_transaction_session_timeout = 0", "LOCK TABLE progress IN SHARE ROW EXCLUSIVE MODE",
	}, use)
}

// inSchema is an address with another schema.
func inSchema(address, schema string) (string, error) {
	parsed, err := url.Parse(address)
	if err != nil {
		return "", errors.New("the address of store.dsn is no URL")
	}
	query := parsed.Query()
	query.Set("search_path", identifier(schema))
	parsed.RawQuery = query.Encode()
	return parsed.String(), nil
}

func identifier(name string) string { return pgx.Identifier{name}.Sanitize() }
