// Command journal is the router with two more consumers, for tests: journal enters each order event into a table, in a unit of work, and
// journal-lines appends a line to a file for each, with the time, without one. Both refuse the orders of one id for as long as a file is there.
package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/prantikov/millrace"
	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/store"
)

// refused is the order that is refused while the file is there that JOURNAL_REFUSES names; JOURNAL_LINES names the file of the lines.
const refused = "ord-refused"

//go:embed tables/*/*.sql
var tables embed.FS

func main() {
	millrace.Main(millrace.Builtin(), millrace.Plugin(register))
}

func register(app *millrace.App) error {
	files, err := fs.Sub(tables, "tables")
	if err != nil {
		return err
	}
	app.Migrate("journal", files)
	lines := &lines{name: os.Getenv("JOURNAL_LINES")}
	return errors.Join(
		app.Consume("journal", app.Durable("journal"), router.OnAny([]messages.Type{messages.Orders}, enter)),
		app.Consume("journal-lines", router.OnAny([]messages.Type{messages.Orders}, lines.add)),
	)
}

var errRefused = errors.New("refused")

func refuses(e messages.Event[any]) error {
	if e.EntityID != refused {
		return nil
	}
	if _, err := os.Stat(os.Getenv("JOURNAL_REFUSES")); err == nil {
		return errRefused
	}
	return nil
}

func enter(ctx context.Context, e messages.Event[any]) error {
	tx, err := store.Tx(ctx)
	if err != nil {
		return err
	}
	// The entry comes first, so that only its undoing keeps it from showing.
	_, err = tx.ExecContext(ctx, `INSERT INTO journal_entries (entity, topic, partition, position) VALUES ($1, $2, $3, $4)`,
		e.EntityID, e.Topic, e.Partition, e.Offset)
	return errors.Join(err, refuses(e))
}

// lines is a file to which a line is added for each event.
type lines struct {
	name string

	mutex sync.Mutex
	file  *os.File
}

func (l *lines) add(_ context.Context, e messages.Event[any]) error {
	if err := refuses(e); err != nil {
		return err
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.file == nil {
		file, err := os.OpenFile(l.name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		l.file = file
	}
	_, err := fmt.Fprintf(l.file, "%s %d %d %d\n", e.EntityID, e.Partition, e.Offset, time.Now().UnixMicro())
	return err
}
