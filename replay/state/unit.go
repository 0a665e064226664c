package state

import (
	"context"

	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/store"
)

// inMemory is a fold as a consumer's unit of work.
type inMemory struct{ fold *store.Fold }

func (u inMemory) Begin(_ context.Context, _ string, records []*record.Record) (router.Work, error) {
	return u.fold.Begin(records)
}

func (u inMemory) Away(err error) bool { return store.Unavailable(err) }

// onTables is a unit of work on tables beside the live ones. Each record is handed over once, some of them late, so what the progress row makes of
// the offsets in between says nothing.
type onTables struct{ unit *store.UnitOfWork }

func (u onTables) Begin(ctx context.Context, claim string, records []*record.Record) (router.Work, error) {
	work, err := u.unit.Begin(ctx, claim, records)
	if err != nil {
		return nil, err
	}
	return tablesWork{work}, nil
}

func (u onTables) Away(err error) bool { return store.Unavailable(err) }

type tablesWork struct{ *store.Work }

func (tablesWork) Finished(*record.Record) bool { return false }

// GivenUp are dead letters that nobody gets: the consumer's own were written when it met the records.
type GivenUp struct{}

// Write implements [router.DeadLetters].
func (GivenUp) Write(context.Context, record.Letter) error { return nil }
