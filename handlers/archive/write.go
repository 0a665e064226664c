package archive

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/prantikov/millrace/handlers/archive/columns"
)

// objectWriter writes the two files of an object. The same lines give the same bytes.
type objectWriter struct {
	ctx        context.Context
	entry      Entry
	object     Object
	compressor *zstd.Encoder
	table      *columns.Table
}

func newObjectWriter(ctx context.Context, object Object, compressed, tabular io.Writer, tables *columns.Tables) (*objectWriter, error) {
	// With one goroutine alone the bytes do not depend on how the lines came.
	compressor, err := zstd.NewWriter(compressed, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(true))
	if err != nil {
		return nil, err
	}
	return &objectWriter{ctx: ctx, object: object, compressor: compressor, table: tables.Begin(object.Topic, tabular), entry: Entry{Object: object.String()}}, nil
}

// add adds a line, once.
func (w *objectWriter) add(from *lines, again bool) error {
	if again {
		return nil
	}
	// A stop waits for this.
	if w.entry.Lines%1024 == 0 && w.ctx.Err() != nil {
		return context.Cause(w.ctx)
	}
	text, offset := from.text, from.offset
	read, err := parseLine(text)
	if err != nil {
		return fmt.Errorf("reading the line of offset %d for %s: %w", offset, w.object, err)
	}
	if _, err := w.compressor.Write(text); err != nil {
		return err
	}
	if err := w.table.Add(read); err != nil {
		return err
	}
	if w.entry.Lines == 0 {
		w.entry.FirstOffset = offset
	}
	w.entry.Lines++
	w.entry.LastOffset = offset
	return nil
}

func (w *objectWriter) close() error { return errors.Join(w.compressor.Close(), w.table.Close()) }
