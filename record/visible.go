package record

import (
	"fmt"
	"io"
	"log/slog"
)

// LogValue shows slog where the record stands and what it weighs: key, value and headers may name a patient.
func (r Record) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("topic", r.Topic), slog.Int64("partition", int64(r.Partition)), slog.Int64("offset", r.Offset),
		slog.Time("timestamp", r.Timestamp), slog.Int("bytes", r.Size()),
	)
}

// Format prints where the record stands, whatever the verb.
func (r Record) Format(state fmt.State, _ rune) {
	_, _ = io.WriteString(state, r.Position.String()) // fmt's own state does not fail
}

// LogValue shows slog who gave up which record and why, and nothing of what is in it.
func (l Letter) LogValue() slog.Value {
	return slog.GroupValue(
		slog.Any("record", l.Record), slog.String("consumer", l.Consumer), slog.String("class", string(l.Class)),
		slog.Int("attempts", l.Attempts.Made),
	)
}
