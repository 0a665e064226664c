package store

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"slices"
	"sync/atomic"
	"time"
)

// FileUnitOfWork returns what begins the units of work of a consumer that writes lines to files, with [Lines]. The store knows how much
// of each file counts. What lies beyond is from a commit that was not finished: it is cut before the first unit of work begins, so that
// the records, which are delivered again, add nothing twice. A file gets its row in the store before its first byte.
//
// A file that the store does not know has not been written by a commit, but by somebody else or under a store that is gone. It is not
// cut: when a line is to be appended to it, that comes after the last whole line that is there, and the log says so.
//
// The directory is made, with mode 0700, where it is missing; files get 0600.
func (s *Store) FileUnitOfWork(consumer, directory string, options Options) *UnitOfWork {
	u := s.UnitOfWork(consumer, options)
	u.sink = s.sink(consumer, directory, options)
	return u
}

// sink returns the one sink of a consumer's directory: two would not know of each other's files.
func (s *Store) sink(consumer, directory string, options Options) *sink {
	if options.OpenFiles <= 0 {
		options.OpenFiles = 64
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for _, known := range s.sinks {
		if known.consumer == consumer && known.instance == options.Instance && known.folder.root == directory {
			return known
		}
	}
	made := &sink{
		store: s, consumer: consumer, instance: options.Instance, turn: make(chan struct{}, 1), daily: options.Daily,
		folder: folder{root: directory, limit: options.OpenFiles}, uncertain: true,
	}
	s.sinks = append(s.sinks, made)
	return made
}

// sink is the files of one consumer. One commit at a time writes them: a file can have lines of several partitions.
type sink struct {
	store              *Store
	consumer, instance string
	// daily are the files that are begun anew each day.
	daily []string
	// turn is held by the commit that writes. What follows belongs to it.
	turn   chan struct{}
	folder folder
	// lengths is how much of each file counts, as the store has it.
	lengths map[string]int64
	// ready is false until the lengths are loaded and the files cut to them.
	ready atomic.Bool
	// uncertain is set when a commit failed in such a way that it could still show as done: one of ours, or the last one of a process before,
	// which the server may still be at.
	uncertain bool
}

// prepare loads the lengths and cuts what lies beyond them, once, and again after a commit that failed.
func (s *sink) prepare(ctx context.Context) error {
	if s.ready.Load() {
		return nil
	}
	if err := acquireTurn(ctx, s.turn); err != nil {
		return err
	}
	defer func() { <-s.turn }()
	return s.settle(ctx)
}

// settle is prepare for who has the turn.
func (s *sink) settle(ctx context.Context) error {
	if s.ready.Load() {
		return nil
	}
	if s.uncertain {
		// A write that succeeds decides what became of the one that did not: only then may bytes be cut that it may have counted.
		if err := s.store.decideFiles(ctx, s.instance); err != nil {
			return err
		}
	}
	lengths, err := s.load(ctx)
	if err != nil {
		return err
	}
	if err := s.clear(ctx, lengths); err != nil {
		return err
	}
	for file, length := range lengths {
		cut, err := s.folder.cut(file, length)
		if err != nil {
			return err
		}
		if cut > 0 {
			s.log(slog.LevelInfo, "cut what an unfinished commit left in a file", file, slog.Int64("bytes", cut))
		}
	}
	s.lengths, s.uncertain = lengths, false
	if err := s.finishPages(ctx); err != nil {
		return err
	}
	s.ready.Store(true)
	return nil
}

func (s *sink) load(ctx context.Context) (map[string]int64, error) {
	const query = "SELECT file, length FROM sink_files WHERE consumer = $1 AND instance = $2"
	rows, err := s.store.reader.QueryContext(ctx, query, s.consumer, s.instance)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	lengths := map[string]int64{}
	for rows.Next() {
		var file string
		var length int64
		if err := rows.Scan(&file, &length); err != nil {
			return nil, err
		}
		lengths[file] = length
	}
	return lengths, rows.Err()
}

// commitFiles appends and syncs the lines, then commits the tables together with the files' new lengths. When that fails the files are
// as before, now or before the next unit of work begins.
func (w *Work) commitFiles(ctx context.Context) error {
	s := w.unit.sink
	if err := acquireTurn(ctx, s.turn); err != nil {
		return err
	}
	defer func() { <-s.turn }()
	if err := s.settle(ctx); err != nil {
		return err
	}
	if err := w.checkEpoch(ctx); err != nil {
		return err
	}
	if err := s.turnPages(ctx, time.Now()); err != nil {
		s.ready.Store(false)
		return err
	}
	files := slices.Sorted(maps.Keys(w.lines.waiting))
	if err := s.register(ctx, files); err != nil {
		return err
	}
	s.store.reach("registered")
	longer := make(map[string]int64, len(files))
	for _, file := range files {
		longer[file] = s.lengths[file] + int64(len(w.lines.waiting[file]))
		if err := s.folder.write(file, s.lengths[file], w.lines.waiting[file]); err != nil {
			return errors.Join(err, s.takeBack(files))
		}
		s.store.reach("synced")
	}
	err := w.commitTables(ctx, s.record(longer))
	if errors.As(err, new(uncertainError)) {
		s.uncertain = true
		s.ready.Store(false)
		return err
	}
	if err != nil {
		return errors.Join(err, s.takeBack(files))
	}
	maps.Copy(s.lengths, longer)
	s.store.reach("committed")
	return nil
}

// checkEpoch asks before anything is written to a file; the commit asks again.
func (w *Work) checkEpoch(ctx context.Context) error {
	if w.replay != nil {
		return nil
	}
	var epoch int64
	p := w.partition
	if err := w.unit.store.reader.QueryRowContext(ctx, readEpoch, w.unit.consumer, p.topic, p.number).Scan(&epoch); err != nil {
		return err
	}
	if epoch != w.epoch {
		return ErrFenced
	}
	return nil
}

// takeBack cuts the lines off that were not committed. What cannot be cut now is cut before the next unit of work begins.
func (s *sink) takeBack(files []string) error {
	var errs []error
	for _, file := range files {
		if _, err := s.folder.cut(file, s.lengths[file]); err != nil {
			errs = append(errs, err)
			s.ready.Store(false)
		}
	}
	return errors.Join(errs...)
}

// register makes sure that the store knows each file, and that each file is as long as the store says.
func (s *sink) register(ctx context.Context, files []string) error {
	changed := map[string]int64{}
	for _, file := range files {
		known, ok := s.lengths[file]
		size, err := s.folder.size(file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if ok && size == known {
			continue
		}
		length, err := s.agree(file, known, ok, size)
		if err != nil {
			return err
		}
		changed[file] = length
	}
	if len(changed) == 0 {
		return nil
	}
	if err := s.store.write(ctx, func(out session) error { return out.send(s.record(changed)) }); err != nil {
		return err
	}
	maps.Copy(s.lengths, changed)
	return nil
}

// agree says how much of a file counts whose length is not what the store says, or of which the store says nothing.
func (s *sink) agree(file string, known int64, ok bool, size int64) (int64, error) {
	if ok && size > known {
		// Somebody else has written to it, or it was not to be cut before.
		cut, err := s.folder.cut(file, known)
		s.log(slog.LevelWarn, "cut what was appended to a file by somebody else", file, slog.Int64("bytes", cut))
		return known, err
	}
	whole, err := s.folder.wholeLines(file, size)
	if err != nil {
		return 0, err
	}
	if _, err := s.folder.cut(file, whole); err != nil {
		return 0, err
	}
	switch {
	case ok && known > 0:
		s.log(slog.LevelError, "a file has lost lines that were in it", file, slog.Int64("expected_bytes", known), slog.Int64("bytes", whole))
	case whole > 0:
		s.log(slog.LevelWarn, "a file was there that the store does not know: appending to it", file, slog.Int64("bytes", whole))
	}
	return whole, nil
}

// record writes files' lengths.
func (s *sink) record(lengths map[string]int64) []statement {
	var values []any
	for _, file := range slices.Sorted(maps.Keys(lengths)) {
		values = append(values, s.consumer, s.instance, file, lengths[file])
	}
	return s.store.dialect.insert(&fileTable, values, errMoved)
}

var fileTable = table{
	name:     "sink_files",
	columns:  []column{{"consumer", texts}, {"instance", texts}, {"file", texts}, {"length", numbers}},
	conflict: "ON CONFLICT (consumer, instance, file) DO UPDATE SET length = excluded.length",
}

func (s *sink) close() error {
	if err := acquireTurn(context.Background(), s.turn); err != nil {
		return err
	}
	defer func() { <-s.turn }()
	s.ready.Store(false)
	return s.folder.close()
}

func (s *sink) log(level slog.Level, text, file string, more ...slog.Attr) {
	s.store.logger.LogAttrs(context.Background(), level, text, append(more, slog.String("consumer", s.consumer),
		slog.String("file", s.folder.path(file)))...)
}
