package notification_test

import (
	"context"
	"database/sql"
	"net/http"
	"strings"
	"testing"

	_ "modernc.org/sqlite" // the store's database, to spoil it

	"github.com/prantikov/millrace/handlers/notification"
	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
)

// again delivers what was delivered before, as after a crash before the next commit.
func (o *office) again(records ...*record.Record) []record.Result {
	o.t.Helper()
	o.next = map[string]int64{}
	return o.deliver(records...)
}

func TestRepeatSendsNothing(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, nil)
	o := newOffice(t, hooked(), patientAt("webhook", r.URL))
	done(t, o.deliver(shipped(), shipped()))
	done(t, o.again(shipped(), shipped()))
	o.open()
	done(t, o.again(shipped(), shipped()))
	if got := len(r.hooks()); got != 2 {
		t.Errorf("got %d webhooks, want 2: one for each record", got)
	}
	if first, second := r.hooks()[0].id(), r.hooks()[1].id(); first == second {
		t.Errorf("got one id %q for two records, want two", first)
	}
	if o.counts["patient webhook sent"] != 2 || o.counts["patient webhook repeated"] != 4 {
		t.Errorf("got counts %v, want 2 sent and 4 repeated", o.counts)
	}
}

// Ensure what was refused for good is not sent at a repeat either, and gives its dead letter again: the first may not have been written.
func TestRepeatOfWhatWasRefusedIsADeadLetterWithoutATry(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, func(_ int, w http.ResponseWriter) { w.WriteHeader(http.StatusGone) })
	o := newOffice(t, hooked(), patientAt("webhook", r.URL))
	o.deliver(shipped())
	o.open()
	if got := o.again(shipped())[0]; got.Outcome != record.DeadLettered || got.Class != record.ClassPermanent {
		t.Errorf("got %s of class %q, want a dead letter again", got.Outcome, got.Class)
	}
	if len(r.hooks()) != 1 || len(o.letters) != 2 {
		t.Errorf("got %d webhooks and %d dead letters, want 1 and 2", len(r.hooks()), len(o.letters))
	}
}

// Ensure a failure with one of those concerned repeats nothing at the other.
func TestOneAudienceThatFailsDoesNotRepeatTheOther(t *testing.T) {
	t.Parallel()
	failing := newReceiver(t, statuses(500, 500))
	working := newReceiver(t, nil)
	o := newOffice(t, hooked(), func(_ context.Context, audience notification.Audience, _ string) (notification.Recipient, bool, error) {
		if audience == notification.Patient {
			return notification.Recipient{Channel: "webhook", Address: failing.URL}, true, nil
		}
		return notification.Recipient{Channel: "webhook", Address: working.URL}, true, nil
	})
	done(t, o.deliver(shipped()))
	if len(failing.hooks()) != 3 || len(working.hooks()) != 1 {
		t.Errorf("got %d and %d webhooks, want 3 tries at the one and 1 at the other", len(failing.hooks()), len(working.hooks()))
	}
	if failing.hooks()[0].id() == working.hooks()[0].id() {
		t.Error("got one id for two audiences, want two")
	}
}

// crash delivers a record to a receiver that calls crashNow when it has the webhook, and does not answer: all that is left is the store.
func (o *office) crash(r *record.Record) {
	o.t.Helper()
	ctx, cancel := context.WithCancel(o.t.Context())
	defer cancel()
	o.crashNow = func() {
		cancel()
		// An answer could be faster than the end of the context.
		panic(http.ErrAbortHandler)
	}
	if got := o.walk(ctx, r)[0]; got.Outcome != record.Unfinished {
		o.t.Errorf("got %s, want the record unfinished", got.Outcome)
	}
	o.open()
}

// spoilStore makes the store refuse every mark of how something ended, until mend is called.
func (o *office) spoilStore() (mend func()) {
	db, err := sql.Open("sqlite", o.path)
	if err != nil {
		o.t.Error(err)
		return func() {}
	}
	execute := func(statement string) {
		if _, err := db.ExecContext(context.Background(), statement); err != nil {
			o.t.Error(err)
		}
	}
	execute("CREATE TRIGGER spoil BEFORE UPDATE ON effects BEGIN SELECT RAISE(ABORT, 'spoilt'); END")
	return func() {
		execute("DROP TRIGGER spoil")
		_ = db.Close()
	}
}

func TestInDoubt(t *testing.T) {
	t.Parallel()
	for _, policy := range []notification.InDoubt{notification.Resend, notification.Park} {
		t.Run(string(policy), func(t *testing.T) {
			t.Parallel()
			var o *office
			r := newReceiver(t, func(n int, w http.ResponseWriter) {
				if n == 0 {
					o.crashNow()
				}
			})
			settings := hooked()
			settings.InDoubt = policy
			o = newOffice(t, settings, patientAt("webhook", r.URL))
			o.crash(shipped())
			got := o.again(shipped())[0]
			hooks := r.hooks()
			switch policy {
			case notification.Resend:
				if got.Outcome != record.Done || len(hooks) != 2 || hooks[0].id() != hooks[1].id() {
					t.Errorf("got %s after %d webhooks, want done after two with one id", got.Outcome, len(hooks))
				}
			case notification.Park:
				if got.Outcome != record.DeadLettered || got.Class != record.ClassInDoubt || len(hooks) != 1 {
					t.Errorf("got %s of class %q after %d webhooks, want a dead letter of class in_doubt after one", got.Outcome, got.Class, len(hooks))
				}
				if again := o.again(shipped())[0]; again.Class != record.ClassInDoubt || len(r.hooks()) != 1 {
					t.Errorf("got %s of class %q at a repeat, want the same", again.Outcome, again.Class)
				}
			}
			if o.counts["patient webhook in_doubt"] != 1 {
				t.Errorf("got counts %v, want one in doubt", o.counts)
			}
			if !strings.Contains(o.text(), `"msg":"nothing tells whether a notification was sent","topic":"order-events","partition":0,"offset":0,"audience":"patient"`) {
				t.Errorf("got %s, want a line with the position", o.text())
			}
		})
	}
}

// Ensure a store that goes away between sending and marking costs no second mail: the process knows that it has sent.
func TestStoreThatIsAwayAfterSendingRepeatsNothing(t *testing.T) {
	t.Parallel()
	var o *office
	var mend func()
	r := newReceiver(t, func(n int, _ http.ResponseWriter) {
		if n == 0 {
			mend = o.spoilStore()
		}
	})
	o = newOffice(t, hooked(), patientAt("webhook", r.URL))
	o.onWait = func(waits int) {
		if waits == 3 {
			mend()
		}
	}
	done(t, o.deliver(shipped()))
	if got := len(r.hooks()); got != 1 {
		t.Errorf("got %d webhooks, want 1", got)
	}
	if len(o.held) == 0 {
		t.Error("got no wait, want the record held while the store is away")
	}
	done(t, o.again(shipped()))
	if got := len(r.hooks()); got != 1 {
		t.Errorf("got %d webhooks after a repeat, want 1: it was marked once the store was back", got)
	}
}

// Ensure a dead letter that somebody gives back is sent: what was refused, and what was left to people.
func TestRedrivenNotificationIsSent(t *testing.T) {
	t.Parallel()
	for _, park := range []bool{false, true} {
		var o *office
		r := newReceiver(t, func(n int, w http.ResponseWriter) {
			switch {
			case n == 0 && park:
				o.crashNow()
			case n == 0:
				w.WriteHeader(http.StatusNotFound)
			}
		})
		settings := hooked()
		settings.InDoubt = notification.Park
		o = newOffice(t, settings, patientAt("webhook", r.URL))
		if park {
			o.crash(shipped())
			o.again(shipped())
		} else {
			o.deliver(shipped())
		}
		if len(o.letters) != 1 {
			t.Fatalf("park %t: got %d dead letters, want 1", park, len(o.letters))
		}
		letter := o.letters[0].Record
		decoded, err := messages.Orders.Decode(letter.Value)
		if err != nil {
			t.Fatal(err)
		}
		redriven := messages.Event[any]{Body: decoded.Body, Meta: messages.Meta{
			Type: "OrderEvent", Action: messages.Shipped, EntityID: "e-1", Topic: letter.Topic, Offset: letter.Offset, Timestamp: letter.Timestamp, Redriven: true,
		}}
		for range 2 { // given back twice, it is sent once
			if err := o.notifier.Notify(t.Context(), redriven); err != nil {
				t.Errorf("park %t: got %v, want it sent", park, err)
			}
		}
		if hooks := r.hooks(); len(hooks) != 2 || hooks[0].id() != hooks[1].id() {
			t.Errorf("park %t: got %d webhooks, want the one before and one more with its id", park, len(hooks))
		}
	}
}
