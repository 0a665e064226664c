//go:build unix && postgres

package integration_test

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prantikov/millrace/kafka/kafkatest"
	"github.com/prantikov/millrace/store/storetest"
)

// Ensure a group that goes to a listener and comes back to a store on PostgreSQL has each order handled once, by the one or the other, and that the
// store says which it has not.
func TestPostgresMovingToAListenerAndBack(t *testing.T) {
	t.Parallel()
	p := newSharedPlatform(t, anyBroker(t), settings{"topics": settings{"order-events": settings{"partitions": 1}}})
	p.provision(t)
	r := &restored{platform: p}
	r.send(t)
	r.toEnd(t, "orders")
	r.send(t)
	if got := len(kafkatest.Listen(t, p.broker.address, p.groups["orders"], p.topics["order-events"], 50)); got != 50 {
		t.Fatalf("the listener handled %d records, want 50", got)
	}
	r.send(t)
	run := r.toEnd(t, "orders")
	if got := strings.Count(run.stderr.String(), "the group's position is ahead of the store: going on there"); got != 1 {
		t.Errorf("got %d warnings, want 1; stderr:\n%s", got, run.tail())
	}
	l := &ledger{t: t, platform: p}
	if got := l.number("SELECT count(*) FROM entity_history"); got != 100 {
		t.Errorf("got %d changes, want the 50 before and the 50 after the listener", got)
	}
	if got := l.number("SELECT coalesce(sum(to_offset - from_offset), 0) FROM gaps"); got != 50 {
		t.Errorf("got gaps of %d offsets, want the listener's 50", got)
	}
}

// Ensure a notification that a kill left in doubt is sent once more with its id, also where its marks are on PostgreSQL.
func TestPostgresNotificationInDoubt(t *testing.T) {
	t.Parallel()
	o := receiveWebhooks(t, hangsAfter)
	p, environment := notifying(t, "webhook", o.address, settings{"kafka": settings{"instance_id": "one"}})
	p.dsn = storetest.Schema(t, p.data)
	environment = append(environment, p.environment()...)
	run := p.notify(t, environment)
	run.http()
	p.produce(t, p.order(1))
	select {
	case <-o.reached:
	case <-time.After(patience):
		t.Fatalf("the notification did not come; stderr:\n%s", run.tail())
	}
	run.kill()
	o.release()
	again := p.notify(t, environment)
	l := &ledger{t: t, platform: p}
	eventually(t, "it is marked", func() bool { return l.number("SELECT count(*) FROM effects WHERE state = 'done'") == 1 })
	if ids := o.taken(); len(ids) != 2 || ids[0] != ids[1] {
		t.Errorf("got the ids %q, want one twice", ids)
	}
	if got := counted(t, again, "webhook", "in_doubt"); got != 1 {
		t.Errorf("got %d counted as in doubt, want 1", got)
	}
	again.signal(syscall.SIGTERM)
	again.ends(0)
}
