package router_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ThreeDotsLabs/watermill"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/router/routertest"
)

// trial is a batch of a source that parks, and what became of its records.
type trial struct {
	*record.Batch
	stop func()

	mu      sync.Mutex
	results map[int]record.Result
	doubled []int
	sides   int
	walked  bool
}

// tryKeys makes a batch with a record of each key, in this order.
func tryKeys(t *testing.T, keys string) *trial {
	t.Helper()
	var records []*record.Record
	for offset, key := range strings.Fields(keys) {
		records = append(records, keyed(t, key, int64(offset)))
	}
	return tryRecords(records, nil)
}

func tryRecords(records []*record.Record, memos []any) *trial {
	stopping := make(chan struct{})
	tr := &trial{results: map[int]record.Result{}, stop: sync.OnceFunc(func() { close(stopping) })}
	tr.Batch = &record.Batch{Records: records, Memos: memos, Claim: "trial", Stopping: stopping, Report: tr.report, Side: tr.side}
	return tr
}

func keyed(t *testing.T, key string, offset int64) *record.Record {
	t.Helper()
	r := routertest.Record(t, messages.AppointmentCreated, appointment(key))
	r.Offset = offset
	return r
}

func (tr *trial) report(index int, result record.Result) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if _, twice := tr.results[index]; twice || tr.walked {
		tr.doubled = append(tr.doubled, index)
	}
	tr.results[index] = result
}

func (tr *trial) side() {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.sides++
}

// walk gives the batch to the walker and returns when all of it is walked.
func (tr *trial) walk(t *testing.T, walker *router.Walker) { tr.walkIn(t, t.Context(), walker) }

func (tr *trial) walkIn(t *testing.T, ctx context.Context, walker *router.Walker) {
	t.Helper()
	if err := walker.Walk(ctx, tr.Batch); err != nil {
		t.Error(err)
	}
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.walked = true
	if len(tr.doubled) > 0 {
		t.Errorf("records %v were reported twice", tr.doubled)
	}
}

// outcomes are those of all records so far, in their order; a record without one shows a dash.
func (tr *trial) outcomes() string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	words := make([]string, len(tr.Records))
	for i := range words {
		words[i] = "-"
		if result, ok := tr.results[i]; ok {
			words[i] = result.Outcome.String()
		}
	}
	return strings.Join(words, " ")
}

func (tr *trial) want(t *testing.T, outcomes string) {
	t.Helper()
	if got := tr.outcomes(); got != outcomes {
		t.Errorf("the records ended as %q, want %q", got, outcomes)
	}
}

func (tr *trial) sided() bool {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return tr.sides > 0
}

// again is a batch of the records that are not finished, with what was left with each, as a source hands them over when their time has come.
func (tr *trial) again() *trial {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	var records []*record.Record
	var memos []any
	for i, r := range tr.Records {
		if result := tr.results[i]; !result.Outcome.Finished() {
			memo := result.Memo
			if result.Outcome != record.Parked {
				memo = tr.Memo(i)
			}
			records, memos = append(records, r), append(memos, memo)
		}
	}
	return tryRecords(records, memos)
}

// diary is what a function was called with.
type diary struct {
	mu      sync.Mutex
	begun   []string
	running map[string]int
	beside  int
	broken  []string
}

// handle calls the function under watch: an entry is the key, and two of one key at once are noted.
func (d *diary) handle(function func(context.Context, string) error) func(context.Context, messages.Event[messages.AppointmentEvent]) error {
	return func(ctx context.Context, e messages.Event[messages.AppointmentEvent]) error {
		key := e.EntityID
		d.enter(key, e.Offset)
		defer d.leave(key)
		return function(ctx, key)
	}
}

func (d *diary) enter(key string, offset int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.running == nil {
		d.running = map[string]int{}
	}
	d.begun = append(d.begun, fmt.Sprintf("%s/%d", key, offset))
	if d.running[key]++; d.running[key] > 1 {
		d.broken = append(d.broken, key)
	}
	all := 0
	for _, count := range d.running {
		all += count
	}
	d.beside = max(d.beside, all)
}

func (d *diary) leave(key string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.running[key]--
}

// of are the entries of one key.
func (d *diary) of(key string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var own []string
	for _, entry := range d.begun {
		if strings.HasPrefix(entry, key+"/") {
			own = append(own, entry)
		}
	}
	return strings.Join(own, " ")
}

func (d *diary) calls() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.begun)
}

// most is how many ran side by side, at most, and forgets it.
func (d *diary) most() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	most := d.beside
	d.beside = 0
	return most
}

// wantOneAtOnce fails the test when two records of one key ran at once, or those of a key out of order; a retry begins where it left off.
func (d *diary) wantOneAtOnce(t *testing.T) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.broken) > 0 {
		t.Errorf("two records at once of the keys %v", slices.Compact(d.broken))
	}
	last := map[string]int{}
	for _, entry := range d.begun {
		key, text, _ := strings.Cut(entry, "/")
		offset := 0
		_, _ = fmt.Sscan(text, &offset)
		if key != "warm" && offset < last[key] {
			t.Errorf("key %s: %d began after %d", key, offset, last[key])
		}
		last[key] = offset
	}
}

// walkerOf makes the walker of a consumer named test.
func walkerOf(t *testing.T, settings router.Settings, consumerSettings router.ConsumerSettings, options ...router.Option) *router.Walker {
	t.Helper()
	if settings.DeadLetters == nil {
		settings.DeadLetters = &flakyLetters{}
	}
	made, err := router.New(settings, watermill.NopLogger{})
	if err != nil {
		t.Fatal(err)
	}
	consumer, err := router.Consume("test", options...)
	if err != nil {
		t.Fatal(err)
	}
	walker, err := made.Walker(consumer, consumerSettings)
	if err != nil {
		t.Fatal(err)
	}
	return walker
}

// warm walks fast records until the walker takes batches inline: then it begins no goroutine for them.
func warm(t *testing.T, walker *router.Walker) {
	t.Helper()
	for range 100 {
		tr := tryKeys(t, strings.Repeat("warm ", 64))
		if tr.walk(t, walker); !tr.sided() {
			return
		}
	}
	t.Fatal("the walker does not take fast records inline")
}
