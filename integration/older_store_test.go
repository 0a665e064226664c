//go:build unix

package integration_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// restored is a platform whose store went back to an older copy of itself, while the group of orders has gone on.
type restored struct {
	*platform
	sent int
}

// fileCopy copies a store that is a file, and returns what restores the copy.
func fileCopy(t *testing.T, p *platform) (restore func()) {
	t.Helper()
	file := filepath.Join(p.data, "store.db")
	copied, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.WriteFile(file, copied, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// newRestored handles 50 orders with orders and analytics, then 50 with orders alone, restores the store from between them, and sends 50 more.
func newRestored(t *testing.T, p *platform, copyStore func(*testing.T, *platform) (restore func())) *restored {
	t.Helper()
	p.rewrite(t, settings{"topics": settings{"order-events": settings{"partitions": 1}}})
	p.provision(t)
	r := &restored{platform: p}
	r.send(t)
	r.toEnd(t, "orders,analytics")
	restore := copyStore(t, p)
	r.send(t)
	r.toEnd(t, "orders")
	restore()
	r.send(t)
	return r
}

func (r *restored) send(t *testing.T) {
	t.Helper()
	var records []*kgo.Record
	journey := &journeys[2]
	for range 50 {
		id := fmt.Sprintf("ord-%d", r.sent%20)
		records = append(records, &kgo.Record{
			Topic: journey.topic, Key: []byte(id), Value: journey.value(id, step{"updated", "processing"}), Timestamp: now(),
			Headers: []kgo.RecordHeader{{Key: headerEvent, Value: []byte("updated processing")}},
		})
		r.sent++
	}
	r.produce(t, records...)
}

func (r *restored) toEnd(t *testing.T, consumers string) *process {
	t.Helper()
	return r.execute(t, "run", "--consumers", consumers, "--exit-at-end", "--timeout", "2m").ends(0)
}

// move puts the group of orders to an offset, as kafka-consumer-groups.sh does.
func (r *restored) move(t *testing.T, offset int64) {
	t.Helper()
	to := kadm.Offsets{}
	to.Add(kadm.Offset{Topic: r.topics["order-events"], Partition: 0, At: offset, LeaderEpoch: -1})
	if err := r.broker.admin(t).CommitAllOffsets(t.Context(), r.groups["orders"], to); err != nil {
		t.Fatal(err)
	}
}

// testRestoredStore shows that a store that was restored from a backup is found out: its consumer stops with a sentence instead of leaving out
// what the store lacks, and no other does. What the sentence advises makes every effect be there once.
func testRestoredStore(t *testing.T, p *platform, copyStore func(*testing.T, *platform) (restore func())) {
	r := newRestored(t, p, copyStore)
	topic, group := r.topics["order-events"], r.groups["orders"]
	run := r.start(t, "run", "--consumers", "orders,analytics")
	said := fmt.Sprintf("the store is an older copy, such as a backup that was restored: it has this consumer's progress with %s/0 up to offset 50, "+
		"and the consumer has committed 100 to its group", topic)
	run.says(said)
	eventually(t, "the other consumer goes on", func() bool { return r.committed(t, "analytics")[topic+"/0"] == 150 })
	ready, text := ask(t, run.http()+"/readyz")
	if ready != http.StatusServiceUnavailable || !strings.Contains(text, "orders") {
		t.Errorf("got status %d of readiness, want 503 that names the consumer:\n%s", ready, text)
	}
	if status, text := ask(t, run.http()+"/healthz"); status != http.StatusOK {
		t.Errorf("got status %d of liveness, want 200: to start it anew would help nobody:\n%s", status, text)
	}
	if metrics := get(t, run.http()+"/metrics"); !strings.Contains(metrics, `millrace_alarm{consumer="orders",kind="consumer_stopped",partition="",topic=""} 1`) {
		t.Error("got no alarm that the consumer stopped, want one")
	}
	if got := strings.Count(run.stderr.String(), "the store is an older copy"); got != 1 {
		t.Errorf("got %d lines, want 1; stderr:\n%s", got, run.tail())
	}
	advice := fmt.Sprintf("--group %s --all-topics --reset-offsets --to-earliest --execute", group)
	if !strings.Contains(run.stderr.String(), advice) {
		t.Errorf("got no %q, want it; stderr:\n%s", advice, run.tail())
	}
	run.signal(syscall.SIGTERM)
	run.ends(0)
	if got := r.committed(t, "orders")[topic+"/0"]; got != 100 {
		t.Errorf("position: got %d, want 100 as before", got)
	}
	if verdict := r.execute(t, "run", "--consumers", "orders").ends(1).verdict(); !strings.HasPrefix(verdict, `consumer "orders": the store is an older copy`) || strings.Contains(verdict, "\n") {
		t.Errorf("the consumer alone: got %q, want the same sentence", verdict)
	}

	r.move(t, 0)
	r.toEnd(t, "orders")
	l := &ledger{t: t, platform: r.platform, log: r.broker.read(t, topic)}
	l.rows = append(l.rows, l.domain(&journeys[2], nil))
	l.report("a restored store")
	if len(l.log) != r.sent {
		t.Errorf("got %d records on the log, want %d", len(l.log), r.sent)
	}
}

func TestRestoredStoreStopsItsConsumer(t *testing.T) {
	t.Parallel()
	testRestoredStore(t, newPlatform(t, anyBroker(t), nil), fileCopy)
}

// Ensure somebody can decide to do without what the store lacks: a position that is set by a tool is not ours, so the consumer goes on there and the
// store has the gap.
func TestRestoredStoreGoesOnWhereSomebodyPutsItsGroup(t *testing.T) {
	t.Parallel()
	r := newRestored(t, newPlatform(t, anyBroker(t), nil), fileCopy)
	r.move(t, 100)
	run := r.toEnd(t, "orders")
	if got := strings.Count(run.stderr.String(), "the group's position is ahead of the store: going on there"); got != 1 {
		t.Errorf("got %d warnings, want 1; stderr:\n%s", got, run.tail())
	}
	gaps := r.execute(t, "gaps", "-o", "json").ends(0).stdout.String()
	if !strings.Contains(gaps, `"from":50`) || !strings.Contains(gaps, `"to":100`) {
		t.Errorf("got gaps %s, want the one from 50 to 100", gaps)
	}
	l := &ledger{t: t, platform: r.platform}
	if got := l.number("SELECT count(*) FROM entity_history"); got != 100 {
		t.Errorf("got %d changes, want the 50 before the copy and the 50 after the group's position", got)
	}
}

// Ensure a new store beside a group that is further says in a line where it begins.
func TestNewStoreSaysWhereItBegins(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, anyBroker(t), nil)
	p.provision(t)
	made := p.load()
	for range 40 {
		p.produce(t, made.next())
	}
	p.finish(t)
	if err := os.Remove(filepath.Join(p.data, "store.db")); err != nil {
		t.Fatal(err)
	}
	for range 40 {
		p.produce(t, made.next())
	}
	again := p.execute(t, "run", "--consumers", "orders", "--exit-at-end").ends(0)
	if got := strings.Count(again.stderr.String(), "they begin where the group has committed"); got != 1 {
		t.Errorf("got %d lines that say where it begins, want 1; stderr:\n%s", got, again.tail())
	}
}

// Ensure notification takes the outbox again after a time with a channel: its progress stood still meanwhile, which makes the store no older copy.
func TestOutboxAfterAChannelIsNoOlderCopy(t *testing.T) {
	t.Parallel()
	o := receiveWebhooks(t, neverHangs)
	p, environment := notifying(t, "webhook", o.address, settings{})
	outbox := func() { p.notify(t, nil, "--exit-at-end").ends(0) }
	p.produce(t, p.order(1))
	outbox()
	p.produce(t, p.order(2))
	p.notify(t, environment, "--exit-at-end").ends(0)
	p.produce(t, p.order(3))
	p.notify(t, environment, "--exit-at-end").ends(0)
	p.produce(t, p.order(4))
	outbox()
	if got := len(o.taken()); got != 2 {
		t.Errorf("got %d webhooks, want 2", got)
	}
	if got := len((&ledger{t: t, platform: p}).texts("notification")); got != 2 {
		t.Errorf("got %d lines in the outbox, want 2", got)
	}
	if gaps := p.execute(t, "gaps", "-o", "json").ends(0).stdout.String(); strings.Contains(gaps, `"from"`) {
		t.Errorf("got gaps %s, want none", gaps)
	}
}
