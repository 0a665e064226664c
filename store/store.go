package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
)

// Store is one SQLite file: one connection that writes and a pool that reads. All of its functions may be called from many goroutines.
type Store struct {
	path   string
	logger *slog.Logger
	// writer is nil in a store that was opened with OpenReader.
	writer *writer
	reader *sql.DB
	reads  reads

	mutex sync.Mutex
	sinks []*sink

	// reached, when a test sets it, is called between the steps of a commit of files: where a kill would hurt most.
	reached func(step string)
}

// Open opens the store's file, makes it where it is missing, and brings its tables up to date. The file gets mode 0600, a folder that is
// missing 0700. A nil logger is a silent one.
//
// It returns an error that says what to do when the file is damaged, read-only, locked for more than ten seconds, or was written by a
// newer version. Reading the whole file to check it takes about a second per gigabyte.
func Open(ctx context.Context, path string, logger *slog.Logger) (*Store, error) {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	if err := prepareFile(path); err != nil {
		return nil, unavailable(fmt.Sprintf("opening the store %q", path), err)
	}
	s, err := open(ctx, path, logger)
	if err != nil {
		return nil, explainOpen(path, err)
	}
	return s, nil
}

func open(ctx context.Context, path string, logger *slog.Logger) (*Store, error) {
	if err := migrateOwn(ctx, path); err != nil {
		return nil, err
	}
	reader, err := openPool(path, readers, readPragmas[:], "mode=ro")
	if err != nil {
		return nil, err
	}
	db, err := openPool(path, 1, writePragmas[:])
	if err != nil {
		return nil, errors.Join(err, reader.Close())
	}
	s := &Store{path: path, logger: logger, writer: newWriter(db), reader: reader}
	s.reads, err = prepareReads(ctx, reader)
	if err = errors.Join(err, s.writer.connect(ctx)); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// OpenReader opens a store for reading alone, also while another process writes it: for commands that show something. It makes and
// changes nothing. A unit of work of such a store does not begin. It returns an error that wraps [os.ErrNotExist] where there is no
// store yet.
func OpenReader(ctx context.Context, path string) (*Store, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("opening the store %q: %w", path, err)
	}
	reader, err := openPool(path, readers, readPragmas[:], "mode=ro")
	if err != nil {
		return nil, explainOpen(path, err)
	}
	s := &Store{path: path, logger: slog.New(slog.DiscardHandler), reader: reader}
	if s.reads, err = prepareReads(ctx, reader); err != nil {
		return nil, errors.Join(explainOpen(path, err), reader.Close())
	}
	return s, nil
}

// DB is the store's database for reading: a statement that writes fails. A plugin writes with [Tx].
func (s *Store) DB() *sql.DB { return s.reader }

// Close closes the file after the commit that is running. Units of work that are still open write nothing.
func (s *Store) Close() error {
	errs := []error{s.reads.close(), s.reader.Close()}
	if s.writer != nil {
		// A turn that does not come is one that somebody never gives back; closing does not wait for them for good.
		if err := s.writer.acquire(context.Background()); err != nil {
			errs = append(errs, err)
		} else {
			s.writer.disconnect()
			errs = append(errs, s.writer.db.Close())
			s.writer.release()
		}
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for _, sink := range s.sinks {
		errs = append(errs, sink.close())
	}
	s.sinks = nil
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("closing the store %q: %w", s.path, err)
	}
	return nil
}

// write runs a closed set of writes as one transaction.
func (s *Store) write(ctx context.Context, write func() error) error {
	if s.writer == nil {
		return errors.New("it was opened for reading")
	}
	return s.writer.do(ctx, write)
}

func (s *Store) reach(step string) {
	if s.reached != nil {
		s.reached(step)
	}
}
