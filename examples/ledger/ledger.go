package main

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io/fs"
	"log/slog"

	"github.com/prantikov/millrace"
	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/store"
)

// tables are goose migrations, which SQLite and PostgreSQL take both: they run before the first record arrives.
//
//go:embed tables/*.sql
var tables embed.FS

func register(app *millrace.App) error {
	files, err := fs.Sub(tables, "tables")
	if err != nil {
		return err
	}
	app.Migrate("ledger", files)
	watch := &watch{database: app.DB(), logger: app.Logger()}
	return errors.Join(
		// What count writes and how far it came are one commit.
		app.Consume("ledger", app.Durable("ledger"),
			router.On(messages.OrderDelivered, count),
		),
		// A consumer that writes nothing needs no unit of work.
		app.Consume("ledger-watch",
			router.On(messages.OrderShipped, watch.newcomer),
		),
	)
}

// count adds a delivery to its pharmacy. It needs no memory of what it has counted: a record that is delivered again does not get here.
func count(ctx context.Context, e messages.Event[messages.OrderEvent]) error {
	tx, err := store.Tx(ctx)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO ledger_pharmacies (pharmacy, deliveries) VALUES ($1, 1)
ON CONFLICT (pharmacy) DO UPDATE SET deliveries = ledger_pharmacies.deliveries + 1`, e.Body.PharmacyID)
	return err
}

// watch reads what ledger has committed.
type watch struct {
	database *sql.DB
	logger   *slog.Logger
}

// newcomer tells of orders from a pharmacy that has delivered nothing yet.
func (w *watch) newcomer(ctx context.Context, e messages.Event[messages.OrderEvent]) error {
	var deliveries int
	err := w.database.QueryRowContext(ctx, `SELECT deliveries FROM ledger_pharmacies WHERE pharmacy = $1`, e.Body.PharmacyID).Scan(&deliveries)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		w.logger.Debug("a pharmacy ships that has delivered nothing yet", "pharmacy", e.Body.PharmacyID, "order", e.EntityID)
		return nil
	case store.Unavailable(err):
		return router.Unavailable(err)
	default:
		return err
	}
}
