package main_test

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/store"
	"github.com/prantikov/millrace/store/storetest"
)

// The bare statements: what somebody would write who knows that every record is good and new.
const (
	bareState = `INSERT INTO entities (id, type, status, action, deleted, body, topic, partition, record_offset, record_time, first_topic, first_partition, first_offset, revision)
VALUES ($1, 'OrderEvent', 'processing', 'updated', $2, $3, $4, 0, $5, $6, $4, 0, $5, $7)
ON CONFLICT (id, type) DO UPDATE SET status = excluded.status, action = excluded.action, deleted = excluded.deleted, body = excluded.body,
topic = excluded.topic, partition = excluded.partition, record_offset = excluded.record_offset, record_time = excluded.record_time, revision = excluded.revision`
	bareChange = `INSERT INTO entity_history (id, type, revision, status, action, deleted, body, topic, partition, record_offset, record_time)
VALUES ($1, 'OrderEvent', $2, 'processing', 'updated', $3, $4, $5, 0, $6, $7)`
	bareProgress = `INSERT INTO progress (consumer, topic, partition, epoch, revision, frontier, done) VALUES ('orders', $1, 0, 1, 1, $2, '')
ON CONFLICT (consumer, topic, partition) DO UPDATE SET revision = progress.revision + 1, frontier = excluded.frontier`
)

// newBare makes the tables and returns what writes the next batch into them.
func newBare(b *testing.B) (write func(records []*record.Record)) {
	b.Helper()
	place := storetest.Place(b, filepath.Join(b.TempDir(), "bare"))
	made, err := store.Open(b.Context(), place, nil)
	if err != nil {
		b.Fatal(err)
	}
	if err := made.Close(); err != nil {
		b.Fatal(err)
	}
	next := int64(0)
	batch := newBareSQLite
	if storetest.Postgres() {
		batch = newBarePostgres
	}
	commit := batch(b, place)
	return func(records []*record.Record) {
		var rows []*record.Record
		for range durableBatch {
			rows = append(rows, chosen(records, next))
			next++
		}
		if err := commit(rows, next); err != nil {
			b.Fatal(err)
		}
	}
}

// revisionOf is how often an order has come, which the rows are numbered by: each comes once in so many records.
func revisionOf(r *record.Record) int64 { return r.Offset/durableEntities + 1 }

func newBareSQLite(b *testing.B, path string) func(rows []*record.Record, next int64) error {
	b.Helper()
	pragmas := strings.Join([]string{"journal_mode(WAL)", "synchronous(FULL)", "fullfsync(1)", "cache_size(-32768)"}, "&_pragma=")
	db, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate&_pragma="+pragmas)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(1)
	prepared := map[string]*sql.Stmt{}
	for _, query := range []string{bareState, bareChange, bareProgress} {
		if prepared[query], err = db.PrepareContext(b.Context(), query); err != nil {
			b.Fatal(err)
		}
	}
	return func(rows []*record.Record, next int64) error {
		tx, err := db.BeginTx(b.Context(), nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }()
		state, change, progress := tx.Stmt(prepared[bareState]), tx.Stmt(prepared[bareChange]), tx.Stmt(prepared[bareProgress])
		for _, r := range rows {
			id, body, at := string(r.Key), string(r.Value), r.Timestamp.UnixMilli()
			if _, err := state.ExecContext(b.Context(), id, false, body, r.Topic, r.Offset, at, revisionOf(r)); err != nil {
				return err
			}
			if _, err := change.ExecContext(b.Context(), id, revisionOf(r), false, body, r.Topic, r.Offset, at); err != nil {
				return err
			}
		}
		if _, err := progress.ExecContext(b.Context(), rows[0].Topic, next); err != nil {
			return err
		}
		return tx.Commit()
	}
}

func newBarePostgres(b *testing.B, address string) func(rows []*record.Record, next int64) error {
	b.Helper()
	conn, err := pgx.Connect(b.Context(), address)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close(b.Context()) })
	return func(rows []*record.Record, next int64) error {
		batch := &pgx.Batch{} // a transaction, as it is one message
		for _, r := range rows {
			id, at := string(r.Key), r.Timestamp.UnixMilli()
			batch.Queue(bareState, id, false, r.Value, r.Topic, r.Offset, at, revisionOf(r))
			batch.Queue(bareChange, id, revisionOf(r), false, r.Value, r.Topic, r.Offset, at)
		}
		batch.Queue(bareProgress, rows[0].Topic, next)
		return conn.SendBatch(b.Context(), batch).Close()
	}
}
