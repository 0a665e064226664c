package notification_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/prantikov/millrace/handlers/notification"
	"github.com/prantikov/millrace/record"
)

// Ensure the signature is that of the specification, for the library of a receiver and worked out by hand.
func TestWebhookIsSignedAsTheStandardHasIt(t *testing.T) {
	t.Parallel()
	other := "whsec_" + base64.StdEncoding.EncodeToString([]byte("another secret of 32 bytes, long"))
	r := newReceiver(t, nil)
	settings := hooked()
	settings.Webhook.Secret = other + "\n" + secret
	o := newOffice(t, settings, patientAt("webhook", r.URL+"/in"))
	done(t, o.deliver(shipped()))
	if len(r.hooks()) != 1 {
		t.Fatalf("got %d webhooks, want 1", len(r.hooks()))
	}
	got := r.hooks()[0]
	for _, one := range []string{secret, other} {
		verifier, err := standardwebhooks.NewWebhook(one)
		if err != nil {
			t.Fatal(err)
		}
		if err := verifier.Verify(got.body, got.header); err != nil {
			t.Errorf("verifying with each secret: got %v, want it signed", err)
		}
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(got.id() + "." + got.header.Get("webhook-timestamp") + "." + string(got.body)))
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	if signatures := strings.Fields(got.header.Get("webhook-signature")); len(signatures) != 2 || signatures[1] != want {
		t.Errorf("got signatures %q, want two, the second %q", signatures, want)
	}
	if sent, err := strconv.ParseInt(got.header.Get("webhook-timestamp"), 10, 64); err != nil || time.Since(time.Unix(sent, 0)).Abs() > time.Hour {
		t.Errorf("got timestamp %q, want now in seconds", got.header.Get("webhook-timestamp"))
	}
}

func TestWebhookSaysWhatHappened(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, nil)
	o := newOffice(t, hooked(), patientAt("webhook", r.URL+"/in?to=1"))
	done(t, o.deliver(shipped()))
	got := r.hooks()[0]
	want := `{"type":"OrderEvent.shipped","timestamp":"2024-12-25T10:30:00.123Z","data":{"audience":"patient","recipient":"pat-1","entityId":"e-1",` +
		`"action":"shipped","eventId":"order-events/0/0","subject":"News of your order","text":"Your order was shipped."}}`
	if string(got.body) != want {
		t.Errorf("got %s, want %s", got.body, want)
	}
	if got.path != "/in" || got.header.Get("Content-Type") != "application/json" {
		t.Errorf("got %q of type %q, want /in of type application/json", got.path, got.header.Get("Content-Type"))
	}
	if id := got.id(); !strings.HasPrefix(id, "msg_") || len(id) != 36 || strings.ContainsAny(id, ". ") {
		t.Errorf("got id %q, want msg_ and 32 digits", id)
	}
	o.wantCounts(map[string]int{"patient webhook sent": 1, "pharmacy  no_recipient": 1})
}

func TestStatusDecides(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		statuses []int
		want     record.Outcome
		class    record.Class
		hooks    int // how many come in all
	}{
		{"201 is done", []int{201}, record.Done, "", 1},
		{"400 is a dead letter at once", []int{400, 200}, record.DeadLettered, record.ClassPermanent, 1},
		{"401 is a dead letter at once", []int{401, 200}, record.DeadLettered, record.ClassPermanent, 1},
		{"404 is a dead letter at once", []int{404, 200}, record.DeadLettered, record.ClassPermanent, 1},
		{"410 is a dead letter at once", []int{410, 200}, record.DeadLettered, record.ClassPermanent, 1},
		{"a redirect is not followed and is a dead letter", []int{302, 200}, record.DeadLettered, record.ClassPermanent, 1},
		{"408 is tried again", []int{408, 200}, record.Done, "", 2},
		{"425 is tried again", []int{425, 200}, record.Done, "", 2},
		{"500 is tried again", []int{500, 200}, record.Done, "", 2},
		{"503 twice is tried again", []int{503, 503, 200}, record.Done, "", 3},
		{"429 is tried again, however often", []int{429, 429, 429, 429, 429, 429, 200}, record.Done, "", 7},
		{"one that stays at 500 is away: it is held, and no dead letter", []int{500, 500, 500, 500, 500, 500, 500, 500, 200}, record.Done, "", 9},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newReceiver(t, func(n int, w http.ResponseWriter) {
				w.Header().Set("Location", "/elsewhere")
				statuses(test.statuses...)(n, w)
			})
			o := newOffice(t, hooked(), patientAt("webhook", r.URL))
			if got := o.deliver(shipped())[0]; got.Outcome != test.want || got.Class != test.class {
				t.Errorf("got %s of class %q, want %s of class %q", got.Outcome, got.Class, test.want, test.class)
			}
			hooks := r.hooks()
			if len(hooks) != test.hooks {
				t.Fatalf("got %d webhooks, want %d", len(hooks), test.hooks)
			}
			for _, again := range hooks {
				if again.id() != hooks[0].id() {
					t.Errorf("got id %q at a later try, want %q as at the first", again.id(), hooks[0].id())
				}
			}
		})
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	t.Parallel()
	const aDate = "200 s from now as a date"
	tests := []struct {
		name, after string
		status      int
		least, most time.Duration
	}{
		{"seconds", "120", 429, 2 * time.Minute, 3 * time.Minute},
		{"longer than a record's tries last", "600", 503, 10 * time.Minute, 11 * time.Minute},
		{"a date", aDate, 429, 3 * time.Minute, 4 * time.Minute},
		{"a year counts for an hour", "31536000", 503, time.Hour, 61 * time.Minute},
		{"a number that no one can hold", "99999999999999999999", 429, 0, time.Minute},
		{"nothing that can be read", "soon", 429, 0, time.Minute},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newReceiver(t, func(n int, w http.ResponseWriter) {
				if n > 0 {
					return
				}
				after := test.after
				if after == aDate {
					after = time.Now().Add(200 * time.Second).UTC().Format(http.TimeFormat)
				}
				w.Header().Set("Retry-After", after)
				w.WriteHeader(test.status)
			})
			o := newOffice(t, hooked(), patientAt("webhook", r.URL))
			done(t, o.deliver(shipped()))
			if o.waited < test.least || o.waited > test.most || len(r.hooks()) != 2 {
				t.Errorf("got %d webhooks with %s between, want 2 with between %s and %s", len(r.hooks()), o.waited, test.least, test.most)
			}
		})
	}
}

// Ensure a receiver that asked to be left alone gets nothing for anybody until then.
func TestRetryAfterCountsForAllThatGoThere(t *testing.T) {
	t.Parallel()
	var asked time.Time
	var o *office
	var early int
	r := newReceiver(t, func(n int, w http.ResponseWriter) {
		if n == 0 {
			asked = o.Now()
			w.Header().Set("Retry-After", "60")
			w.WriteHeader(http.StatusTooManyRequests)
		} else if o.Now().Sub(asked) < time.Minute {
			early++
		}
	})
	o = newOffice(t, hooked(), patientAt("webhook", r.URL))
	done(t, o.deliver(shipped(), shipped(), shipped()))
	if early > 0 || len(r.hooks()) != 4 {
		t.Errorf("got %d webhooks, %d of them in the time in which it wanted none, want 4 and none", len(r.hooks()), early)
	}
}

// Ensure a receiver that cannot be reached holds the consumer for as long as that takes, and that nothing is given up for it.
func TestReceiverThatIsAwayHolds(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	o := newOffice(t, hooked(), patientAt("webhook", "http://"+address+"/canary"))
	if got := o.deliver(shipped())[0]; got.Outcome != record.Unfinished || len(o.letters) > 0 {
		t.Errorf("got %s and %d dead letters, want the record waiting", got.Outcome, len(o.letters))
	}
	if len(o.held) < 100 || !strings.Contains(o.text(), "the channel webhook is away: the webhook's receiver cannot be reached: connection refused") {
		t.Errorf("got %d waits, want the cause told: %.300s", len(o.held), o.text())
	}
	for _, hidden := range []string{address, "canary"} {
		if strings.Contains(o.text(), hidden) {
			t.Errorf("got %q in what is logged, want nothing of the address", hidden)
		}
	}
	// Nothing was sent, so nothing is in doubt when the process ends now.
	r := newReceiver(t, nil)
	o.find = patientAt("webhook", r.URL)
	o.open()
	o.next = map[string]int64{}
	done(t, o.deliver(shipped()))
	o.wantCounts(map[string]int{"patient webhook sent": 1, "pharmacy  no_recipient": o.counts["pharmacy  no_recipient"]})
}

// Ensure one receiver that fails does not keep others from their webhooks, and that it costs no dead letter while it fails for all.
func TestOneReceiverThatFailsDoesNotHoldAnother(t *testing.T) {
	t.Parallel()
	failing := newReceiver(t, func(_ int, w http.ResponseWriter) { w.WriteHeader(http.StatusInternalServerError) })
	working := newReceiver(t, nil)
	o := newOffice(t, hooked(), func(_ context.Context, audience notification.Audience, _ string) (notification.Recipient, bool, error) {
		if audience == notification.Pharmacy {
			return notification.Recipient{Channel: "webhook", Address: working.URL}, true, nil
		}
		return notification.Recipient{Channel: "webhook", Address: failing.URL}, true, nil
	})
	if got := o.deliver(shipped())[0]; got.Outcome != record.Unfinished || len(o.letters) > 0 {
		t.Errorf("got %s and %d dead letters, want the record waiting for its patient's receiver", got.Outcome, len(o.letters))
	}
	if got := len(working.hooks()); got != 1 {
		t.Errorf("got %d webhooks at the receiver that works, want exactly 1", got)
	}
}

// Ensure a destination that is away is probed by one notification at a time.
func TestAwayDestinationGetsOneProbeAtATime(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, func(_ int, w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) })
	o := newOffice(t, hooked(), patientAt("webhook", r.URL))
	o.settings.ProbeAfter = time.Hour
	o.open()
	o.deliver(shipped())
	if got := len(r.hooks()); got != 3 {
		t.Errorf("got %d tries until the next probe, want the 3 after which it counts as away", got)
	}
}

// Ensure what was sent without an answer is sent again with the same id, and counted.
func TestNoAnswerIsInDoubt(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, func(n int, w http.ResponseWriter) {
		if n == 0 {
			hangUp(w)
		}
	})
	o := newOffice(t, hooked(), patientAt("webhook", r.URL))
	done(t, o.deliver(shipped()))
	hooks := r.hooks()
	if len(hooks) != 2 || hooks[0].id() != hooks[1].id() {
		t.Errorf("got %d webhooks, want two with one id", len(hooks))
	}
	o.wantCounts(map[string]int{"patient webhook failed": 1, "patient webhook in_doubt": 1, "patient webhook sent": 1, "pharmacy  no_recipient": 2})
}

func TestReceiverWithoutTLSIsRefused(t *testing.T) {
	t.Parallel()
	o := newOffice(t, hooked(), patientAt("webhook", "http://gateway.example/canary"))
	if got := o.deliver(shipped())[0]; got.Class != record.ClassPermanent {
		t.Errorf("got %s of class %q, want a dead letter", got.Outcome, got.Class)
	}
	if text := o.text(); !strings.Contains(text, "its address has no TLS") || strings.Contains(text, "canary") || strings.Contains(text, "gateway") {
		t.Errorf("got %s, want the reason without the address", text)
	}
}

// Ensure nothing of a notification is logged, whatever the receiver says.
func TestLogHasNothingOfAWebhook(t *testing.T) {
	t.Parallel()
	for _, status := range []int{400, 500, 429} {
		r := newReceiver(t, func(_ int, w http.ResponseWriter) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte("canary of pat-1: News of your order"))
		})
		o := newOffice(t, hooked(), patientAt("webhook", r.URL+"/canary"))
		o.deliver(shipped())
		for _, hidden := range []string{"canary", "pat-1", "News", "shipped.", r.URL} {
			if strings.Contains(o.text(), hidden) {
				t.Errorf("status %d: got %q in the log, want nothing of the notification: %s", status, hidden, o.text())
			}
		}
	}
}
