package store

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"time"
)

// toRemove is the length of a file that is about to be removed. Whoever finds it after a crash goes on with that.
const toRemove = -1

// RemoveFiles removes the files of a consumer's sink that were last written before a time, with a line in the log. They are the files that the
// store knows: what somebody else has put there stays. The error is one that [Unavailable] knows; what was not removed is at the next call.
func (s *Store) RemoveFiles(ctx context.Context, consumer, directory string, options Options, before time.Time) error {
	k := s.sink(consumer, directory, options)
	if err := k.removeOld(ctx, before); err != nil {
		return unavailable("removing old files of "+consumer, err)
	}
	return nil
}

func (s *sink) removeOld(ctx context.Context, before time.Time) error {
	if err := acquireTurn(ctx, s.turn); err != nil {
		return err
	}
	defer func() { <-s.turn }()
	if err := s.settle(ctx); err != nil {
		return err
	}
	var old []string
	for file := range s.lengths {
		info, err := os.Stat(s.folder.path(file))
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return err
		case info.ModTime().Before(before):
			old = append(old, file)
		}
	}
	if len(old) == 0 {
		return nil
	}
	if err := s.remove(ctx, old...); err != nil {
		return err
	}
	slices.Sort(old)
	s.store.logger.Info("removed files that are no longer kept", slog.String("consumer", s.consumer), slog.Int("files", len(old)),
		slog.String("first", old[0]), slog.String("last", old[len(old)-1]))
	return nil
}

// remove removes files for who has the turn.
func (s *sink) remove(ctx context.Context, files ...string) error {
	lengths := map[string]int64{}
	for _, file := range files {
		lengths[file] = toRemove
	}
	if err := s.store.write(ctx, func(out session) error { return out.send(s.record(lengths)) }); err != nil {
		return err
	}
	s.store.reach("condemned")
	// From here on the rows say it; what fails now is done when the rows are read again.
	s.ready.Store(false)
	return s.settle(ctx)
}

// clear removes the files whose rows say so, and then their rows.
func (s *sink) clear(ctx context.Context, lengths map[string]int64) error {
	var files []string
	for file, length := range lengths {
		if length == toRemove {
			files = append(files, file)
		}
	}
	if len(files) == 0 {
		return nil
	}
	slices.Sort(files)
	for _, file := range files {
		if err := s.folder.drop(file); err != nil {
			return err
		}
		if err := os.Remove(s.folder.path(file)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		delete(lengths, file)
	}
	s.store.reach("removed")
	return s.store.write(ctx, func(out session) error {
		_, err := out.exec("DELETE FROM sink_files WHERE consumer = $1 AND instance = $2 AND length = $3", s.consumer, s.instance, int64(toRemove))
		return err
	})
}
