//go:build unix

package integration_test

import (
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/prantikov/millrace/kafka/kafkatest"
)

// Ensure a log that ends with what nobody may see has an end all the same.
func TestExitAtEndPassesAnAbortedTransaction(t *testing.T) {
	t.Parallel()
	for _, commit := range []bool{false, true} {
		t.Run(map[bool]string{false: "aborted", true: "committed"}[commit], func(t *testing.T) {
			t.Parallel()
			p := newPlatform(t, anyBroker(t), nil)
			p.provision(t)
			made := p.load()
			var plain, inTransaction []*kgo.Record
			for range 300 {
				plain = append(plain, made.next())
				inTransaction = append(inTransaction, made.next())
			}
			p.produce(t, plain...)
			p.transact(t, commit, inTransaction)
			p.finish(t)
			l := settle(t, p).report("a transaction at the end")
			want := len(plain)
			if commit {
				want += len(inTransaction)
			}
			if len(l.log) != want {
				t.Errorf("got %d records on the log, want %d", len(l.log), want)
			}
			p.finish(t) // there is nothing left, and that is soon known
		})
	}
}

// transact writes the records in one transaction, which it commits or aborts.
func (p *platform) transact(t *testing.T, commit bool, records []*kgo.Record) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	client := p.broker.client(t, kgo.TransactionalID(kafkatest.Name(t)))
	if err := client.BeginTransaction(); err != nil {
		t.Fatalf("beginning a transaction: %v", err)
	}
	if err := client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		t.Fatalf("producing in a transaction: %v", err)
	}
	if err := client.EndTransaction(ctx, kgo.TransactionEndTry(commit)); err != nil {
		t.Fatalf("ending a transaction: %v", err)
	}
}

// Ensure a run that cannot get to the end in its time says what is unfinished.
func TestExitAtEndOutOfTimeListsWhatIsUnfinished(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, anyBroker(t), nil)
	p.provision(t)
	made := p.load()
	var records []*kgo.Record
	for range 100 {
		records = append(records, made.next())
	}
	p.produce(t, records...)
	// A killed member holds the groups for longer than the second run may take.
	run := p.start(t, "run")
	underLoad(t, p, run)
	p.produce(t, made.next())
	run.kill()
	more := made.next()
	p.produce(t, more)
	late := p.execute(t, "run", "--consumers", "archive", "--exit-at-end", "--timeout", "2s").ends(1)
	for _, want := range []string{"--timeout", "unfinished", "archive " + more.Topic} {
		if !strings.Contains(late.verdict(), want) {
			t.Errorf("got %q, want %q in it", late.verdict(), want)
		}
	}
	p.finish(t)
	settle(t, p).report("a run out of time")
}

// Ensure start is where a new group begins, and that it counts only once.
func TestStartIsWhereANewGroupBegins(t *testing.T) {
	t.Parallel()
	const turn = 40
	b := anyBroker(t)
	middle := now().Add(-time.Hour)
	p := newPlatform(t, b, settings{"consumers": settings{
		"archive": settings{"start": "latest"}, "logging": settings{"start": "earliest"}, "notification": settings{"start": middle.Format(time.RFC3339Nano)},
	}})
	p.provision(t)
	made := p.load()
	send := func(at time.Time) {
		var records []*kgo.Record
		for range turn {
			r := made.next()
			r.Timestamp = at
			records = append(records, r)
		}
		p.produce(t, records...)
	}
	want := func(lines map[string]int) {
		t.Helper()
		p.finish(t)
		for consumer, want := range lines {
			if got := len((&ledger{t: t, platform: p}).texts(consumer)); got != want {
				t.Errorf("%s: got %d lines, want %d", consumer, got, want)
			}
		}
	}
	send(middle.Add(-time.Minute))
	send(middle)
	// The 51st record is a bad one, which has no line in the activity log and the outbox.
	want(map[string]int{"archive": 0, "logging": 2*turn - 1, "notification": turn - 1})
	send(now())
	want(map[string]int{"archive": turn, "logging": 3*turn - 2, "notification": 2*turn - 2})
}

// demonstrated is what demo --once prints.
type demonstrated struct {
	Published int
	Consumers map[string]struct{ Done, Retried, DeadLettered, Skipped int }
	Lost      *int
}

// Ensure both engines bring every event through, against the broker of somebody else and with none at all.
func TestDemoLosesNothing(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name        string
		environment []string
		// flags are those of the broker.
		flags func(t *testing.T) []string
	}{
		{"with our own engine, on a broker", nil, onBroker},
		{"with watermill-kafka, on a broker", []string{"MILLRACE_KAFKA_ENGINE=watermill"}, onBroker},
		{"on the embedded broker", nil, func(*testing.T) []string { return nil }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			const events, poison = 2000, 40
			arguments := append([]string{"demo", "--once", "--events", "2000", "--poison", "40", "-o", "json"}, test.flags(t)...)
			run := execute(t, test.environment, append(arguments, "--data-dir", filepath.Join(t.TempDir(), "data"))...).ends(0)
			var got demonstrated
			if err := json.Unmarshal([]byte(run.stdout.String()), &got); err != nil {
				t.Fatalf("reading %q: %v", run.stdout.String(), err)
			}
			if got.Published != events+poison || got.Lost == nil || *got.Lost != 0 || len(got.Consumers) != len(journeys)+len(fanOut) {
				t.Errorf("got %s, want %d published by %d consumers and lost 0", run.stdout.String(), events+poison, len(journeys)+len(fanOut))
			}
			if archive := got.Consumers["archive"]; archive.Done != events+poison {
				t.Errorf("got %+v of the archive, want all of it done", archive)
			}
			for _, consumer := range []string{"notification", "analytics", "logging"} {
				if c := got.Consumers[consumer]; c.Done != events || c.DeadLettered != poison {
					t.Errorf("got %+v of %s, want %d done and %d dead letters", c, consumer, events, poison)
				}
			}
		})
	}
}

// onBroker is the flags for a broker with topics and groups of their own.
func onBroker(t *testing.T) []string {
	return []string{"--config", newPlatform(t, anyBroker(t), nil).config}
}

// Ensure the embedded broker of a data directory serves one command after another.
func TestDevCommandsWorkOneAfterAnother(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	dev := func(arguments ...string) *process {
		t.Helper()
		return execute(t, []string{"MILLRACE_DEV=true"}, append(arguments, "--data-dir", data)...)
	}
	dev("publish", "order-events", "--sample", "created").ends(0)
	dev("publish", "order-events", "--raw", "--key", "ord-1", "--file", writeFile(t, "{truncated\n")).ends(0)
	dev("run", "--exit-at-end").ends(0)
	var letters []struct{ Consumer, Class string }
	if err := json.Unmarshal([]byte(dev("dlq", "list", "-o", "json").ends(0).stdout.String()), &letters); err != nil {
		t.Fatal(err)
	}
	if len(letters) != 4 {
		t.Errorf("got %d dead letters, want 4: one of each consumer that decodes", len(letters))
	}
	for _, letter := range letters {
		if letter.Class != "malformed" {
			t.Errorf("got class %q of %s, want malformed", letter.Class, letter.Consumer)
		}
	}
	var counts []struct{ Count int }
	if err := json.Unmarshal([]byte(dev("counts", "-o", "json").ends(0).stdout.String()), &counts); err != nil {
		t.Fatal(err)
	}
	if len(counts) != 1 || counts[0].Count != 1 {
		t.Errorf("got counts %v, want one of 1", counts)
	}
}
