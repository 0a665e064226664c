package cmd

import (
	"context"
	"path/filepath"
	"time"

	"github.com/prantikov/millrace/handlers"
	"github.com/prantikov/millrace/store"
)

// removeEvery is how often the sinks look for files that are old enough.
const removeEvery = time.Hour

// removeOld removes what the sinks no longer keep, at once and then regularly until the context ends.
func (s *service) removeOld(ctx context.Context) {
	again := time.NewTicker(removeEvery)
	defer again.Stop()
	for {
		s.removeOnce(ctx, time.Now())
		select {
		case <-ctx.Done():
			return
		case <-again.C:
		}
	}
}

func (s *service) removeOnce(ctx context.Context, now time.Time) {
	for consumer, keep := range map[string]time.Duration{
		"archive": s.settings.Archive.Keep, "logging": s.settings.Logging.Keep, notificationConsumer: s.settings.Notification.Keep,
	} {
		if keep < 0 || !s.settings.Consumer(consumer).Enabled {
			continue
		}
		if err := s.removeOf(ctx, consumer, now.Add(-keep)); err != nil && ctx.Err() == nil {
			s.logger.Error("removing what is no longer kept", "consumer", consumer, "keep", keep, "error", err)
		}
	}
}

// removeOf removes what one sink has no longer to keep.
func (s *service) removeOf(ctx context.Context, consumer string, before time.Time) error {
	if consumer == notificationConsumer {
		if err := s.news.Forget(ctx, before); err != nil {
			return err
		}
	}
	// The sink is the consumer's own, and made here when no record has come yet: so it is told all that the consumer tells it.
	return s.store.RemoveFiles(ctx, consumer, filepath.Join(s.settings.DataDir, consumer), store.Options{Instance: s.instance, Daily: handlers.DailyFiles(consumer)}, before)
}
