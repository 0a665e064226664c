package archive

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/prantikov/millrace/handlers/archive/columns"
	"github.com/prantikov/millrace/store"
)

// quiet is how long a day that is over must have had no line before it is sealed.
const quiet = time.Hour

// Sealer makes objects of the open files of a folder. One at a time works on a folder: the process that has its data directory.
type Sealer struct {
	folder string
	tables *columns.Tables
	logger *slog.Logger
	// reached, when a test sets it, is called between the steps: where a kill would hurt most.
	reached func(step string)
}

// NewSealer makes the sealer of a folder; a nil logger drops what it has to say.
func NewSealer(folder string, tables *columns.Tables, logger *slog.Logger) *Sealer {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	return &Sealer{folder: folder, tables: tables, logger: logger, reached: func(string) {}}
}

// Due seals the open files whose day is over and that have had no line for an hour, and removes them. Lines that come later begin a new open file,
// which is merged into the same objects. Killed at any step, it is done again at the next call, with the same objects byte for byte. It returns how many files it has
// sealed, also beside an error, which joins what is wrong with the others.
func (s *Sealer) Due(ctx context.Context, files *store.Store, instance string, now time.Time) (sealed int, err error) {
	return s.seal(ctx, files, instance, now.Add(-quiet), func(f open) bool { return f.over(now) })
}

// All seals every open file, also those of days that are not over: they go on in new open files. No consumer may be writing to the folder.
func (s *Sealer) All(ctx context.Context, files *store.Store, instance string) (sealed int, err error) {
	return s.seal(ctx, files, instance, time.Now().AddDate(1000, 0, 0), func(open) bool { return true })
}

func (s *Sealer) seal(ctx context.Context, files *store.Store, instance string, before time.Time, wanted func(open) bool) (sealed int, err error) {
	if err := finishRemovals(s.folder); err != nil {
		return 0, err
	}
	err = files.HandOver(ctx, "archive", s.folder, store.Options{Instance: instance}, before, func(file store.File) (bool, error) {
		opened, ok := parseOpen(file.Name)
		if !ok || !wanted(opened) {
			return false, nil
		}
		written, err := s.sealFile(ctx, opened, file)
		if err == nil {
			sealed++
			s.logger.Info("sealed a day of the archive", "topic", opened.topic, "partition", opened.partition, "day", opened.day, "objects", written)
		}
		return err == nil, err
	})
	return sealed, err
}

// sealFile writes the objects of one open file.
func (s *Sealer) sealFile(ctx context.Context, opened open, named store.File) (written int, err error) {
	file, err := os.Open(named.Path)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	found, err := findRuns(s.folder, file, named.Length)
	if err != nil {
		return 0, err
	}
	entries, err := readList(s.folder)
	if err != nil {
		return 0, err
	}
	for _, first := range found.ranges() {
		if err := context.Cause(ctx); err != nil {
			return written, err
		}
		object := opened.object(first)
		before, known := entries[object.String()]
		if err := s.write(ctx, object, found.of(first), before, known, named.Written); err != nil {
			return written, err
		}
		written++
	}
	return written, nil
}

// write makes an object of the lines, and of those that it has already.
func (s *Sealer) write(ctx context.Context, object Object, pieces []*lines, before Entry, known bool, written time.Time) (err error) {
	name := in(s.folder, object.String())
	if err := store.MakeFolders(filepath.Dir(name)); err != nil {
		return err
	}
	sources := slices.Clone(pieces)
	if _, err := os.Stat(name + lineEnding); err == nil {
		present, err := openObject(s.folder, object)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, present.close()) }()
		sources = append(sources, present)
	}
	entry, err := s.draft(ctx, object, name, sources)
	if err != nil {
		return err
	}
	if entry.Written = written.UTC(); known && before.Written.After(entry.Written) {
		entry.Written = before.Written
	}
	s.reached("written")
	for _, ending := range []string{tableEnding, lineEnding} {
		if err := os.Rename(name+ending+unfinished, name+ending); err != nil {
			return err
		}
		s.reached("named " + ending)
	}
	if err := store.SyncFolder(filepath.Dir(name)); err != nil {
		return err
	}
	s.reached("in the folder")
	if err := addToList(s.folder, entry); err != nil {
		return err
	}
	s.reached("listed")
	return nil
}

// draft writes the two files of an object under names of their own.
func (s *Sealer) draft(ctx context.Context, object Object, name string, sources []*lines) (entry Entry, err error) {
	compressed, err := newDraft(name + lineEnding)
	if err != nil {
		return entry, err
	}
	tabular, err := newDraft(name + tableEnding)
	if err != nil {
		compressed.abandon()
		return entry, err
	}
	defer func() {
		if err != nil {
			compressed.abandon()
			tabular.abandon()
		}
	}()
	made, err := newObjectWriter(ctx, object, compressed, tabular, s.tables)
	if err != nil {
		return entry, err
	}
	if err = merge(sources, made.add); err != nil {
		return entry, err
	}
	if err = made.close(); err != nil {
		return entry, err
	}
	entry = made.entry
	if entry.NDJSON, err = compressed.settle(); err != nil {
		return entry, err
	}
	entry.Parquet, err = tabular.settle()
	return entry, err
}
