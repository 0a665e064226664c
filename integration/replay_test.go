//go:build unix

package integration_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/prantikov/millrace/kafka/kafkatest"
	"github.com/prantikov/millrace/record"
)

// lines is the consumer of the journal without a unit of work, of which the program knows no effect; ordersTopic is what it takes.
const lines, ordersTopic = "journal-lines", "order-events"

// replays starts a replay of the journal's consumers; what it writes to a file goes to one of its own.
func (j *journalPlatform) replays(t testing.TB, file string, more ...string) *process {
	t.Helper()
	arguments := append([]string{"replay", "--topic", ordersTopic, "--from", "beginning", "--execute", "-o", "json"}, more...)
	return startProgram(t, journal, append(j.platform.environment(), "JOURNAL_REFUSES=none", "JOURNAL_LINES="+file), j.arguments(arguments...)...)
}

// inFile are the lines of a file of the journal.
func (j *journalPlatform) inFile(t testing.TB, file string) []entry {
	t.Helper()
	other := *j
	other.lines = file
	return other.written(t)
}

// summary is what a replay says at its end.
type summary struct {
	Complete  bool `json:"complete"`
	Resumed   bool `json:"resumed"`
	Consumers []struct {
		Consumer string `json:"consumer"`
		Applied  int    `json:"applied"`
		Skipped  int    `json:"skipped"`
		Done     int    `json:"doneAlready"`
		Live     int    `json:"forTheLiveConsumer"`
		GivenUp  int    `json:"givenUp"`
	} `json:"consumers"`
	LeftOut []string `json:"leftOut"`
}

func (p *process) summary() (said summary) {
	p.t.Helper()
	if err := json.Unmarshal([]byte(p.stdout.String()), &said); err != nil {
		p.t.Fatalf("%v\nstdout:\n%s\nstderr:\n%s", err, p.stdout.String(), p.tail())
	}
	return said
}

// fill writes so many orders onto the topic.
func (j *journalPlatform) fill(t testing.TB, count int) {
	t.Helper()
	load := startLoadOf(t, j.platform, j.orders())
	load.more(t, int64(count))
	load.stop(t)
}

// Ensure that a replay while everybody works is given each record up to its end once, in the order of its key, and that the running consumer
// has each once all the same, and its group comes to the end of the log.
func TestReplayBesideLiveTraffic(t *testing.T) {
	t.Parallel()
	j := newJournalPlatform(t)
	j.start(t, "topics", "apply").ends(0)
	j.fill(t, 2000)
	if err := os.Remove(j.refuses); err != nil {
		t.Fatal(err)
	}
	load := startLoadOf(t, j.platform, j.orders())
	live := j.start(t, "run", "--consumers", lines)
	eventually(t, "the journal moves", func() bool { return j.size() > 0 || !live.running() })
	for round := range 2 {
		file := filepath.Join(t.TempDir(), "replayed")
		said := j.replays(t, file, "--consumer", lines).ends(0).summary()
		replayed := j.inFile(t, file)
		if len(said.Consumers) != 1 || said.Consumers[0].Applied != len(replayed) || len(replayed) < 2000 || said.Resumed {
			t.Errorf("round %d: got %+v and %d lines, want each applied record's line", round, said, len(replayed))
		}
		onceInOrder(t, replayed)
	}
	load.stop(t)
	topic := j.topics[ordersTopic]
	eventually(t, "the live group is at the end of the log", func() bool {
		ends, err := j.broker.admin(t).ListEndOffsets(t.Context(), topic)
		if err != nil {
			t.Fatal(err)
		}
		committed := j.committed(t, lines)
		for partition, end := range ends[topic] {
			if committed[fmt.Sprintf("%s/%d", topic, partition)] < end.Offset {
				return false
			}
		}
		return true
	})
	live.signal(syscall.SIGTERM)
	live.ends(0)
	j.want(t, "the live consumer", j.written(t), false)
	groups, err := j.broker.admin(t).ListGroups(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name := range groups {
		if strings.HasPrefix(name, j.word) && name != j.groups[lines] {
			t.Errorf("got the group %s, want none of a replay", name)
		}
	}
}

// onceInOrder fails the test when a record is there twice, or before an earlier one of its key.
func onceInOrder(t testing.TB, entries []entry) {
	t.Helper()
	seen, highest := map[position]bool{}, map[string]int64{}
	for _, e := range entries {
		if before, had := highest[e.entity]; seen[e.at] || had && e.at.offset < before {
			t.Errorf("%s of %s comes again, or after a later one of its key", e.at, e.entity)
		}
		seen[e.at], highest[e.entity] = true, e.at.offset
	}
}

// checkpoint is how far a consumer of a replay was when it last wrote that down.
type checkpoint struct {
	Consumers map[string][]struct {
		Partition int32 `json:"partition"`
		From      int64 `json:"from"`
		Done      []struct{ From, To int64 }
	} `json:"consumers"`
}

// checkpoints are those in the data directory: one, while a replay is not complete.
func (p *platform) checkpoints(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(p.data, "replay", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// finishedBy are the records that the checkpoint has as finished.
func (p *platform) finishedBy(t testing.TB, entries []entry) map[position]bool {
	t.Helper()
	files := p.checkpoints(t)
	if len(files) != 1 {
		t.Fatalf("got checkpoints %v, want one", files)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	var read checkpoint
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	finished := map[position]bool{}
	for _, e := range entries {
		for _, part := range read.Consumers[lines] {
			if part.Partition != e.at.partition {
				continue
			}
			done := e.at.offset < part.From
			for _, run := range part.Done {
				done = done || e.at.offset >= run.From && e.at.offset < run.To
			}
			finished[e.at] = done
		}
	}
	return finished
}

// Ensure that a replay that is killed half way goes on where its last checkpoint was: what that has is not handled again, and nothing is left out.
// One that is stopped repeats nothing at all.
func TestReplayThatIsKilledGoesOn(t *testing.T) {
	t.Parallel()
	j := newJournalPlatform(t)
	j.start(t, "topics", "apply").ends(0)
	j.fill(t, 6000)
	file := filepath.Join(t.TempDir(), "replayed")
	slowly := []string{"--consumer", lines, "--rate", "1500"}
	var finished map[position]bool
	for kill := range 2 {
		before := len(j.inFile(t, file))
		run := j.replays(t, file, slowly...)
		eventually(t, "the replay moves on", func() bool { return len(j.inFile(t, file)) > before+1600 || !run.running() })
		run.kill()
		if kill > 0 && !strings.Contains(run.stderr.String(), "going on with the replay that began at") {
			t.Errorf("got %q on stderr, want that it goes on", run.tail())
		}
		finished = j.finishedBy(t, j.inFile(t, file))
	}
	once := len(j.inFile(t, file))
	run := j.replays(t, file, slowly...)
	eventually(t, "the replay moves on", func() bool { return len(j.inFile(t, file)) > once || !run.running() })
	run.signal(syscall.SIGTERM)
	run.ends(1)
	if !strings.Contains(run.stderr.String(), "the same command goes on from there") || run.summary().Complete {
		t.Errorf("got %q and %+v, want that it was stopped before its end", run.tail(), run.summary())
	}
	stopped := j.inFile(t, file)
	said := j.replays(t, file, "--consumer", lines).ends(0).summary()
	if !said.Complete || !said.Resumed {
		t.Errorf("got %+v, want a whole replay that went on", said)
	}
	all := j.inFile(t, file)
	j.want(t, "killed and stopped", all, true)
	counts := map[position]int{}
	for _, e := range all {
		counts[e.at]++
	}
	below := 0
	for at, done := range finished {
		if done {
			below++
		}
		if done && counts[at] != 1 && !repeatedBefore(all[:once], at) {
			t.Errorf("%s, which the checkpoint had, was handled %d times, want once", at, counts[at])
		}
	}
	if below == 0 {
		t.Error("the checkpoint had nothing, so it was of no use")
	}
	for _, e := range all[len(stopped):] {
		if slices.ContainsFunc(stopped[once:], func(before entry) bool { return before.at == e.at }) {
			t.Errorf("%s was handled before the stop and again after it", e.at)
		}
	}
	if left := j.checkpoints(t); len(left) != 0 {
		t.Errorf("got checkpoints %v after a whole replay, want none", left)
	}
	if applied := said.Consumers[0].Applied; applied != len(counts) {
		t.Errorf("the summary has %d records, want the %d from the beginning on", applied, len(counts))
	}
}

// repeatedBefore says whether a record was handled twice up to the last kill: the first kill had it above its checkpoint.
func repeatedBefore(entries []entry, at position) bool {
	count := 0
	for _, e := range entries {
		if e.at == at {
			count++
		}
	}
	return count > 1
}

// Ensure that what another program had while it had the group comes into the tables once, whatever kills the replay, and that the progress of
// the running consumer is not touched.
func TestReplayOfWhatAnotherProgramHadIsAppliedOnce(t *testing.T) {
	t.Parallel()
	j := newJournalPlatform(t)
	if err := os.Remove(j.refuses); err != nil {
		t.Fatal(err)
	}
	j.start(t, "topics", "apply").ends(0)
	j.fill(t, 300)
	j.start(t, "run", "--consumers", "journal", "--exit-at-end", "--timeout", catchUp().String()).ends(0)
	handled := len(j.entries(t))
	j.fill(t, 4000)
	topic := j.topics[ordersTopic]
	ends, err := j.broker.admin(t).ListEndOffsets(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	for partition, end := range ends[topic] {
		kafkatest.Commit(t, j.broker.address, j.groups["journal"], record.Position{Topic: topic, Partition: partition, Offset: end.Offset})
	}
	back := j.start(t, "run", "--consumers", "journal")
	eventually(t, "what the other program had is noted", func() bool { return strings.HasPrefix(j.table(t, "gaps"), "gaps: 3 rows") })
	back.signal(syscall.SIGTERM)
	back.ends(0)
	if got := len(j.entries(t)); got != handled {
		t.Fatalf("got %d entries, want the %d of before: the others passed", got, handled)
	}
	progress := j.table(t, "progress")
	for range 2 {
		before := len(j.entries(t))
		run := j.replays(t, "none", "--consumer", "journal", "--rate", "1500")
		eventually(t, "the replay moves on", func() bool { return len(j.entries(t)) > before+300 || !run.running() })
		run.kill()
	}
	j.replays(t, "none", "--consumer", "journal").ends(0)
	j.want(t, "the tables", j.entries(t), false)
	tables := j.tables(t)
	if got := j.table(t, "progress"); got != progress {
		t.Errorf("got the progress %q, want %q", got, progress)
	}
	said := j.replays(t, "none", "--consumer", "journal").ends(0).summary()
	if got := said.Consumers[0]; got.Applied != 0 || got.Done != len(j.entries(t)) {
		t.Errorf("a replay of what is there: got %+v, want nothing applied", got)
	}
	if got := j.tables(t); got != tables {
		t.Error("a replay of what is there has changed a table")
	}
	live := j.start(t, "run", "--consumers", "journal")
	live.http()
	refused := j.replays(t, "none", "--consumer", "journal").ends(1)
	if said := refused.stderr.String(); strings.Count(said, "\n") != 1 || !strings.Contains(said, "SQLite, which is one process's: stop it for the replay") {
		t.Errorf("got %q beside a running program, want one sentence that says what to do", said)
	}
	live.signal(syscall.SIGTERM)
	live.ends(0)
}
