package main

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/prantikov/millrace/handlers"
	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/router/routertest"
	"github.com/prantikov/millrace/store"
)

// setup is a store with the ledger's table, and a pool that reads it.
func setup(t *testing.T) (router.Option, *sql.DB) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "store.db")
	opened, err := store.Open(t.Context(), path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = opened.Close() })
	files, err := fs.Sub(tables, "tables")
	if err == nil {
		err = opened.Migrate(t.Context(), "ledger", files)
	}
	if err != nil {
		t.Fatal(err)
	}
	database, err := store.Reading(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = database.Close() })
	return handlers.Durable(handlers.Storage{Store: func() *store.Store { return opened }}, "ledger"), database
}

func delivered(order, pharmacy string) messages.OrderEvent {
	return messages.OrderEvent{OrderID: order, PatientID: "pat-7", PharmacyID: pharmacy, Status: "delivered"}
}

// deliveries is what the table has for a pharmacy.
func deliveries(t *testing.T, database *sql.DB, pharmacy string) (count int) {
	t.Helper()
	err := database.QueryRowContext(t.Context(), "SELECT coalesce(sum(deliveries), 0) FROM ledger_pharmacies WHERE pharmacy = ?", pharmacy).Scan(&count)
	if err != nil {
		t.Fatal(err)
	}
	return count
}

func TestDeliveriesAreCounted(t *testing.T) {
	t.Parallel()
	durable, database := setup(t)
	kit := routertest.New(t, "ledger", durable, router.On(messages.OrderDelivered, count))
	for _, event := range []messages.OrderEvent{delivered("ord-1", "ph-1"), delivered("ord-2", "ph-2"), delivered("ord-3", "ph-1")} {
		if got := routertest.Deliver(kit, messages.OrderDelivered, event); got.Outcome != record.Done {
			t.Errorf("got %s for %s, want done", got.Outcome, event.OrderID)
		}
	}
	if one, two := deliveries(t, database, "ph-1"), deliveries(t, database, "ph-2"); one != 2 || two != 1 {
		t.Errorf("got %d and %d deliveries, want 2 and 1", one, two)
	}
}

func TestATryThatFailsLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	durable, database := setup(t)
	tries := 0
	kit := routertest.New(t, "ledger", durable,
		router.On(messages.OrderDelivered, func(ctx context.Context, e messages.Event[messages.OrderEvent]) error {
			if err := count(ctx, e); err != nil {
				return err
			}
			if tries++; tries < 3 {
				return errors.New("broken after it has written")
			}
			return nil
		}))
	got := routertest.Deliver(kit, messages.OrderDelivered, delivered("ord-1", "ph-1"))
	if got.Outcome != record.Done || got.Attempts != 3 || deliveries(t, database, "ph-1") != 1 {
		t.Errorf("got %s after %d tries and %d deliveries, want done after 3 and 1", got.Outcome, got.Attempts, deliveries(t, database, "ph-1"))
	}
}

func TestTheWatchReadsWhatIsThere(t *testing.T) {
	t.Parallel()
	durable, database := setup(t)
	watch := &watch{database: database, logger: slog.New(slog.DiscardHandler)}
	ledger := routertest.New(t, "ledger", durable, router.On(messages.OrderDelivered, count))
	kit := routertest.New(t, "ledger-watch", router.On(messages.OrderShipped, watch.newcomer))
	for range 2 {
		if got := routertest.Deliver(kit, messages.OrderShipped, delivered("ord-1", "ph-1")); got.Outcome != record.Done || got.Attempts != 1 {
			t.Errorf("got %s after %d tries, want done at the first", got.Outcome, got.Attempts)
		}
		routertest.Deliver(ledger, messages.OrderDelivered, delivered("ord-1", "ph-1"))
	}
}
