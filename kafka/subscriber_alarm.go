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

// alarm is one condition with a beginning and an end, however often it is raised in between. It is safe for concurrent use.
type alarm struct {
	kind AlarmKind
	hook func(kind AlarmKind, topic string, partition int32, on bool, text string)

	mu     sync.Mutex
	on     bool
	raised time.Time
}

// raise begins the alarm, or keeps it on.
func (a *alarm) raise(text string, err error) { a.begin(text + ": " + explained(err).Error()) }

// begin is raise where there is no error.
func (a *alarm) begin(text string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.raised = time.Now()
	if a.on {
		return
	}
	a.on = true
	a.hook(a.kind, "", 0, true, text)
}

// clear ends the alarm, if it is on.
func (a *alarm) clear() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.on {
		return
	}
	a.on = false
	a.hook(a.kind, "", 0, false, "")
}

// quiet says whether the alarm is on and was not raised for a while.
func (a *alarm) quiet() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.on && time.Since(a.raised) > quietAfter
}

// logAlarm is what is done with alarms when nobody asked for them: one line for each beginning and each end.
func logAlarm(logger *slog.Logger) func(AlarmKind, string, int32, bool, string) {
	return func(kind AlarmKind, _ string, _ int32, on bool, text string) {
		if on {
			logger.Error(text, "alarm", kind)
		} else {
			logger.Info("alarm is over", "alarm", kind)
		}
	}
}

// passing says whether an error belongs to a rebalance or a stop and not to any trouble.
func passing(err error) bool {
	for _, harmless := range []error{
		context.Canceled, sarama.ErrRebalanceInProgress, sarama.ErrUnknownMemberId, sarama.ErrIllegalGeneration,
		sarama.ErrClosedConsumerGroup, errClaimEnded, errLeaving, errDated,
		// The next claim compares the committed offset with the log and says what it passed.
		sarama.ErrOffsetOutOfRange,
	} {
		if errors.Is(err, harmless) {
			return true
		}
	}
	return false
}
