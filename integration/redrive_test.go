//go:build unix

package integration_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// letterLine is a line of dlq list, as scripts read it.
type letterLine struct {
	Consumer, Class, State string
}

// letters counts the dead letters by consumer, class and state.
func (p *journalPlatform) letters(t testing.TB) map[letterLine]int {
	t.Helper()
	var lines []letterLine
	if err := json.Unmarshal([]byte(p.start(t, "dlq", "list", "-o", "json").ends(0).stdout.String()), &lines); err != nil {
		t.Fatal(err)
	}
	counts := map[letterLine]int{}
	for _, line := range lines {
		counts[line]++
	}
	return counts
}

func (p *journalPlatform) wantLetters(t testing.TB, when string, want map[letterLine]int) {
	t.Helper()
	if got := p.letters(t); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: got letters %v, want %v", when, got, want)
	}
}

// Ensure that of four thousand letters of three causes at two consumers, one cause of one consumer comes home when it is fixed: each letter
// once, also when the redrive was killed half way and run again, and no other consumer sees one.
func TestOneCauseIsFixedAndItsLettersComeHome(t *testing.T) {
	t.Parallel()
	const refusals, malformed, unknown, good = 700, 700, 600, 100
	j := newJournalPlatform(t)
	once := settings{"retry": settings{"tries": 1}}
	j.rewrite(t, settings{"consumers": settings{"journal": once, "journal-lines": once}})
	j.start(t, "topics", "apply").ends(0)
	journey := journeys[2]
	var records []*kgo.Record
	add := func(count int, id func(int) string, value func(id string) string) {
		for i := range count {
			records = append(records, &kgo.Record{
				Topic: journey.topic, Key: []byte(id(i)), Value: []byte(value(id(i))),
				Headers: []kgo.RecordHeader{{Key: "x-trace", Value: fmt.Append(nil, i)}},
			})
		}
	}
	one := func(int) string { return refusedOrder }
	many := func(i int) string { return fmt.Sprint("ord-", i%90) }
	event := func(action string) func(string) string {
		return func(id string) string { return fmt.Sprintf(journey.body, id, "pending", action) }
	}
	add(refusals, one, event("created"))
	add(malformed, many, func(string) string { return "{" })
	add(unknown, many, event("lost"))
	add(good, many, event("created"))
	j.produce(t, records...)

	run := func() {
		j.start(t, "run", "--consumers", "journal,journal-lines", "--exit-at-end", "--timeout", catchUp().String()).ends(0)
	}
	run()
	dead := func(consumer, class string) letterLine { return letterLine{consumer, class, "dead"} }
	want := map[letterLine]int{
		dead("journal", "failed"): refusals, dead("journal", "malformed"): malformed, dead("journal", "unknown_action"): unknown,
		dead("journal-lines", "failed"): refusals, dead("journal-lines", "malformed"): malformed, dead("journal-lines", "unknown_action"): unknown,
	}
	j.wantLetters(t, "before", want)

	choice := []string{"dlq", "redrive", "--consumer", "journal", "--class", "failed"}
	home := j.groups["journal"] + "-redrive"
	j.start(t, choice...).ends(0)
	if got := len(j.broker.read(t, home)); got != 0 {
		t.Errorf("after a plan: got %d records on %s, want none", got, home)
	}
	if err := os.Remove(j.refuses); err != nil {
		t.Fatal(err)
	}
	slow := j.start(t, append(choice, "--execute", "--rate", "50")...)
	eventually(t, "some letters went", func() bool { return len(j.broker.read(t, home)) >= 100 })
	slow.kill()
	j.start(t, append(choice, "--execute")...).ends(0)
	j.start(t, append(choice, "--execute")...).ends(0)
	if got := len(j.broker.read(t, home)); got != refusals {
		t.Errorf("got %d records on %s, want each of the %d letters once", got, home, refusals)
	}
	delete(want, dead("journal", "failed"))
	want[letterLine{"journal", "failed", "sent"}] = refusals
	j.wantLetters(t, "when they were sent", want)
	run()
	delete(want, letterLine{"journal", "failed", "sent"})
	want[letterLine{"journal", "failed", "done"}] = refusals
	j.wantLetters(t, "when they were handled", want)

	// Entered as if they had not failed: with the positions that they had, in their order.
	entered := map[string][]int64{}
	for _, e := range j.entries(t) {
		entered[e.entity] = append(entered[e.entity], e.at.offset)
		if e.at.topic != j.topics[journey.topic] {
			t.Errorf("got an entry of topic %q, want %q", e.at.topic, j.topics[journey.topic])
		}
	}
	before := int64(-1)
	for _, offset := range entered[refusedOrder] {
		if offset <= before {
			t.Errorf("got offset %d after %d, want the order of the log", offset, before)
		}
		before = offset
	}
	if got := len(entered[refusedOrder]); got != refusals {
		t.Errorf("got %d entries of what came home, want %d", got, refusals)
	}
	for _, e := range j.written(t) {
		if e.entity == refusedOrder {
			t.Fatalf("the other consumer saw %+v", e)
		}
	}
	for at := range j.committed(t, "journal-lines") {
		if strings.HasPrefix(at, home+"/") {
			t.Errorf("the other consumer has a position at %s, want it to read its own redrive topic alone", at)
		}
	}
}

// Ensure kill -9, again and again, while letters come home to a consumer with a unit of work, neither loses nor doubles one: its progress on the
// redrive topic is in the same commit as its effects.
func TestKilledWhileLettersComeHomeEachCountsOnce(t *testing.T) {
	t.Parallel()
	const refusals = 3000
	kills := 4
	if soak() {
		kills = 50
	}
	j := newJournalPlatform(t)
	j.rewrite(t, settings{"consumers": settings{"journal": settings{"retry": settings{"tries": 1}}}})
	j.start(t, "topics", "apply").ends(0)
	journey := journeys[2]
	var records []*kgo.Record
	for range refusals {
		records = append(records, &kgo.Record{Topic: journey.topic, Key: []byte(refusedOrder), Value: journey.value(refusedOrder, step{"updated", "processing"})})
	}
	j.produce(t, records...)
	j.start(t, "run", "--consumers", "journal", "--exit-at-end", "--timeout", catchUp().String()).ends(0)
	if err := os.Remove(j.refuses); err != nil {
		t.Fatal(err)
	}
	j.start(t, "dlq", "redrive", "--consumer", "journal", "--execute").ends(0)
	for range kills {
		before := j.entered(t)
		run := j.start(t, "run", "--consumers", "journal")
		eventually(t, "letters come home", func() bool { return j.entered(t) > before || j.entered(t) >= refusals || !run.running() })
		run.kill()
	}
	j.start(t, "run", "--consumers", "journal", "--exit-at-end", "--timeout", catchUp().String()).ends(0)
	j.want(t, fmt.Sprintf("store, %d kills", kills), j.entries(t), false)
	j.wantLetters(t, "in the end", map[letterLine]int{{"journal", "failed", "done"}: refusals})
}
