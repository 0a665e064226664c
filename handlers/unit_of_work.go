package handlers

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/store"
)

// unitOfWork is a unit of work of the store as the store offers it.
type unitOfWork interface {
	Begin(ctx context.Context, claim string, records []*record.Record) (*store.Work, error)
}

// durable is a unit of work of the store as the router wants it: the two packages do not know each other.
type durable struct {
	open  func() unitOfWork
	files bool
	// replaying is the same in a replay; nil for itself.
	replaying *durable
}

// lazily makes the unit of work at its first use, so that consumers can be listed without a store.
func lazily(files bool, open func(replay bool) unitOfWork) router.UnitOfWork {
	once := func(replay bool) func() unitOfWork { return sync.OnceValue(func() unitOfWork { return open(replay) }) }
	return durable{open: once(false), files: files, replaying: &durable{open: once(true), files: files}}
}

var _ router.ReplayUnit = durable{}

// Replaying implements [router.ReplayUnit].
func (d durable) Replaying() router.UnitOfWork {
	if d.replaying == nil {
		return d
	}
	return *d.replaying
}

// Files says whether the unit of work appends to files.
func (d durable) Files() bool { return d.files }

// Begin implements [router.UnitOfWork].
func (d durable) Begin(ctx context.Context, claim string, records []*record.Record) (router.Work, error) {
	work, err := d.open().Begin(ctx, claim, records)
	if err != nil {
		return nil, fenced(err)
	}
	return durableWork{Work: work, told: &tellings{}}, nil
}

// Away implements [router.UnitOfWork].
func (d durable) Away(err error) bool { return store.Unavailable(err) }

// durableWork turns the store's errors into the router's, and tells what happened when it is committed.
type durableWork struct {
	*store.Work
	told *tellings
}

// Context implements [router.Work].
func (w durableWork) Context(ctx context.Context) context.Context {
	return context.WithValue(w.Work.Context(ctx), tellingsKey{}, w.told)
}

// Mark implements [router.Work].
func (w durableWork) Mark() {
	w.told.mark()
	w.Work.Mark()
}

// Undo implements [router.Work].
func (w durableWork) Undo() error {
	w.told.undo()
	return w.Work.Undo()
}

// Commit implements [router.Work].
func (w durableWork) Commit(ctx context.Context) error {
	if err := w.Work.Commit(ctx); err != nil {
		return fenced(err)
	}
	w.told.tellAll()
	return nil
}

func fenced(err error) error {
	if errors.Is(err, store.ErrFenced) {
		return fmt.Errorf("%w: %w", router.ErrFenced, err)
	}
	return err
}
