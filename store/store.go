package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
)

// Store is the tables of one SQLite file, or of one schema of a PostgreSQL database. All of its functions may be called from many
// goroutines.
type Store struct {
	// where is the path, or the address without its password.
	where   string
	logger  *slog.Logger
	dialect dialect
	// database is nil in a store that was opened with OpenReader.
	database database
	reader   *sql.DB
	reads    reads

	mutex sync.Mutex
	sinks []*sink

	// reached, when a test sets it, is called between the steps of a commit of files: where a kill would hurt most.
	reached func(step string)
}

// Open opens the store, makes it where it is missing, and brings its tables up to date. A nil logger is a silent one.
//
// where is the path of an SQLite file, which is one process's: it gets mode 0600, a folder that is missing 0700. An address
// postgres://user:password@host:5432/database is a PostgreSQL database, which several processes share; a parameter search_path in it
// names the schema. What the address leaves out comes from libpq's own places (PGPASSWORD, PGSSLMODE, the password file). No error has
// the password in it.
//
// It returns an error that says what to do when the file is damaged, read-only, locked for more than ten seconds, when the database
// cannot be reached or may not be written, and when a newer version wrote the tables, which it names. Reading a whole file to check it takes about a
// second per gigabyte.
func Open(ctx context.Context, where string, logger *slog.Logger, options ...OpenOption) (*Store, error) {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	if IsPostgres(where) {
		return openPostgres(ctx, where, logger, openedWith(options))
	}
	return openSQLite(ctx, where, logger, openedWith(options))
}

// OpenReader opens a store for reading alone, also while others write it: for commands that show something. It makes and changes nothing. A
// unit of work of such a store does not begin. It returns an error that wraps [os.ErrNotExist] where there is no store yet, and one that names
// the program that it needs where a newer one has written it.
func OpenReader(ctx context.Context, where string, options ...OpenOption) (*Store, error) {
	s := &Store{where: where, logger: slog.New(slog.DiscardHandler)}
	var err error
	if IsPostgres(where) {
		s.where, s.dialect = shown(where), postgresDialect
		s.reader, err = openPostgresReader(ctx, where)
	} else {
		s.dialect = sqliteDialect
		s.reader, err = openSQLiteReader(ctx, where)
	}
	if err != nil {
		return nil, err
	}
	if err = openedWith(options).check(ctx, s.dialect, s.reader); err == nil {
		s.reads, err = prepareReads(ctx, s.dialect, s.reader)
	}
	if err != nil {
		return nil, errors.Join(unavailable("opening the store "+quoted(s.where), err), s.reader.Close())
	}
	return s, nil
}

// DB is the store's database for reading: a statement that writes fails. A plugin writes with [Tx].
func (s *Store) DB() *sql.DB { return s.reader }

// Close ends after the commits that are running. Units of work that are still open write nothing.
func (s *Store) Close() error {
	errs := []error{s.reads.close(), s.reader.Close()}
	if s.database != nil {
		errs = append(errs, s.database.close())
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for _, sink := range s.sinks {
		errs = append(errs, sink.close())
	}
	s.sinks = nil
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("closing the store %q: %w", s.where, err)
	}
	return nil
}

// write runs a closed set of writes as one transaction, or not at all.
func (s *Store) write(ctx context.Context, set func(session) error) error {
	if s.database == nil {
		return errForReading
	}
	return s.database.write(ctx, set)
}

func (s *Store) reach(step string) {
	if s.reached != nil {
		s.reached(step)
	}
}
