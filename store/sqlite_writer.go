package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// sqliteWriter is the one goroutine that writes to a file. It takes the finished sets of all consumers in the order in which they come, so
// that none starves another, and commits those that wait together: a commit waits for the disk once, however many sets are in it.
type sqliteWriter struct {
	session sqliteSession
	asked   chan *ask
	closing chan struct{}
	once    sync.Once
	ended   chan struct{}
}

// ask is somebody who wants to write.
type ask struct {
	ctx context.Context
	// set is what is to be written; nil for who wants the connection.
	set func(session) error
	// answer gets how it ended, or nil when the connection is lent; returned is closed when it is given back.
	answer   chan error
	returned chan struct{}
}

// setsPerCommit bounds what is committed together, and so for how long the first of them waits for the others.
const setsPerCommit = 32

func newSQLiteWriter(path string) (*sqliteWriter, error) {
	db, err := openPool(path, 1, writePragmas[:])
	if err != nil {
		return nil, err
	}
	w := &sqliteWriter{
		session: sqliteSession{db: db}, asked: make(chan *ask), closing: make(chan struct{}), ended: make(chan struct{}),
	}
	if err := w.session.connect(); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	go w.run()
	return w, nil
}

func (w *sqliteWriter) write(ctx context.Context, set func(session) error) error {
	return w.ask(&ask{ctx: ctx, set: set, answer: make(chan error, 1)})
}

// sqliteLoan is the connection in the hands of who has borrowed it.
type sqliteLoan struct {
	*sqliteSession
	returned chan struct{}
}

// end gives the connection back.
func (l *sqliteLoan) end() {
	l.rollback()
	close(l.returned)
}

// lend returns the connection when it is its turn.
func (w *sqliteWriter) lend(ctx context.Context) (*sqliteLoan, error) {
	a := &ask{ctx: ctx, answer: make(chan error, 1), returned: make(chan struct{})}
	if err := w.ask(a); err != nil {
		return nil, err
	}
	return &sqliteLoan{sqliteSession: &w.session, returned: a.returned}, nil
}

// ask hands over what is to be written and waits for the answer. It does not wait for its turn for longer than lockWait.
func (w *sqliteWriter) ask(a *ask) error {
	if err := a.ctx.Err(); err != nil {
		return err
	}
	timer := time.NewTimer(lockWait)
	defer timer.Stop()
	select {
	case w.asked <- a:
		return <-a.answer
	case <-a.ctx.Done():
		return a.ctx.Err()
	case <-w.closing:
		return errClosed
	case <-timer.C:
		return errOthers
	}
}

// close ends the goroutine after what it is at. A connection that somebody never gives back is not waited for for good.
func (w *sqliteWriter) close() error {
	w.once.Do(func() { close(w.closing) })
	timer := time.NewTimer(lockWait)
	defer timer.Stop()
	select {
	case <-w.ended:
		return w.session.db.Close()
	case <-timer.C:
		return errOthers
	}
}

func (w *sqliteWriter) run() {
	defer close(w.ended)
	defer w.session.disconnect()
	var next *ask
	for {
		if next == nil {
			select {
			case next = <-w.asked:
			case <-w.closing:
				return
			}
		}
		if next.set == nil {
			next.answer <- nil
			<-next.returned
			next = nil
			continue
		}
		var group []*ask
		group, next = w.gather(next)
		w.commit(group)
	}
}

// gather takes what else is waiting, up to one that wants the connection, which is next then.
func (w *sqliteWriter) gather(first *ask) (group []*ask, next *ask) {
	group = []*ask{first}
	for len(group) < setsPerCommit {
		select {
		case a := <-w.asked:
			if a.set == nil {
				return group, a
			}
			group = append(group, a)
		default:
			return group, nil
		}
	}
	return group, nil
}

// commit writes sets in one transaction. One that is refused is taken back alone.
func (w *sqliteWriter) commit(group []*ask) {
	err := w.session.begin(func(busy error) error {
		group = slices.DeleteFunc(group, func(a *ask) bool {
			err := joinEnded(a.ctx, busy)
			if err != nil {
				a.answer <- err
			}
			return err != nil
		})
		if len(group) == 0 {
			return busy
		}
		return nil
	})
	if err != nil {
		answer(group, err)
		return
	}
	var written []*ask
	for i, a := range group {
		err, whole := w.writeSet(a.set, len(group) > 1)
		switch {
		case !whole:
			w.session.rollback()
			answer(written, err)
			answer(group[i:], err)
			return
		case err != nil:
			a.answer <- err
		default:
			written = append(written, a)
		}
	}
	if len(written) == 0 {
		w.session.rollback()
		return
	}
	answer(written, w.session.commit())
}

// writeSet writes one set. Whole is false when the transaction can go no further with it: it has others to spare by a savepoint, and none of
// them is left, or it has no others.
func (w *sqliteWriter) writeSet(set func(session) error, others bool) (err error, whole bool) {
	if !others {
		err := set(&w.session)
		return err, err == nil
	}
	if _, err := w.session.exec("SAVEPOINT written"); err != nil {
		return err, false
	}
	err = set(&w.session)
	if err != nil {
		if _, lost := w.session.exec("ROLLBACK TO written"); lost != nil {
			return err, false // such as a full disk, of which the database rolls back everything
		}
	}
	if _, lost := w.session.exec("RELEASE written"); lost != nil {
		return errors.Join(err, lost), false
	}
	return err, true
}

func answer(asks []*ask, err error) {
	for _, a := range asks {
		a.answer <- err
	}
}

// joinEnded returns why nobody waits any more, with what was waited for; nil while somebody does.
func joinEnded(ctx context.Context, busy error) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", err, busy)
	}
	return nil
}
