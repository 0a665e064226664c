package store

import (
	"context"
	"log/slog"
	"maps"
	"slices"
)

// Recognise compares topics with those that the progress rows are of, by the ids that the brokers gave them, and must be called before
// the first unit of work. A topic with another id was made anew, or is another cluster's: its offsets mean other records, so what the
// store knows of them is dropped, or those records would pass as finished. The log says so in one line for each.
func (s *Store) Recognise(ctx context.Context, ids map[string]string) error {
	// Of processes that see another id at once, one changes the row, and only that one forgets.
	const (
		remember  = `INSERT INTO topics (topic, id) VALUES ($1, $2) ON CONFLICT (topic) DO NOTHING`
		change    = `UPDATE topics SET id = $2 WHERE topic = $1 AND id <> $2`
		forgetAll = `DELETE FROM progress WHERE topic = $1`
		unmarkAll = `DELETE FROM effects WHERE topic = $1`
		closeGaps = `INSERT INTO gap_replays (consumer, topic, partition, from_offset, closed, done)
SELECT consumer, topic, partition, from_offset, 1, '' FROM gaps WHERE topic = $1
ON CONFLICT (consumer, topic, partition, from_offset) DO UPDATE SET closed = 1`
	)
	var anew []string
	err := s.write(ctx, func(out session) error {
		for _, topic := range slices.Sorted(maps.Keys(ids)) {
			if _, err := out.exec(remember, topic, ids[topic]); err != nil {
				return err
			}
			changed, err := out.exec(change, topic, ids[topic])
			if err != nil {
				return err
			}
			if changed == 0 {
				continue
			}
			anew = append(anew, topic)
			for _, forget := range []string{forgetAll, unmarkAll, closeGaps} {
				if _, err := out.exec(forget, topic); err != nil {
					return err
				}
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

// Topics returns the ids of the topics that the progress rows are of, by name. The error is one that [Unavailable] knows.
func (s *Store) Topics(ctx context.Context) (map[string]string, error) {
	rows, err := s.reader.QueryContext(ctx, "SELECT topic, id FROM topics")
	if err != nil {
		return nil, unavailable("reading the topics", err)
	}
	defer func() { _ = rows.Close() }()
	ids := map[string]string{}
	for rows.Next() {
		var topic, id string
		if err := rows.Scan(&topic, &id); err != nil {
			return nil, unavailable("reading the topics", err)
		}
		ids[topic] = id
	}
	if err := rows.Err(); err != nil {
		return nil, unavailable("reading the topics", err)
	}
	return ids, nil
}
