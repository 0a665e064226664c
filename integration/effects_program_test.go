//go:build unix

package integration_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing/fstest"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"modernc.org/sqlite"

	"github.com/prantikov/millrace"
	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/store"
)

// These tell a copy of this test binary to be the program, with a plugin's three consumers, and at which point to kill itself.
const (
	effectsFolder = "EFFECTS_FOLDER"
	effectsKilled = "EFFECTS_KILLED"
)

// The points at which the program kills itself.
const (
	// whenHanded is before the function of the first record is called.
	whenHanded = "handed"
	// whenHandled is when the function has returned, and nothing is written but what it wrote by itself.
	whenHandled = "handled"
	// whenWritten is when all that a unit of work writes is written, files synced, and the database is about to commit.
	whenWritten = "written"
)

// The plugin's consumers: one for each way to have effects.
const (
	ownStatements = "own-statements"
	ownFiles      = "own-files"
	ownOutside    = "own-outside"
)

// ownTables are the plugin's. The trigger says that a unit of work moves its progress row.
const ownTables = `-- +goose Up
CREATE TABLE own_entries (topic TEXT NOT NULL, partition INTEGER NOT NULL, position INTEGER NOT NULL);
-- +goose StatementBegin
CREATE TRIGGER own_watch AFTER UPDATE OF frontier ON progress BEGIN SELECT progress_moves(); END;
-- +goose StatementEnd
`

// doomed is a program that kills itself at a point.
type doomed struct {
	folder, point string
	moves         atomic.Bool
}

// beEffectsProgram runs the program with its command line. It returns only an error.
func beEffectsProgram(folder string) int {
	d := &doomed{folder: folder, point: os.Getenv(effectsKilled)}
	err := sqlite.RegisterScalarFunction("progress_moves", 0, func(*sqlite.FunctionContext, []driver.Value) (driver.Value, error) {
		d.moves.Store(true)
		return nil, nil
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	sqlite.RegisterConnectionHook(func(connection sqlite.ExecQuerierContext, _ string) error {
		hooks, can := connection.(sqlite.HookRegisterer)
		if !can {
			return errors.New("the driver has no hooks")
		}
		hooks.RegisterCommitHook(func() int32 {
			if d.moves.Load() {
				d.at(whenWritten)
			}
			return 0
		})
		return nil
	})
	millrace.Main(millrace.Builtin(), millrace.Plugin(d.register))
	return 1
}

// at kills the process when this is its point.
func (d *doomed) at(point string) {
	if d.point != point {
		return
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {} // until it is gone
}

func (d *doomed) register(app *millrace.App) error {
	app.Migrate("own", fstest.MapFS{"00001_entries.sql": {Data: []byte(ownTables)}})
	app.Use(func(next message.HandlerFunc) message.HandlerFunc {
		return func(m *message.Message) ([]*message.Message, error) {
			d.at(whenHanded)
			out, err := next(m)
			d.at(whenHandled)
			return out, err
		}
	})
	orders := []messages.Type{messages.Orders}
	return errors.Join(
		app.Consume(ownStatements, app.Durable(ownStatements), router.OnAny(orders, d.enter)),
		app.Consume(ownFiles, app.Files(ownFiles, filepath.Join(d.folder, ownFiles)), router.OnAny(orders, d.append)),
		app.Consume(ownOutside, router.OnAny(orders, d.send)),
	)
}

// enter writes with statements of its own.
func (d *doomed) enter(ctx context.Context, e messages.Event[any]) error {
	tx, err := store.Tx(ctx)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO own_entries (topic, partition, position) VALUES ($1, $2, $3)`, e.Topic, e.Partition, e.Offset)
	return err
}

// append writes a line that is committed with the progress.
func (d *doomed) append(ctx context.Context, e messages.Event[any]) error {
	return store.Lines(ctx).Append("lines.jsonl", ownLine(e))
}

// send has an effect that no transaction reaches: a line that is there at once.
func (d *doomed) send(_ context.Context, e messages.Event[any]) error {
	folder := filepath.Join(d.folder, ownOutside)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(filepath.Join(folder, "lines.jsonl"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(append(ownLine(e), '\n'))
	return errors.Join(err, file.Close())
}

func ownLine(e messages.Event[any]) []byte {
	return fmt.Appendf(nil, `{"topic":%q,"partition":%d,"offset":%d,"timestamp":%q}`, e.Topic, e.Partition, e.Offset, e.Timestamp.UTC().Format(time.RFC3339Nano))
}
