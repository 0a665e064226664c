package store

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"strings"
	"time"
)

// closedName is the name of a daily file's part that was last written on a day: outbox-2026-01-31.jsonl of outbox.jsonl.
func closedName(file string, day time.Time) string {
	extension := path.Ext(file)
	return strings.TrimSuffix(file, extension) + "-" + day.UTC().Format(time.DateOnly) + extension
}

// isClosedOf says whether a name is one that [closedName] gives.
func isClosedOf(name, file string) bool {
	extension := path.Ext(file)
	day, found := strings.CutPrefix(strings.TrimSuffix(name, extension), strings.TrimSuffix(file, extension)+"-")
	_, err := time.Parse(time.DateOnly, day)
	return found && err == nil && path.Ext(name) == extension
}

// turnPages renames the daily files that were last written on an earlier day, so that what is appended now begins a new one. The row of the new
// name is there before the file has it, and the row of the old one goes after; [sink.finishPages] ends what a crash has left between.
func (s *sink) turnPages(ctx context.Context, now time.Time) error {
	for _, file := range s.daily {
		info, err := os.Stat(s.folder.path(file))
		length, known := s.lengths[file]
		if err != nil || !known || length == 0 || info.Size() != length || !info.ModTime().UTC().Truncate(24*time.Hour).Before(now.UTC().Truncate(24*time.Hour)) {
			continue // what is wrong with it, if anything, is the next step's to say
		}
		to := closedName(file, info.ModTime())
		if _, err := os.Stat(s.folder.path(to)); !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := s.store.write(ctx, func(out session) error { return out.send(s.record(map[string]int64{to: length})) }); err != nil {
			return err
		}
		s.lengths[to] = length
		s.store.reach("page announced")
		if err := errors.Join(s.folder.drop(file), os.Rename(s.folder.path(file), s.folder.path(to))); err != nil {
			return err
		}
		if err := SyncFolder(s.folder.root); err != nil {
			return err
		}
		s.store.reach("page turned")
		if err := s.forget(ctx, file); err != nil {
			return err
		}
	}
	return nil
}

// finishPages ends the turn of a page that a crash has interrupted: before the rename the new name has a row and no file, after it the old one.
func (s *sink) finishPages(ctx context.Context) error {
	for _, file := range s.daily {
		length, known := s.lengths[file]
		if !known || length == 0 {
			continue
		}
		for to, announced := range s.lengths {
			if !isClosedOf(to, file) || announced != length {
				continue
			}
			_, errFrom := os.Stat(s.folder.path(file))
			_, errTo := os.Stat(s.folder.path(to))
			switch {
			case errors.Is(errTo, fs.ErrNotExist) && errFrom == nil:
				if err := s.forget(ctx, to); err != nil {
					return err
				}
			case errors.Is(errFrom, fs.ErrNotExist) && errTo == nil:
				if err := s.forget(ctx, file); err != nil {
					return err
				}
				s.log(slog.LevelInfo, "finished what a crash left of a day's end", to)
			}
		}
	}
	return nil
}

// forget drops the row of a file.
func (s *sink) forget(ctx context.Context, file string) error {
	err := s.store.write(ctx, func(out session) error {
		_, err := out.exec("DELETE FROM sink_files WHERE consumer = $1 AND instance = $2 AND file = $3", s.consumer, s.instance, file)
		return err
	})
	if err == nil {
		delete(s.lengths, file)
	}
	return err
}
