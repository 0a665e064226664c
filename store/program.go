package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// OpenOption is a part of what [Open] and [OpenReader] are told beside the place.
type OpenOption func(*opening)

// opening is what opens a store.
type opening struct {
	// program is its name with its version; empty for one that does not say.
	program string
}

// By names the program that opens the store, with its version: "millrace v1.2.0". The store remembers who brought its tables to a version, and
// an older program that is refused says whom it needs.
func By(program string) OpenOption { return func(o *opening) { o.program = program } }

func openedWith(options []OpenOption) opening {
	o := opening{}
	for _, option := range options {
		option(&o)
	}
	return o
}

// refuse is the error of tables that are newer than what this program knows. It names the program that they need.
func (o opening) refuse(ctx context.Context, db *sql.DB, table string, present, newest int64) error {
	this, needed := o.program, "the newer program that made them"
	if this == "" {
		this = "this program"
	}
	// Who did not say its name has none here.
	err := db.QueryRowContext(ctx, "SELECT program FROM schema_programs WHERE tables = $1 AND version = $2", table, present).Scan(&needed)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	return fmt.Errorf("its tables have version %d and %s knows %d: run %s or a later one, or restore the copy from before it (docs/upgrading.md)",
		present, this, newest, needed)
}

// remember notes that this program knows the version that the tables have now, unless another one has brought them there.
func (o opening) remember(ctx context.Context, db *sql.DB, table string, version int64) error {
	if o.program == "" {
		return nil
	}
	_, err := db.ExecContext(ctx, "INSERT INTO schema_programs (tables, version, program) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", table, version, o.program)
	return err
}
