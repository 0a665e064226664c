package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
)

// Beside is tables beside those of a store, empty at first: what a log comes to is written into them, compared with what the store has, and put
// in its place. They are in a file of their own beside an SQLite file, and in a schema of their own in PostgreSQL.
type Beside struct {
	live *Store
	// Tables has the units of work that write them.
	Tables *Store
	room   room
}

// room is where tables beside a store's are.
type room struct {
	// name is the file's, or the schema's; address is what Open takes.
	name, address string
	// drop removes the tables, and lets others make some.
	drop func(context.Context) error
}

// ErrRebuilding is what the error of [Store.Beside] wraps when another process is at it.
var ErrRebuilding = errors.New("another process rebuilds the state")

// Beside makes empty tables beside the store's. What an earlier one has left there is dropped. One process does it at a time: an SQLite file is
// one process's anyway.
//
// The error is one that [Unavailable] knows, or wraps [ErrRebuilding].
func (s *Store) Beside(ctx context.Context) (*Beside, error) {
	const tried = "making tables beside the store's"
	if s.database == nil {
		return nil, unavailable(tried, errForReading)
	}
	made, err := s.database.makeBeside(ctx)
	if errors.Is(err, ErrRebuilding) {
		return nil, err
	}
	if err != nil {
		return nil, unavailable(tried, err)
	}
	tables, err := Open(ctx, made.address, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, unavailable(tried, errors.Join(err, made.drop(ctx)))
	}
	return &Beside{live: s, Tables: tables, room: made}, nil
}

// Drop closes the tables and removes them, also when the context has ended.
func (b *Beside) Drop(ctx context.Context) error {
	err := errors.Join(b.Tables.Close(), b.room.drop(context.WithoutCancel(ctx)))
	if err != nil {
		return fmt.Errorf("removing the tables beside the store's: %w", err)
	}
	return nil
}

// exclusively is a transaction in which nobody else commits a unit of work, on a connection that sees both sets of tables: beside is what stands
// before the name of one that is not the store's own.
type exclusively struct {
	conn   *sql.Conn
	beside string
}

func (x exclusively) exec(ctx context.Context, query string, arguments ...any) error {
	_, err := x.conn.ExecContext(ctx, query, arguments...)
	return err
}

// transact runs use between these two statements, and rolls back what it has written unless it says that it is to be kept.
func (x exclusively) transact(ctx context.Context, begin []string, use func(exclusively) (keep bool, err error)) (err error) {
	for i, query := range begin {
		if err := x.exec(ctx, query); err != nil {
			if i > 0 {
				err = errors.Join(err, x.exec(context.WithoutCancel(ctx), "ROLLBACK"))
			}
			return err
		}
	}
	keep, err := use(x)
	if err != nil || !keep {
		return errors.Join(err, x.exec(context.WithoutCancel(ctx), "ROLLBACK"))
	}
	if err := x.exec(ctx, "COMMIT"); err != nil {
		_ = x.exec(context.WithoutCancel(ctx), "ROLLBACK") // fails where there is nothing left to roll back
		return err
	}
	return nil
}
