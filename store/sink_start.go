package store

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
)

// CutFiles cuts what unfinished commits left in the files of an instance: those of each consumer in its folder of root. A consumer does so
// itself before its first record; but where processes share a store, the records that were in doubt may by now be another one's, and this
// one sees none of that consumer for long. The error is one that [Unavailable] knows.
func (s *Store) CutFiles(ctx context.Context, instance, root string) error {
	if err := s.cutFiles(ctx, instance, root); err != nil {
		return unavailable("cutting what unfinished commits left in files", err)
	}
	return nil
}

func (s *Store) cutFiles(ctx context.Context, instance, root string) error {
	if err := s.decideFiles(ctx, instance); err != nil {
		return err
	}
	rows, err := s.reader.QueryContext(ctx, "SELECT consumer, file, length FROM sink_files WHERE instance = $1", instance)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var consumer, file string
		var length int64
		if err := rows.Scan(&consumer, &file, &length); err != nil {
			return err
		}
		if length == toRemove {
			continue // the consumer's own sink does that
		}
		in := folder{root: filepath.Join(root, consumer)}
		cut, err := in.cut(file, length)
		if err != nil {
			return fmt.Errorf("%q: %w", in.path(file), err)
		}
		if cut > 0 {
			s.logger.Info("cut what an unfinished commit left in a file", slog.Int64("bytes", cut), slog.String("consumer", consumer), slog.String("file", in.path(file)))
		}
	}
	return rows.Err()
}

// decideFiles waits for what becomes of a commit that nobody has an answer to: a write to the same rows that succeeds comes after it. Only then
// may bytes be cut that it may have counted.
func (s *Store) decideFiles(ctx context.Context, instance string) error {
	return s.write(ctx, func(out session) error {
		_, err := out.exec("UPDATE sink_files SET length = length WHERE instance = $1", instance)
		return err
	})
}
