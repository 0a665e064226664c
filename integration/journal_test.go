//go:build unix

package integration_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// refusedOrder is the id of the orders that the journal refuses for as long as its file is there.
const refusedOrder = "ord-refused"

// journalPlatform is a platform on which the journal works, with a key that is refused and so waits for its next try all along.
type journalPlatform struct {
	*platform
	refuses, lines string
}

func newJournalPlatform(t testing.TB) *journalPlatform {
	t.Helper()
	directory := t.TempDir()
	j := &journalPlatform{refuses: filepath.Join(directory, "refuses"), lines: filepath.Join(directory, "lines")}
	retry := settings{"tries": 1_000_000, "max_elapsed": "24h", "max_interval": "500ms"}
	consumers := settings{}
	for _, consumer := range []string{"journal", "journal-lines"} {
		consumers[consumer] = settings{"retry": retry}
	}
	j.platform = newPlatform(t, anyBroker(t), settings{"consumers": consumers})
	for _, consumer := range []string{"journal", "journal-lines"} {
		j.groups[consumer] = j.word + "-" + consumer
		consumers[consumer].(settings)["group"] = j.groups[consumer]
	}
	j.rewrite(t, settings{"consumers": consumers})
	if err := os.WriteFile(j.refuses, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return j
}

func (j *journalPlatform) start(t testing.TB, arguments ...string) *process {
	t.Helper()
	return startProgram(t, journal, j.environment(), j.arguments(arguments...)...)
}

func (j *journalPlatform) environment() []string {
	return append(j.platform.environment(), "JOURNAL_REFUSES="+j.refuses, "JOURNAL_LINES="+j.lines)
}

// orders makes the records of a load: orders of some hundred ids, and of the one that is refused.
func (j *journalPlatform) orders() func() *kgo.Record {
	journey, number := &journeys[2], 0
	return func() *kgo.Record {
		number++
		id := fmt.Sprintf("ord-%d", number%300)
		if number%100 == 0 {
			id = refusedOrder
		}
		return &kgo.Record{
			Topic: j.topics[journey.topic], Key: []byte(id), Value: journey.value(id, step{"updated", "processing"}), Timestamp: now(),
		}
	}
}

// entry is what the journal made of one record.
type entry struct {
	entity string
	at     position
	// when is zero for an entry of the table.
	when time.Time
}

// entered is the number of the last entry; it grows as the journal moves.
func (j *journalPlatform) entered(t testing.TB) (last int) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(j.data, "store.db")); err != nil {
		return 0
	}
	l := &ledger{t: t, platform: j.platform}
	made := false
	l.query("SELECT 1 FROM sqlite_master WHERE name = 'journal_entries'", func(*sql.Rows) error {
		made = true
		return nil
	})
	if made {
		l.query("SELECT coalesce(max(number), 0) FROM journal_entries", func(rows *sql.Rows) error { return rows.Scan(&last) })
	}
	return last
}

// size is that of the file of lines.
func (j *journalPlatform) size() int64 {
	info, err := os.Stat(j.lines)
	if err != nil {
		return 0
	}
	return info.Size()
}

// entries are those of the table, in their order.
func (j *journalPlatform) entries(t testing.TB) []entry {
	t.Helper()
	var entries []entry
	l := &ledger{t: t, platform: j.platform}
	l.query("SELECT entity, topic, partition, position FROM journal_entries ORDER BY number", func(rows *sql.Rows) error {
		var e entry
		err := rows.Scan(&e.entity, &e.at.topic, &e.at.partition, &e.at.offset)
		entries = append(entries, e)
		return err
	})
	return entries
}

// written are the lines of the file, in their order.
func (j *journalPlatform) written(t testing.TB) []entry {
	t.Helper()
	text, err := os.ReadFile(j.lines)
	if err != nil {
		return nil
	}
	var entries []entry
	for line := range bytes.Lines(text) {
		e := entry{at: position{topic: j.topics[journeys[2].topic]}}
		var micros int64
		if _, err := fmt.Sscanf(string(line), "%s %d %d %d\n", &e.entity, &e.at.partition, &e.at.offset, &micros); err != nil {
			continue // a kill may cut the last line
		}
		e.when = time.UnixMicro(micros)
		entries = append(entries, e)
	}
	return entries
}

// want compares entries with the log: each record once, or with repeats at least once, and each key's in the order of the log.
func (j *journalPlatform) want(t testing.TB, what string, entries []entry, repeats bool) {
	t.Helper()
	log := j.broker.read(t, j.topics[journeys[2].topic])
	seen, highest := map[position]int{}, map[string]int64{}
	repeated, disorder := 0, 0
	for _, e := range entries {
		first := seen[e.at] == 0
		seen[e.at]++
		if !first {
			repeated++
			continue
		}
		if before, had := highest[e.entity]; had && e.at.offset < before {
			disorder++
		}
		highest[e.entity] = e.at.offset
	}
	lost := 0
	for at := range log {
		if seen[at] == 0 {
			lost++
		}
	}
	t.Logf("%s: %d records on the log, %d lost, %d repeated, %d out of order", what, len(log), lost, repeated, disorder)
	if lost > 0 || disorder > 0 || (repeated > 0 && !repeats) || len(seen) > len(log) {
		t.Errorf("%s: got %d lost, %d repeated, %d out of order, want none", what, lost, repeated, disorder)
	}
}

// finishJournal lets the refused key pass and runs to the end of the log.
func (j *journalPlatform) finishJournal(t testing.TB, consumers string) {
	t.Helper()
	if err := os.Remove(j.refuses); err != nil {
		t.Fatal(err)
	}
	j.start(t, "run", "--consumers", consumers, "--exit-at-end", "--timeout", catchUp().String()).ends(0)
}

// Ensure that kill -9, again and again, while one key waits for its next try all along, neither loses nor doubles an effect in the store,
// and loses none outside of it.
func TestKilledUnderLoadWhileAKeyWaitsEveryEffectIsThereOnce(t *testing.T) {
	t.Parallel()
	kills := 4
	if soak() {
		kills = 200
	}
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	j := newJournalPlatform(t)
	j.start(t, "topics", "apply").ends(0)
	load := startLoadOf(t, j.platform, j.orders())
	for kill := range kills {
		if kill%50 == 49 {
			t.Logf("kill %d", kill+1)
		}
		before := j.entered(t)
		run := j.start(t, "run", "--consumers", "journal,journal-lines")
		// It waits for the killed one's session to end. What came meanwhile would be far more than one life can do.
		ready := run.http() + "/readyz"
		eventually(t, "the process is ready", func() bool { status, _ := ask(t, ready); return status == http.StatusOK })
		load.rests.Store(false)
		eventually(t, "the journal moves", func() bool { return j.entered(t) > before || !run.running() })
		load.more(t, random.Int64N(700))
		run.kill()
		load.rests.Store(true)
	}
	sent := load.stop(t)
	j.finishJournal(t, "journal,journal-lines")
	j.want(t, fmt.Sprintf("store, %d kills, %d sent, seed %d", kills, sent, seed), j.entries(t), false)
	j.want(t, "file beside the store", j.written(t), true)
}

// Ensure that SIGTERM, again and again, repeats nothing of a consumer without a unit of work, also while a key waits all along.
func TestStoppedUnderLoadWhileAKeyWaitsNothingIsRepeated(t *testing.T) {
	t.Parallel()
	stops := 5
	if soak() {
		stops = 100
	}
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	j := newJournalPlatform(t)
	j.start(t, "topics", "apply").ends(0)
	load := startLoadOf(t, j.platform, j.orders())
	for range stops {
		before := j.size()
		run := j.start(t, "run", "--consumers", "journal-lines")
		eventually(t, "the journal moves", func() bool { return j.size() > before || !run.running() })
		load.more(t, random.Int64N(700))
		run.signal(syscall.SIGTERM)
		run.ends(0)
	}
	sent := load.stop(t)
	j.finishJournal(t, "journal-lines")
	j.want(t, fmt.Sprintf("file, %d stops, %d sent, seed %d", stops, sent, seed), j.written(t), false)
	if !slices.ContainsFunc(j.written(t), func(e entry) bool { return e.entity == refusedOrder }) {
		t.Error("the refused key never came through, so it did not wait either")
	}
}
