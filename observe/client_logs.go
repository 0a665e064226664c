package observe

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/ThreeDotsLabs/watermill"
)

// Watermill returns Watermill's logger on top of ours. Its info lines, one per handler and start, are debug lines here: our own lines say
// what changes; its trace lines are below debug.
//
// Watermill logs whole messages when a publish fails. So a text passes only under a name that is known to hold none, numbers, durations
// and errors under every name, and everything else is dropped.
func Watermill(logger *slog.Logger) watermill.LoggerAdapter {
	return watermillLogger{logger: logger}
}

// levelTrace is Watermill's trace: below everything that log.level can name.
const levelTrace = slog.LevelDebug - 4

type watermillLogger struct{ logger *slog.Logger }

func (l watermillLogger) Error(message string, err error, fields watermill.LogFields) {
	l.log(slog.LevelError, message, err, fields)
}

func (l watermillLogger) Info(message string, fields watermill.LogFields) {
	l.log(slog.LevelDebug, message, nil, fields)
}

func (l watermillLogger) Debug(message string, fields watermill.LogFields) {
	l.log(slog.LevelDebug, message, nil, fields)
}

func (l watermillLogger) Trace(message string, fields watermill.LogFields) {
	l.log(levelTrace, message, nil, fields)
}

// With returns a logger that adds the fields to each line.
func (l watermillLogger) With(fields watermill.LogFields) watermill.LoggerAdapter {
	attributes := harmless(fields)
	if len(attributes) == 0 {
		return l
	}
	return watermillLogger{logger: slog.New(l.logger.Handler().WithAttrs(attributes))}
}

func (l watermillLogger) log(level slog.Level, message string, err error, fields watermill.LogFields) {
	// Watermill calls its logger for every message, whatever the level is.
	if !l.logger.Enabled(context.Background(), level) {
		return
	}
	attributes := harmless(fields)
	if err != nil {
		attributes = append(attributes, slog.Any("error", err))
	}
	message, stack, found := strings.Cut(message, " Stack: ")
	if found {
		attributes = append(attributes, slog.String("stack", stack))
	}
	l.logger.LogAttrs(context.Background(), level, message, attributes...)
}

// harmless keeps the fields that cannot hold a message or a part of one.
func harmless(fields watermill.LogFields) []slog.Attr {
	attributes := make([]slog.Attr, 0, len(fields)+2)
	for name, value := range fields {
		switch value := value.(type) {
		case string:
			if isName(name) {
				attributes = append(attributes, slog.String(name, value))
			}
		case error, bool, int, int32, int64, uint, uint32, uint64, float64, time.Duration, time.Time:
			attributes = append(attributes, slog.Any(name, value))
		}
	}
	slices.SortFunc(attributes, func(a, b slog.Attr) int { return strings.Compare(a.Key, b.Key) })
	return attributes
}

// isName says whether Watermill and watermill-kafka use this field for a name, an id or a number as text.
func isName(field string) bool {
	switch field {
	case "handler_name", "handlerName", "subscriber_name", "topic", "publish_topic", "subscribe_topic", "kafka_topic", "message_uuid",
		"consumer_group", "kafka_consumer_uuid", "subscriber_uuid", "provider", "count":
		return true
	default:
		return false
	}
}

// SaramaLogger takes what sarama logs of its connections (it satisfies sarama.StdLogger) and writes it as debug lines. At any other
// level it formats nothing. What counts of it reaches the operator as errors of ours.
type SaramaLogger struct{ logger *slog.Logger }

// Sarama returns sarama's logger on top of ours.
func Sarama(logger *slog.Logger) *SaramaLogger { return &SaramaLogger{logger: logger} }

// Print writes a debug line.
func (l *SaramaLogger) Print(values ...any) {
	l.log(func() string { return fmt.Sprint(values...) })
}

// Printf writes a debug line.
func (l *SaramaLogger) Printf(format string, values ...any) {
	l.log(func() string { return fmt.Sprintf(format, values...) })
}

// Println writes a debug line.
func (l *SaramaLogger) Println(values ...any) {
	l.log(func() string { return fmt.Sprintln(values...) })
}

func (l *SaramaLogger) log(text func() string) {
	if l.logger.Enabled(context.Background(), slog.LevelDebug) {
		l.logger.LogAttrs(context.Background(), slog.LevelDebug, "sarama", slog.String("text", strings.TrimSpace(text())))
	}
}
