package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"time"
)

// sqliteSession is the one connection that writes to a file, with its prepared statements. It is the writer's, or whose it lends it to.
type sqliteSession struct {
	db *sql.DB
	// conn is nil until it is needed, and again after it broke.
	conn       *sql.Conn
	statements map[string]*sql.Stmt
}

// begin opens a transaction, with the lock. When the database answers that another connection has it, begin asks again, for as long as
// waited returns no error.
func (s *sqliteSession) begin(waited func(busy error) error) error {
	deadline := time.Now().Add(lockWait)
	for try := 1; ; try++ {
		err := s.connect()
		if err == nil {
			_, err = s.exec("BEGIN IMMEDIATE")
		}
		if try == 1 && isConnectionGone(err) {
			continue
		}
		if err == nil || !isBusy(err) || time.Now().After(deadline) {
			return err
		}
		if err := waited(err); err != nil {
			return err
		}
	}
}

func (s *sqliteSession) commit() error {
	if _, err := s.exec("COMMIT"); err != nil {
		s.rollback()
		return uncertainError{err}
	}
	return nil
}

// rollback needs no answer: it fails where the database has rolled back by itself.
func (s *sqliteSession) rollback() {
	if s.conn != nil {
		_, _ = s.exec("ROLLBACK")
	}
}

func (s *sqliteSession) connection() *sql.Conn { return s.conn }

func (s *sqliteSession) connect() error {
	if s.conn != nil {
		return nil
	}
	conn, err := s.db.Conn(context.Background())
	if err != nil {
		return err
	}
	s.conn, s.statements = conn, map[string]*sql.Stmt{}
	return nil
}

// disconnect gives a broken connection up; the next transaction opens another.
func (s *sqliteSession) disconnect() {
	for _, prepared := range s.statements {
		_ = prepared.Close() // one that is left open keeps the file open, behind its closed connection
	}
	if s.conn != nil {
		_ = s.conn.Close()
	}
	s.conn, s.statements = nil, nil
}

// statement returns the prepared form of a query. No context reaches the database from here: one that ended half way would interrupt
// the statement and roll the whole transaction back, and each of these takes microseconds.
func (s *sqliteSession) statement(query string) (*sql.Stmt, error) {
	if prepared := s.statements[query]; prepared != nil {
		return prepared, nil
	}
	if s.conn == nil {
		return nil, driver.ErrBadConn
	}
	prepared, err := s.conn.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, err
	}
	s.statements[query] = prepared
	return prepared, nil
}

func (s *sqliteSession) exec(query string, arguments ...any) (int64, error) {
	prepared, err := s.statement(query)
	if err != nil {
		return 0, s.noticed(err)
	}
	result, err := prepared.ExecContext(context.Background(), arguments...)
	if err != nil {
		return 0, s.noticed(err)
	}
	return result.RowsAffected()
}

func (s *sqliteSession) row(query string, arguments []any, into ...any) error {
	prepared, err := s.statement(query)
	if err != nil {
		return s.noticed(err)
	}
	return s.noticed(prepared.QueryRowContext(context.Background(), arguments...).Scan(into...))
}

func (s *sqliteSession) send(statements []statement) error {
	for _, one := range statements {
		changed, err := s.exec(one.query, one.arguments...)
		if err == nil {
			err = one.check(changed)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *sqliteSession) noticed(err error) error {
	if isConnectionGone(err) {
		s.disconnect()
	}
	return err
}

func isConnectionGone(err error) bool {
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone)
}
