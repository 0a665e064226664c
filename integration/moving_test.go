//go:build unix

package integration_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/prantikov/millrace/kafka/kafkatest"
)

// listener is another program that has the group of a consumer for a while: it handles so many records and stops.
type listener func(t testing.TB, j *journalPlatform, consumer string, records int) []entry

// listen is a listener of franz-go.
func listen(t testing.TB, j *journalPlatform, consumer string, records int) []entry {
	t.Helper()
	var handled []entry
	for _, r := range kafkatest.Listen(t, j.broker.address, j.groups[consumer], j.topics[journeys[2].topic], records) {
		handled = append(handled, entry{entity: string(r.Key), at: position{r.Topic, r.Partition, r.Offset}})
	}
	return handled
}

// moving is a consumer of the journal whose group goes to a listener and back, while records go on coming.
type moving struct {
	*journalPlatform
	consumer string
	listen   listener
	// written is what the consumer has written so far, in its order.
	written func(t testing.TB) []entry
	// handled is what both have handled, in the order of the turns.
	handled []entry
	// seen is how much of what the consumer wrote is in handled.
	seen int
	sent int
	// passed is how many records the listener has handled.
	passed int
}

// newMoving gives the consumer a platform without a key that is refused.
func newMoving(t testing.TB, consumer string, l listener) *moving {
	t.Helper()
	m := &moving{journalPlatform: newJournalPlatform(t), consumer: consumer, listen: l}
	if err := os.Remove(m.refuses); err != nil {
		t.Fatal(err)
	}
	m.written = m.journalPlatform.written
	if consumer == "journal" {
		m.written = func(t testing.TB) []entry {
			if m.entered(t) == 0 {
				return nil // there may be no store yet
			}
			return m.entries(t)
		}
	}
	m.journalPlatform.start(t, "topics", "apply").ends(0)
	return m
}

// send produces more orders.
func (m *moving) send(t testing.TB, records int) {
	t.Helper()
	next := m.orders()
	batch := make([]*kgo.Record, records)
	for i := range batch {
		batch[i] = next()
	}
	m.produce(t, batch...)
	m.sent += records
}

// theirs is a turn of the listener: half of what is left.
func (m *moving) theirs(t testing.TB) {
	t.Helper()
	turn := m.listen(t, m.journalPlatform, m.consumer, (m.sent-len(m.handled))/2)
	m.handled = append(m.handled, turn...)
	m.passed += len(turn)
}

// ours is a turn of ours, that is stopped when it has handled something or, to the end, when all is handled. It returns what the process said.
func (m *moving) ours(t testing.TB, toEnd bool) *process {
	t.Helper()
	run := m.start(t, "run", "--consumers", m.consumer)
	enough := func() bool {
		now := len(m.written(t))
		return now > m.seen && (!toEnd || len(m.handled)+now-m.seen >= m.sent) || !run.running()
	}
	eventually(t, "the consumer handles its part", enough)
	m.pause(t)
	run.signal(syscall.SIGTERM)
	run.ends(0)
	written := m.written(t)
	m.handled = append(m.handled, written[m.seen:]...)
	m.seen = len(written)
	return run
}

// pause takes no more and waits until what was taken is handled: keys go side by side, and what is finished before an earlier record would be
// repeated by the listener, which knows the group's position alone.
func (m *moving) pause(t testing.TB) {
	t.Helper()
	m.start(t, "pause", m.consumer).ends(0)
	quiet := 0
	eventually(t, "nothing is in flight", func() bool {
		var status struct {
			Consumers []struct{ InFlight, WaitingKeys int }
		}
		said := m.start(t, "status", "-o", "json").ends(0).stdout.String()
		if err := json.Unmarshal([]byte(said), &status); err != nil || len(status.Consumers) != 1 {
			t.Fatalf("reading %q: got %v, want one consumer", said, err)
		}
		// A record whose key was under way is handed over a moment after that.
		quiet++
		if status.Consumers[0].InFlight+status.Consumers[0].WaitingKeys > 0 {
			quiet = 0
		}
		return quiet == 3
	})
}

// checkMoves lets both take turns and wants each record handled once, in the order of its key.
func checkMoves(t *testing.T, consumer string, l listener) {
	m := newMoving(t, consumer, l)
	const turns, during = 3, 300
	m.send(t, during)
	// After this one each partition has its row.
	m.ours(t, true)
	for turn := range turns {
		m.send(t, during)
		m.theirs(t)
		run := m.ours(t, turn == turns-1)
		wantSaid(t, run, consumer == "journal")
	}
	m.want(t, fmt.Sprintf("%s and a listener in turns", consumer), m.handled, false)
	if consumer == "journal" {
		m.wantGaps(t)
	}
}

// wantSaid wants the line of a store that is behind its group once, or not at all.
func wantSaid(t testing.TB, run *process, said bool) {
	t.Helper()
	want := 0
	if said {
		want = 1
	}
	if got := strings.Count(run.stderr.String(), "the group's position is ahead of the store"); got != want {
		t.Errorf("got %d lines of a group that is ahead of the store, want %d; stderr:\n%s", got, want, run.tail())
	}
}

// wantGaps wants every record that the listener has handled, and no other, in a gap.
func (m *moving) wantGaps(t testing.TB) {
	t.Helper()
	var gaps []struct {
		Partition int32
		From, To  int64
	}
	run := m.start(t, "gaps", "--consumer", m.consumer, "-o", "json").ends(0)
	if err := json.Unmarshal([]byte(run.stdout.String()), &gaps); err != nil {
		t.Fatalf("reading %q: %v", run.stdout.String(), err)
	}
	ours := map[position]bool{}
	for _, e := range m.entries(t) {
		ours[e.at] = true
	}
	offsets := 0
	for _, gap := range gaps {
		for offset := gap.From; offset < gap.To; offset++ {
			offsets++
			if at := (position{m.topics[journeys[2].topic], gap.Partition, offset}); ours[at] {
				t.Errorf("%s is in a gap, and was handled here", at)
			}
		}
	}
	if offsets != m.passed {
		t.Errorf("got %d offsets in gaps, want %d: what the listener has handled", offsets, m.passed)
	}
}

// Ensure a group that goes from a listener to a consumer and back, again and again, has every record handled once: by a consumer whose progress
// is in the store, which is behind each time, and by one without.
func TestAGroupMovesBetweenAListenerAndAConsumer(t *testing.T) {
	t.Parallel()
	for _, consumer := range []string{"journal", "journal-lines"} {
		t.Run(consumer, func(t *testing.T) {
			t.Parallel()
			checkMoves(t, consumer, listen)
		})
	}
}

// Ensure what a killed process had in the store and not yet in the group's position is not handled again by us, whoever had the group meanwhile,
// and that it says so.
func TestAStoreThatIsAheadOfItsGroupRepeatsNothing(t *testing.T) {
	t.Parallel()
	m := newMoving(t, "journal", listen)
	m.send(t, 300)
	run := m.start(t, "run", "--consumers", m.consumer)
	eventually(t, "all is handled", func() bool { return len(m.written(t)) == 300 || !run.running() })
	run.signal(syscall.SIGTERM)
	run.ends(0)
	m.resetGroup(t, m.consumer, 10)
	m.send(t, 30)
	again := m.start(t, "run", "--consumers", m.consumer, "--exit-at-end").ends(0)
	if !strings.Contains(again.stderr.String(), "the store is ahead of the group's position") {
		t.Errorf("got no word of the store that is ahead; stderr:\n%s", again.tail())
	}
	m.want(t, "a store ahead of its group", m.entries(t), false)
}

// resetGroup moves the group of a consumer back by so many records of each partition, as an operator may.
func (p *platform) resetGroup(t testing.TB, consumer string, back int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	admin := p.broker.admin(t)
	offsets, err := admin.FetchOffsets(ctx, p.groups[consumer])
	if err != nil {
		t.Fatalf("asking for the offsets of %s: %v", consumer, err)
	}
	moved := kadm.Offsets{}
	offsets.Offsets().Each(func(at kadm.Offset) {
		at.At, at.Metadata = max(at.At-back, 0), ""
		moved.Add(at)
	})
	if err := admin.CommitAllOffsets(ctx, p.groups[consumer], moved); err != nil {
		t.Fatalf("moving the group of %s back: %v", consumer, err)
	}
}
