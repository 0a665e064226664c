package cmd

import (
	"context"
	"path/filepath"
	"time"

	"github.com/prantikov/millrace/handlers"
	"github.com/prantikov/millrace/handlers/archive"
	"github.com/prantikov/millrace/store"
)

// tidyEvery is how often the sinks look for files that are old enough.
const tidyEvery = 10 * time.Minute

// tidy seals the archive's days that are over and removes what the sinks no longer keep, at once and then regularly until the context ends.
func (s *service) tidy(ctx context.Context) {
	again := time.NewTicker(tidyEvery)
	defer again.Stop()
	for {
		s.sealOnce(ctx, time.Now())
		s.removeOnce(ctx, time.Now())
		select {
		case <-ctx.Done():
			return
		case <-again.C:
		}
	}
}

// sealOnce makes objects of the archive's days that are over.
func (s *service) sealOnce(ctx context.Context, now time.Time) {
	if !s.settings.Consumer(archiveConsumer).Enabled {
		return
	}
	if _, err := s.sealer().Due(ctx, s.store, s.instance, now); err != nil && ctx.Err() == nil {
		s.logger.Error("sealing days of the archive", "error", err)
	}
}

func (s *service) removeOnce(ctx context.Context, now time.Time) {
	for consumer, keep := range map[string]time.Duration{
		archiveConsumer: s.settings.Archive.Keep, "logging": s.settings.Logging.Keep, notificationConsumer: s.settings.Notification.Keep,
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
	switch consumer {
	case notificationConsumer:
		if err := s.news.Forget(ctx, before); err != nil {
			return err
		}
	case archiveConsumer:
		removed, err := archive.RemoveObjects(s.archiveFolder(), before)
		if err != nil {
			return err
		}
		if removed > 0 {
			s.logger.Info("removed objects that are no longer kept", "consumer", consumer, "objects", removed)
		}
	}
	// The sink is the consumer's own, and made here when no record has come yet: so it is told all that the consumer tells it.
	return s.store.RemoveFiles(ctx, consumer, filepath.Join(s.settings.DataDir, consumer), store.Options{Instance: s.instance, Daily: handlers.DailyFiles(consumer)}, before)
}
