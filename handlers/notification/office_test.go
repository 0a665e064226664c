package notification_test

import (
	"bytes"
	"context"
	"log/slog"
	"maps"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prantikov/millrace/handlers/notification"
	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/store"
)

// office is the consumer with channels: on a real store, with receivers that the test has, and a clock that jumps over pauses.
type office struct {
	t        *testing.T
	store    *store.Store
	path     string
	settings notification.Settings
	find     notification.Directory
	notifier *notification.Notifier
	walker   *router.Walker
	// replayer is the same consumer in a replay.
	replayer *router.Walker
	letters  []record.Letter
	next     map[string]int64
	// crashNow ends the present delivery as a crash does.
	crashNow func()
	// onWait is called with the number of each wait.
	onWait func(wait int)

	mutex  sync.Mutex
	now    time.Time
	waited time.Duration
	// waits are left until a record that waits is stopped.
	waits  int
	stop   func()
	held   []string
	log    bytes.Buffer
	counts map[string]int
}

// mostWaits is how often a record waits until it is stopped.
const mostWaits = 200

// newOffice opens the consumer. Everybody is found at the address that find gives.
func newOffice(t *testing.T, settings notification.Settings, find notification.Directory) *office {
	t.Helper()
	o := &office{
		t: t, path: filepath.Join(t.TempDir(), "store.db"), settings: settings, find: find, next: map[string]int64{}, now: at, counts: map[string]int{},
	}
	o.settings.ProbeAfter = time.Millisecond
	o.open()
	return o
}

// open is the start of the process, also after a crash: nothing but the store is left of the one before.
func (o *office) open() {
	o.t.Helper()
	opened, err := store.Open(o.t.Context(), o.path, nil)
	if err != nil {
		o.t.Fatal(err)
	}
	o.store = opened
	o.t.Cleanup(func() { _ = opened.Close() })
	o.notifier = notification.New(o.settings, notification.Dependencies{
		Consumer: "notification", Store: func() *store.Store { return opened }, Directory: o.find, Counted: o.count, Now: o.Now,
		Logger: slog.New(slog.NewJSONHandler(lockedWriter{o}, nil)),
	})
	if err := o.notifier.Open(); err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(o.notifier.Close)
	consumer, err := router.Consume("notification", router.EffectsOutside(true), router.OnAny(messages.Types(), o.notifier.Notify))
	if err != nil {
		o.t.Fatal(err)
	}
	made, err := router.New(router.Settings{
		DeadLetters: o, Types: messages.Types(), Clock: o, Logger: slog.New(slog.NewJSONHandler(lockedWriter{o}, nil)),
		Observe: func(router.Handler) router.Observer {
			return router.Observer{Held: func(_ *record.Record, hold router.Hold) { o.note(hold.Cause) }}
		},
	}, nil)
	if err != nil {
		o.t.Fatal(err)
	}
	if o.walker, err = made.Walker(consumer, router.ConsumerSettings{}); err != nil {
		o.t.Fatal(err)
	}
	if o.replayer, err = made.Walker(consumer, router.ConsumerSettings{Replay: true}); err != nil {
		o.t.Fatal(err)
	}
}

// deliver hands over records of one topic at their next offsets, and returns how each ended. One that waits for ever is stopped after a while,
// and is unfinished.
func (o *office) deliver(records ...*record.Record) []record.Result {
	o.t.Helper()
	return o.walk(o.t.Context(), records...)
}

// walk is deliver with a context that may end.
func (o *office) walk(ctx context.Context, records ...*record.Record) []record.Result {
	o.t.Helper()
	placed := make([]*record.Record, len(records))
	for i, r := range records {
		next := *r
		next.Offset = o.next[r.Topic]
		o.next[r.Topic]++
		placed[i] = &next
	}
	results := make([]record.Result, len(records))
	stopping := make(chan struct{})
	o.mutex.Lock()
	o.waits, o.stop = mostWaits, sync.OnceFunc(func() { close(stopping) })
	o.mutex.Unlock()
	batch := &record.Batch{Records: placed, Claim: "claim", Stopping: stopping, Report: func(i int, result record.Result) { results[i] = result }}
	if err := o.walker.Walk(ctx, batch); err != nil {
		o.t.Fatal(err)
	}
	return results
}

// Now implements [router.Clock].
func (o *office) Now() time.Time {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	return o.now
}

// Wait implements [router.Clock].
func (o *office) Wait(_ context.Context, _ <-chan struct{}, until time.Time) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	if until.After(o.now) {
		o.waited += until.Sub(o.now)
		o.now = until
	}
	o.waits--
	if o.onWait != nil {
		o.onWait(mostWaits - o.waits)
	}
	if o.waits <= 0 {
		o.stop()
	}
}

// Write implements [router.DeadLetters].
func (o *office) Write(_ context.Context, letter record.Letter) error {
	o.letters = append(o.letters, letter)
	return nil
}

func (o *office) count(audience, channel, outcome string) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	o.counts[strings.Join([]string{audience, channel, outcome}, " ")]++
}

func (o *office) note(cause string) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	o.held = append(o.held, cause)
}

// wantCounts compares all that was counted.
func (o *office) wantCounts(want map[string]int) {
	o.t.Helper()
	o.mutex.Lock()
	defer o.mutex.Unlock()
	if !maps.Equal(o.counts, want) {
		o.t.Errorf("counts: got %v, want %v", o.counts, want)
	}
}

// text is all that was logged and said of waits.
func (o *office) text() string {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	return o.log.String() + strings.Join(o.held, "\n")
}

type lockedWriter struct{ o *office }

func (w lockedWriter) Write(text []byte) (int, error) {
	w.o.mutex.Lock()
	defer w.o.mutex.Unlock()
	return w.o.log.Write(text)
}

// patientAt is a directory that has every patient at one address and nobody else.
func patientAt(channel, address string) notification.Directory {
	return func(_ context.Context, audience notification.Audience, _ string) (notification.Recipient, bool, error) {
		return notification.Recipient{Channel: channel, Address: address}, audience == notification.Patient, nil
	}
}

// shipped is a record of an order.
func shipped() *record.Record {
	return raw("order-events", strings.ReplaceAll(clinical["order-events"], "ACTION", "shipped"))
}

func done(t *testing.T, results []record.Result) {
	t.Helper()
	for i, result := range results {
		if result.Outcome != record.Done {
			t.Errorf("record %d: got %s of class %q for %q, want done", i, result.Outcome, result.Class, result.Reason)
		}
	}
}
