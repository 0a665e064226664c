package store

import (
	"context"
	"fmt"
	"net/url"

	"github.com/jackc/pgx/v5"
)

// besideSchema ends the name of the schema that is beside a store's.
const besideSchema = "_rebuild"

// makeBeside makes the schema. Its name is the present one's with an end, so stores in several schemas of a database have one each.
func (d *postgres) makeBeside(ctx context.Context) (where, address string, err error) {
	var present string
	if err := d.pool.QueryRowContext(ctx, "SELECT current_schema()").Scan(&present); err != nil {
		return "", "", err
	}
	where = present + besideSchema
	if address, err = inSchema(d.where, where); err != nil {
		return "", "", err
	}
	if err := d.dropBeside(ctx, where); err != nil {
		return "", "", err
	}
	if _, err := d.pool.ExecContext(ctx, "CREATE SCHEMA "+identifier(where)); err != nil {
		return "", "", fmt.Errorf("making the schema %q: give this user the right to make schemas in the database: %w", where, err)
	}
	return where, address, nil
}

func (d *postgres) dropBeside(ctx context.Context, where string) error {
	_, err := d.pool.ExecContext(ctx, "DROP SCHEMA IF EXISTS "+identifier(where)+" CASCADE")
	return err
}

// exclusive locks the progress rows of all: each unit of work begins its commit with its own. Who waits for longer than its patience holds, and
// tries again when this is over.
func (d *postgres) exclusive(ctx context.Context, where string, use func(exclusively) (keep bool, err error)) error {
	conn, err := d.pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	x := exclusively{conn: conn, beside: identifier(where) + "."}
	return x.transact(ctx, []string{
		// The log is read between two statements.
		"BEGIN", "SET LOCAL idle_in_transaction_session_timeout = 0", "LOCK TABLE progress IN SHARE ROW EXCLUSIVE MODE",
	}, use)
}

// inSchema is an address with another schema.
func inSchema(address, schema string) (string, error) {
	parsed, err := url.Parse(address)
	if err != nil {
		return "", fmt.Errorf("the address of store.dsn is no URL")
	}
	query := parsed.Query()
	query.Set("search_path", identifier(schema))
	parsed.RawQuery = query.Encode()
	return parsed.String(), nil
}

func identifier(name string) string { return pgx.Identifier{name}.Sanitize() }
