package notification_test

import (
	"testing"
	"time"

	"github.com/prantikov/millrace/record"
)

// replay hands over records of one topic from its first offset on, as a replay of the log does.
func (o *office) replay(records ...*record.Record) []record.Result {
	o.t.Helper()
	live := o.walker
	defer func() { o.walker = live }()
	o.walker = o.replayer
	return o.again(records...)
}

func TestReplaySendsNothingThatWasSent(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, nil)
	o := newOffice(t, hooked(), patientAt("webhook", r.URL))
	done(t, o.deliver(shipped(), shipped()))
	o.open()
	done(t, o.replay(shipped(), shipped()))
	if got := len(r.hooks()); got != 2 || o.counts["patient webhook repeated"] != 2 {
		t.Errorf("got %d webhooks and counts %v, want the 2 of before, and 2 known as repeated", got, o.counts)
	}
}

func TestReplaySendsWhatWasNeverSent(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, nil)
	o := newOffice(t, hooked(), patientAt("webhook", r.URL))
	done(t, o.replay(shipped()))
	if got := len(r.hooks()); got != 1 {
		t.Errorf("got %d webhooks, want 1", got)
	}
}

func TestReplaySendsNothingSoOldThatItsMarksMayBeGone(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, nil)
	settings := hooked()
	settings.Keep = 30 * 24 * time.Hour
	o := newOffice(t, settings, patientAt("webhook", r.URL))
	done(t, o.deliver(shipped()))
	o.now = o.now.Add(31 * 24 * time.Hour)
	if err := o.notifier.Forget(t.Context(), o.now.Add(-settings.Keep)); err != nil {
		t.Fatal(err)
	}
	if got := o.replay(shipped())[0]; got.Outcome != record.Skipped || got.Reason != "marks_forgotten" {
		t.Errorf("got %s for %q, want it skipped as marks_forgotten", got.Outcome, got.Reason)
	}
	if got := len(r.hooks()); got != 1 {
		t.Errorf("got %d webhooks, want the one that was sent", got)
	}
}
