package kafka

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/prantikov/millrace/config"
	"github.com/prantikov/millrace/kafka/security"
)

// The pause between two tries to reach a broker that is away grows from the first to the last of these.
const (
	firstPause = 250 * time.Millisecond
	lastPause  = 5 * time.Second
)

// Wait returns when a broker answers. It tries for kafka.wait, with growing pauses; when none did, the error is one sentence that names kafka.brokers.
// A mistake in the settings is returned at once, and so is what a broker refuses: a certificate, a login.
func Wait(ctx context.Context, s config.Kafka) error {
	c, err := adminConfig(s)
	if err != nil {
		return err
	}
	c.Metadata.Retry.Max = 0
	away := errors.New("no broker answered")
	waiting, cancel := context.WithTimeoutCause(ctx, max(s.Wait, c.Net.DialTimeout), away)
	defer cancel()
	began, last := time.Now(), away
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		client, err := connect(waiting, s.Brokers, c)
		if err == nil {
			return client.Close()
		}
		if ctx.Err() != nil {
			return fmt.Errorf("waiting for kafka.brokers %q: %w", strings.Join(s.Brokers, ","), context.Cause(ctx))
		}
		var refused *security.Refusal
		if errors.As(err, &refused) {
			// It would be refused again and again.
			return err
		}
		if !errors.Is(err, away) {
			last = err
		}
		if time.Since(began)+pause >= s.Wait {
			return fmt.Errorf("no broker of kafka.brokers (--brokers) %q answered within %s (kafka.wait, --wait): %s", strings.Join(s.Brokers, ","), s.Wait, reason(last))
		}
		select {
		case <-waiting.Done():
		case <-time.After(pause):
		}
	}
}

// reason is why the last try failed, without what the sentence around it says already.
func reason(err error) string {
	var why *explanation
	if errors.As(err, &why) {
		return why.Error()
	}
	return err.Error()
}
