package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// postgresSession is a transaction on a connection of its own. It is begun by its first statement, with which it goes over the wire.
type postgresSession struct {
	// ctx is for as long as the session; each message has lockWait beside it, for a server may hang.
	ctx   context.Context
	conn  *sql.Conn
	begun bool
}

func (s *postgresSession) connection() *sql.Conn { return s.conn }

func (s *postgresSession) exec(query string, arguments ...any) (rows int64, err error) {
	if err := s.begin(); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(s.ctx, lockWait)
	defer cancel()
	result, err := s.conn.ExecContext(ctx, query, escapedAll(arguments)...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (s *postgresSession) row(query string, arguments []any, into ...any) error {
	if err := s.begin(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(s.ctx, lockWait)
	defer cancel()
	return s.conn.QueryRowContext(ctx, query, escapedAll(arguments)...).Scan(into...)
}

func (s *postgresSession) begin() error {
	if s.begun {
		return nil
	}
	return s.send(nil)
}

// send sends all statements before it reads the first answer.
func (s *postgresSession) send(statements []statement) error {
	batch := &pgx.Batch{}
	if !s.begun {
		statements = append([]statement{{query: "BEGIN", rows: anyRows}}, statements...)
	}
	for _, one := range statements {
		batch.Queue(one.query, escapedAll(one.arguments)...)
	}
	ctx, cancel := context.WithTimeout(s.ctx, lockWait)
	defer cancel()
	s.begun = true
	return s.raw(func(conn *pgx.Conn) error {
		results := conn.SendBatch(ctx, batch)
		var first error
		for _, one := range statements {
			done, err := results.Exec()
			if err == nil {
				err = one.check(done.RowsAffected())
			}
			if err != nil {
				first = err
				break
			}
		}
		// A statement that changed too few rows comes first: what failed after it failed because of it.
		if err := results.Close(); first == nil {
			first = err
		}
		return first
	})
}

func (s *postgresSession) commit() error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), lockWait)
	defer cancel()
	var ended pgconn.CommandTag
	err := s.raw(func(conn *pgx.Conn) (err error) {
		ended, err = conn.Exec(ctx, "COMMIT", pgx.QueryExecModeSimpleProtocol)
		return err
	})
	switch refusal := (*pgconn.PgError)(nil); {
	case errors.As(err, &refusal) && !isCutOff(refusal):
		return err // the server says that it has not committed
	case err != nil:
		return uncertainError{err}
	}
	s.begun = false
	if ended.String() != "COMMIT" {
		return fmt.Errorf("committing: the server has rolled back (%s)", ended)
	}
	return nil
}

// end rolls back what was not committed. A connection on which that cannot be said is not used again.
func (s *postgresSession) end() {
	if s.begun {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), lockWait)
		defer cancel()
		_ = s.conn.Raw(func(driverConn any) error {
			if _, err := driverConn.(*stdlib.Conn).Conn().Exec(ctx, "ROLLBACK", pgx.QueryExecModeSimpleProtocol); err != nil {
				return driver.ErrBadConn
			}
			return nil
		})
	}
	_ = s.conn.Close()
}

// raw gives the driver's own connection, which knows how to send many statements at once.
func (s *postgresSession) raw(use func(*pgx.Conn) error) error {
	return s.conn.Raw(func(driverConn any) error { return use(driverConn.(*stdlib.Conn).Conn()) })
}
