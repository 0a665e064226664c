package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/pressly/goose/v3"
)

// sqlite is the database in a file of this process. One goroutine writes; a pool reads beside it.
type sqlite struct {
	path    string
	writer  *sqliteWriter
	opening opening
}

// sqliteDialect is how SQLite says it.
var sqliteDialect = dialect{
	goose: goose.DialectSQLite3, folder: "sqlite",
	isOneOf: "IN (SELECT value FROM json_each($1))",
	list: func(texts []string) (any, error) {
		list, err := json.Marshal(texts)
		return string(list), err
	},
	hasTable: "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = $1",
	insert:   insertValues,
	kept:     asItIs, plain: asItIs,
}

func asItIs(text string) string { return text }

// openSQLite opens the file, makes it where it is missing, and brings its tables up to date.
func openSQLite(ctx context.Context, path string, logger *slog.Logger, o opening) (*Store, error) {
	if err := prepareFile(path); err != nil {
		return nil, unavailable("opening the store "+quoted(path), err)
	}
	s, err := openPrepared(ctx, path, logger, o)
	if err != nil {
		return nil, explainOpen(path, err)
	}
	return s, nil
}

func openPrepared(ctx context.Context, path string, logger *slog.Logger, o opening) (*Store, error) {
	if err := checkFile(ctx, path); err != nil {
		return nil, err
	}
	apply := func(table string, files fs.FS) error { return o.migrateFile(ctx, path, table, files) }
	if err := migrateOwn(sqliteDialect, apply); err != nil {
		return nil, err
	}
	reader, err := openPool(path, readers, readPragmas[:], "mode=ro")
	if err != nil {
		return nil, err
	}
	writer, err := newSQLiteWriter(path)
	if err != nil {
		return nil, errors.Join(err, reader.Close())
	}
	s := &Store{where: path, logger: logger, dialect: sqliteDialect, database: &sqlite{path: path, writer: writer, opening: o}, reader: reader}
	if s.reads, err = prepareReads(ctx, s.dialect, reader); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (d *sqlite) write(ctx context.Context, set func(session) error) error {
	return d.writer.write(ctx, set)
}

func (d *sqlite) lend(ctx context.Context) (loan, error) {
	lent, err := d.writer.lend(ctx)
	if err != nil {
		return nil, err
	}
	if err := lent.begin(func(busy error) error { return joinEnded(ctx, busy) }); err != nil {
		lent.end()
		return nil, err
	}
	return lent, nil
}

// migrate runs on a connection of its own, while nobody writes. Other processes are kept away by the lock on the data directory.
func (d *sqlite) migrate(ctx context.Context, table string, files fs.FS) error {
	lent, err := d.writer.lend(ctx)
	if err != nil {
		return err
	}
	defer lent.end()
	return d.opening.migrateFile(ctx, d.path, table, files)
}

func (d *sqlite) close() error { return d.writer.close() }

func (o opening) migrateFile(ctx context.Context, path, table string, files fs.FS) error {
	db, err := openPool(path, 1, writePragmas[:])
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	return retryBusy(ctx, func() error { return o.migrate(ctx, sqliteDialect, db, table, files) })
}

// openSQLiteReader opens a file for reading.
func openSQLiteReader(ctx context.Context, path string) (*sql.DB, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("opening the store %q: %w", path, err)
	}
	reader, err := openPool(path, readers, readPragmas[:], "mode=ro")
	if err != nil {
		return nil, explainOpen(path, err)
	}
	var tables int
	err = reader.QueryRowContext(ctx, sqliteDialect.hasTable, "progress").Scan(&tables)
	switch {
	case err != nil:
		err = explainOpen(path, err)
	case tables == 0: // somebody is making it at this moment
		err = fmt.Errorf("opening the store %q: it has no tables yet: %w", path, fs.ErrNotExist)
	default:
		return reader, nil
	}
	return nil, errors.Join(err, reader.Close())
}

// rowsPerStatement is how many rows one statement writes: more save nothing.
const rowsPerStatement = 32

// insertValues writes rows by statements of a few lengths, so that few are prepared.
func insertValues(into *table, values []any, short error) []statement {
	for i, column := range into.columns {
		if column.kind == bodies {
			asText(values, i, len(into.columns))
		}
	}
	width := len(into.columns)
	var statements []statement
	for length := rowsPerStatement; length > 0; length /= 2 {
		for len(values) >= length*width {
			statements = append(statements, statement{
				query: insertQuery(into, length), arguments: values[:length*width], rows: int64(length), short: short,
			})
			values = values[length*width:]
		}
	}
	return statements
}

// asText makes a column of bytes one of texts, which is what people see who look into the file.
func asText(values []any, from, width int) {
	for i := from; i < len(values); i += width {
		if body, ok := values[i].([]byte); ok {
			values[i] = string(body)
		}
	}
}

func insertQuery(into *table, rows int) string {
	row := "(" + strings.Repeat("?, ", len(into.columns)-1) + "?)"
	return "INSERT INTO " + into.name + " (" + into.names() + ") VALUES " + strings.Join(slices.Repeat([]string{row}, rows), ", ") + " " + into.conflict
}
