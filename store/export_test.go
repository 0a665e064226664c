package store

import (
	"context"
	"fmt"
)

// LimitPages makes the file's disk full: the write connection gets no more than this many pages.
func (s *Store) LimitPages(ctx context.Context, limit int) error {
	return s.onWriter(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", limit))
}

// OnReached sets what is called between the steps of a commit of files: registered, synced (after each file), recorded, committed.
func (s *Store) OnReached(reached func(step string)) { s.reached = reached }

// FailCommits makes COMMIT fail after all that it commits was accepted, until mend is called: a deferred foreign key is the one thing
// that the database checks so late.
func (s *Store) FailCommits(ctx context.Context) (mend func() error, err error) {
	err = s.onWriter(ctx, "PRAGMA foreign_keys = ON", "CREATE TEMP TABLE parent (id INTEGER PRIMARY KEY)",
		"CREATE TEMP TABLE child (id INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)",
		"CREATE TEMP TRIGGER fail AFTER UPDATE ON main.progress BEGIN INSERT INTO child VALUES (1); END")
	return func() error { return s.onWriter(ctx, "DROP TRIGGER fail") }, err
}

// HoldWriter keeps the goroutine that writes from its work until the returned function is called.
func (s *Store) HoldWriter(ctx context.Context) (release func(), err error) {
	lent, err := s.database.(*sqlite).writer.lend(ctx)
	if err != nil {
		return nil, err
	}
	return lent.end, nil
}

func (s *Store) onWriter(ctx context.Context, queries ...string) error {
	lent, err := s.database.(*sqlite).writer.lend(ctx)
	if err != nil {
		return err
	}
	defer lent.end()
	for _, query := range queries {
		if _, err := lent.conn.ExecContext(ctx, query); err != nil {
			return err
		}
	}
	return nil
}
