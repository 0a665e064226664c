//go:build unix

package integration_test

import (
	"fmt"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Ensure a log that ends before the group's position is counted as a gap, so that the alert for gaps tells of it.
func TestGapOfALogThatEndsBeforeThePositionIsCounted(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, anyBroker(t), settings{"topics": settings{"order-events": settings{"partitions": 1}}})
	p.provision(t)
	p.produce(t, p.order(1))
	beyond := kadm.Offsets{}
	beyond.Add(kadm.Offset{Topic: p.topics["order-events"], Partition: 0, At: 100, LeaderEpoch: -1})
	if err := p.broker.admin(t).CommitAllOffsets(t.Context(), p.groups["orders"], beyond); err != nil {
		t.Fatal(err)
	}
	run := p.start(t, "run", "--consumers", "orders")
	run.says("the log ends before this consumer's position")
	line := fmt.Sprintf(`millrace_gap_records_total{consumer="orders",topic=%q} 1`, p.topics["order-events"])
	eventually(t, "the gap is counted", func() bool { return strings.Contains(get(t, run.http()+"/metrics"), line) })
	run.signal(syscall.SIGTERM)
	run.ends(0)
}

// Ensure what is sent is counted: dead letters, and the events of a plugin's own producer.
func TestWhatIsSentIsCounted(t *testing.T) {
	t.Parallel()
	p := carelessPlatform(t, nil)
	p.careless(t, "topics", "apply").ends(0)
	topic := p.topics["order-events"]
	p.produce(t, &kgo.Record{Topic: topic, Key: []byte("ord-1"), Value: []byte("no event")},
		&kgo.Record{Topic: topic, Key: []byte("ord-echo"), Value: journeys[2].value("ord-echo", step{"created", "pending"})})
	run := p.careless(t, "run", "--consumers", "careless")
	for _, sent := range []string{topic, topic + "-dlt"} {
		line := regexp.MustCompile(fmt.Sprintf(`messaging_client_sent_messages_total\{error_type="",topic="%s"\} 1\n`, sent))
		eventually(t, "a record sent to "+sent+" is counted", func() bool { return line.MatchString(get(t, run.http()+"/metrics")) })
	}
	run.signal(syscall.SIGTERM)
	run.ends(0)
}

// Ensure markers of a transaction between a row and the group's own position make the store no older copy.
func TestMarkersAloneMakeNoOlderCopy(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, anyBroker(t), settings{"topics": settings{"order-events": settings{"partitions": 1}}})
	p.provision(t)
	p.produce(t, p.order(1))
	p.execute(t, "run", "--consumers", "orders", "--exit-at-end").ends(0)
	aborted := p.order(2)
	aborted.Topic = p.topics["order-events"]
	p.transact(t, false, []*kgo.Record{aborted})
	// What is past the aborted record and the marker, as one of us would commit it.
	past := kadm.Offsets{}
	past.Add(kadm.Offset{Topic: p.topics["order-events"], Partition: 0, At: 3, LeaderEpoch: -1, Metadata: "millrace/1 3"})
	if err := p.broker.admin(t).CommitAllOffsets(t.Context(), p.groups["orders"], past); err != nil {
		t.Fatal(err)
	}
	p.produce(t, p.order(4))
	run := p.execute(t, "run", "--consumers", "orders", "--exit-at-end").ends(0)
	if strings.Contains(run.stderr.String(), "ahead of the store") {
		t.Errorf("got a warning, want none; stderr:\n%s", run.tail())
	}
	l := &ledger{t: t, platform: p}
	if got := l.number("SELECT count(*) FROM entity_history"); got != 2 {
		t.Errorf("got %d changes, want 2", got)
	}
}
