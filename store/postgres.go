package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"

	"github.com/pressly/goose/v3"
)

// postgres is a schema of a database that several processes share. Each unit of work has a connection to itself while it is written: what
// is committed at the same time the server writes to its disk together.
type postgres struct {
	// where is the address, with its password.
	where   string
	pool    *sql.DB
	opening opening
}

// postgresDialect is how PostgreSQL says it.
var postgresDialect = dialect{
	goose: goose.DialectPostgres, folder: "postgres",
	isOneOf: "= ANY($1)",
	list: func(texts []string) (any, error) {
		kept := make([]string, len(texts))
		for i, text := range texts {
			kept[i] = escaped(text)
		}
		return kept, nil
	},
	hasTable: "SELECT count(*) FROM pg_catalog.pg_tables WHERE schemaname = current_schema() AND tablename = $1",
	insert:   insertArrays,
	kept:     escaped, plain: unescaped,
}

// IsPostgres says whether a store's place is the address of a PostgreSQL database, and not the path of a file.
func IsPostgres(where string) bool {
	return strings.HasPrefix(where, "postgres://") || strings.HasPrefix(where, "postgresql://")
}

// openPostgres brings the tables up to date and opens both pools.
func openPostgres(ctx context.Context, where string, logger *slog.Logger, o opening) (*Store, error) {
	pool, err := writePool(where)
	if err != nil {
		return nil, err
	}
	d := &postgres{where: where, pool: pool, opening: o}
	if err := d.check(ctx, logger); err != nil {
		return nil, errors.Join(explainPostgres(where, err), pool.Close())
	}
	apply := func(table string, files fs.FS) error { return d.migrate(ctx, table, files) }
	if err := migrateOwn(postgresDialect, apply); err != nil {
		return nil, errors.Join(explainPostgres(where, err), pool.Close())
	}
	reader, err := readPool(where)
	if err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	s := &Store{where: shown(where), logger: logger, dialect: postgresDialect, database: d, reader: reader}
	if s.reads, err = prepareReads(ctx, s.dialect, reader); err != nil {
		return nil, errors.Join(explainPostgres(where, err), s.Close())
	}
	return s, nil
}

// check refuses a database that cannot be written, and says when its promises are weak.
func (d *postgres) check(ctx context.Context, logger *slog.Logger) error {
	ctx, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	var readOnly, synced string
	err := d.pool.QueryRowContext(ctx, "SELECT current_setting('transaction_read_only'), current_setting('fsync')").Scan(&readOnly, &synced)
	if err != nil {
		return err
	}
	if readOnly == "on" {
		return errReadOnly
	}
	if synced != "on" {
		logger.Warn("the store's database runs with fsync=off: a crash of its machine loses what was committed")
	}
	return nil
}

func (d *postgres) write(ctx context.Context, set func(session) error) error {
	s, err := d.open(ctx)
	if err != nil {
		return err
	}
	defer s.end()
	if err := set(s); err != nil {
		return err
	}
	return s.commit()
}

func (d *postgres) lend(ctx context.Context) (loan, error) {
	s, err := d.open(ctx)
	if err != nil {
		return nil, err
	}
	// It lives longer than the function's call, whose context this is.
	s.ctx = context.WithoutCancel(ctx)
	return s, nil
}

// open takes a connection, and waits for one that is free.
func (d *postgres) open(ctx context.Context) (*postgresSession, error) {
	waiting, cancel := context.WithTimeoutCause(ctx, lockWait, errConnections)
	defer cancel()
	conn, err := d.pool.Conn(waiting)
	if err != nil {
		if cause := context.Cause(waiting); cause != nil && ctx.Err() == nil {
			err = fmt.Errorf("%w: %w", cause, err)
		}
		return nil, err
	}
	return &postgresSession{ctx: ctx, conn: conn}, nil
}

// migrate holds a lock that the server keeps for as long as the connection lives. It is of the schema, so stores in other schemas of the
// database do not wait.
func (d *postgres) migrate(ctx context.Context, table string, files fs.FS) error {
	const key = "hashtextextended('millrace migrations of ' || current_schema(), 0)"
	conn, err := d.pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock("+key+")"); err != nil {
		return fmt.Errorf("waiting for the lock of the migrations: %w", err)
	}
	defer func() { _, _ = conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock("+key+")") }()
	return d.opening.migrate(ctx, postgresDialect, d.pool, table, files)
}

func (d *postgres) close() error { return d.pool.Close() }

// openPostgresReader opens a schema for reading, where it has our tables.
func openPostgresReader(ctx context.Context, where string) (*sql.DB, error) {
	reader, err := readPool(where)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	var tables int
	err = reader.QueryRowContext(ctx, postgresDialect.hasTable, "progress").Scan(&tables)
	switch {
	case err != nil:
		err = explainPostgres(where, err)
	case tables == 0:
		err = fmt.Errorf("opening the store %q: it has no tables yet: %w", shown(where), fs.ErrNotExist)
	default:
		return reader, nil
	}
	return nil, errors.Join(err, reader.Close())
}
