package kafka

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/IBM/sarama"
)

// quietAfter is how long a member that reads must be without an error until its alarm ends. Sarama tries a failed fetch again every two
// seconds.
const quietAfter = 10 * time.Second

// alarm is one condition with a beginning and an end: one error line when it begins, one line when it ends, however often it is raised in
// between. It is safe for concurrent use.
type alarm struct {
	kind   AlarmKind
	logger *slog.Logger
	hook   func(AlarmKind, string, int32, bool)

	mu     sync.Mutex
	on     bool
	raised time.Time
}

// raise begins the alarm, or keeps it on.
func (a *alarm) raise(text string, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.raised = time.Now()
	if a.on {
		return
	}
	a.on = true
	a.logger.Error(text, "alarm", a.kind, "error", explained(err))
	a.hook(a.kind, "", 0, true)
}

// clear ends the alarm, if it is on.
func (a *alarm) clear() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.on {
		return
	}
	a.on = false
	a.logger.Info("alarm is over", "alarm", a.kind)
	a.hook(a.kind, "", 0, false)
}

// clearWhenQuiet ends the alarm when it was not raised for a while.
func (a *alarm) clearWhenQuiet() {
	a.mu.Lock()
	quiet := a.on && time.Since(a.raised) > quietAfter
	a.mu.Unlock()
	if quiet {
		a.clear()
	}
}

// passing says whether an error belongs to a rebalance or a stop and not to any trouble.
func passing(err error) bool {
	for _, harmless := range []error{
		context.Canceled, sarama.ErrRebalanceInProgress, sarama.ErrUnknownMemberId, sarama.ErrIllegalGeneration,
		sarama.ErrClosedConsumerGroup, errClaimEnded,
		// The next claim compares the committed offset with the log and says what it passed.
		sarama.ErrOffsetOutOfRange,
	} {
		if errors.Is(err, harmless) {
			return true
		}
	}
	return false
}
