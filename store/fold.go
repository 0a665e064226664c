package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/prantikov/millrace/record"
)

// Fold keeps states in memory, for who goes through a log to see what it comes to: the functions that write states through [States] do the same
// in it as on the tables, and nothing is durable. It has one state for each entity, however many records there are. Its functions may be called
// from many goroutines.
type Fold struct {
	changed func(Change)

	mutex  sync.Mutex
	states map[stateKey]*storedState
}

// NewFold returns an empty fold. changed, unless nil, is told of each change when its unit of work is committed, an entity's in their order, and
// of one change at a time. What it is given shares memory with the records.
func NewFold(changed func(Change)) *Fold {
	return &Fold{changed: changed, states: map[stateKey]*storedState{}}
}

// Begin opens a unit of work for records of one partition, in the order of the log. There is no progress in a fold: a record that comes twice is
// folded twice, so its caller hands over each record once.
func (f *Fold) Begin(records []*record.Record) (*FoldWork, error) {
	if err := checkRecords(records); err != nil {
		return nil, fmt.Errorf("beginning a unit of work: %w", err)
	}
	return &FoldWork{fold: f, work: Work{source: f, records: records}}, nil
}

// Latest returns the state of one entity as the records so far left it, with its FirstSeen; ok is false for one that none was about.
func (f *Fold) Latest(kind, id string) (last Change, ok bool) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	found := f.states[stateKey{id: id, kind: kind}]
	if found == nil {
		return Change{}, false
	}
	return Change{State: found.State, Revision: found.revision}, true
}

// Len is how many entities there are.
func (f *Fold) Len() int {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return len(f.states)
}

func (f *Fold) stateOf(_ context.Context, key stateKey) (*storedState, error) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return f.states[key], nil
}

// ahead looks for none: memory is asked for one entity as quickly as for many.
func (f *Fold) ahead(context.Context, []*record.Record) (map[stateKey]*storedState, map[string]bool, error) {
	return map[stateKey]*storedState{}, nil, nil
}

// keep takes over what a unit of work has changed. Another one that changed an entity meanwhile refuses it whole.
func (f *Fold) keep(set *stateSet) error {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	type kept struct {
		key   stateKey
		state *storedState
	}
	all := make([]kept, 0, len(set.changed))
	for key, change := range set.changed {
		before, looked := set.loaded[key]
		present := f.states[key]
		if looked && present != before {
			return errMoved
		}
		state := *change
		if present != nil {
			state.FirstSeen = present.FirstSeen
			state.revision += present.revision
		}
		// The body of a record shares the memory of everything that was read with it.
		state.Body = bytes.Clone(state.Body)
		all = append(all, kept{key, &state})
	}
	f.tell(set)
	for _, one := range all {
		f.states[one.key] = one.state
	}
	return nil
}

// tell tells of the changes before they are taken over.
func (f *Fold) tell(set *stateSet) {
	if f.changed == nil {
		return
	}
	for _, change := range set.history {
		revision := change.revision
		if present := f.states[stateKey{id: change.ID, kind: change.Type}]; present != nil {
			revision += present.revision
		}
		shown := change.State
		shown.FirstSeen = record.Position{}
		f.changed(Change{State: shown, Revision: revision})
	}
}

// FoldWork is one open unit of work of a [Fold]. One goroutine uses it. It ends with Commit or Rollback.
type FoldWork struct {
	fold *Fold
	work Work
}

// Context returns a context that carries the unit of work to [States]. There are no files and no SQL in a fold, and counts are dropped.
func (w *FoldWork) Context(ctx context.Context) context.Context { return w.work.Context(ctx) }

// Finished is false: a fold knows no progress.
func (w *FoldWork) Finished(*record.Record) bool { return false }

// Mark begins the effects of one record.
func (w *FoldWork) Mark() { w.work.Mark() }

// Undo drops the effects since the last Mark and no others.
func (w *FoldWork) Undo() error { return w.work.Undo() }

// Finish does nothing: a fold knows no progress.
func (w *FoldWork) Finish(*record.Record, record.Outcome) {}

// Exclusive is false: nobody waits for a fold.
func (w *FoldWork) Exclusive() bool { return false }

// Rollback drops everything. After Commit it does nothing.
func (w *FoldWork) Rollback() error {
	w.work.ended = true
	return nil
}

// Commit takes the states over. It returns an error that [Unavailable] knows when another unit of work has changed one of them meanwhile: then
// nothing was taken over, and the same work can be begun anew.
func (w *FoldWork) Commit(context.Context) error {
	if w.work.ended {
		return fmt.Errorf("committing a unit of work: %w", ErrEnded)
	}
	w.work.ended = true
	if err := w.fold.keep(&w.work.states); err != nil {
		return unavailable("committing a unit of work", err)
	}
	return nil
}

// errFold is the error of asking a unit of work of a fold for what only the tables have.
var errFold = errors.New("a fold in memory has states alone")
