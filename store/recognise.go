package store

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"maps"
	"slices"
)

// Recognise compares topics with those that the progress rows are of, by the ids that the brokers gave them, and must be called before
// the first unit of work. A topic with another id was made anew, or is another cluster's: its offsets mean other records, so what the
// store knows of them is dropped, or those records would pass as finished. The log says so in one line for each.
func (s *Store) Recognise(ctx context.Context, ids map[string]string) error {
	const (
		known     = `SELECT id FROM topics WHERE topic = ?`
		remember  = `INSERT INTO topics (topic, id) VALUES (?, ?) ON CONFLICT (topic) DO UPDATE SET id = excluded.id`
		forgetAll = `DELETE FROM progress WHERE topic = ?`
	)
	var anew []string
	err := s.writer.do(ctx, func() error {
		anew = nil
		for _, topic := range slices.Sorted(maps.Keys(ids)) {
			var before string
			err := s.writer.row(known, []any{topic}, &before)
			if err != nil && !errors.Is(err, sql.ErrNoRows) {
				return err
			}
			if before == ids[topic] {
				continue
			}
			if before != "" {
				anew = append(anew, topic)
				if _, err := s.writer.exec(forgetAll, topic); err != nil {
					return err
				}
			}
			if _, err := s.writer.exec(remember, topic, ids[topic]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return unavailable("recognising topics", err)
	}
	for _, topic := range anew {
		s.logger.Warn("the topic is another than the one that the store has progress of: made anew, or another cluster's; its records are handled from the group's position on", slog.String("topic", topic))
	}
	return nil
}
