//go:build unix && postgres

package integration_test

import (
	"database/sql"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/prantikov/millrace/kafka/kafkatest"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/store/storetest"
)

// Ensure a replay writes to a PostgreSQL beside the running consumers and neither takes a partition from them nor doubles an effect: what another
// program had comes into the tables once, while a load goes on. Consumers with files want a directory of their own.
func TestPostgresReplayBesideTheRunningConsumers(t *testing.T) {
	t.Parallel()
	j := newJournalPlatform(t)
	storeIn(t, j)
	j.start(t, "topics", "apply").ends(0)
	j.fill(t, 300)
	j.start(t, "run", "--consumers", "journal", "--exit-at-end", "--timeout", catchUp().String()).ends(0)
	j.fill(t, 3000)
	topic := j.topics[ordersTopic]
	ends, err := j.broker.admin(t).ListEndOffsets(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	for partition, end := range ends[topic] {
		kafkatest.Commit(t, j.broker.address, j.groups["journal"], record.Position{Topic: topic, Partition: partition, Offset: end.Offset})
	}
	live := j.start(t, "run", "--consumers", "journal,archive")
	eventually(t, "what the other program had is noted", func() bool { return strings.HasPrefix(j.table(t, "gaps"), "gaps: 3 rows") })
	load := startLoadOf(t, j.platform, j.orders())
	eventually(t, "the running consumer has taken every partition", func() bool { return strings.Count(j.epochs(t), " 2\n") == 3 })
	epochs := j.epochs(t)
	run := j.replays(t, "none", "--consumer", "journal", "--rate", "1500")
	before := len(j.entries(t))
	eventually(t, "the replay moves on", func() bool { return len(j.entries(t)) > before+500 || !run.running() })
	run.kill()
	if said := j.replays(t, "none", "--consumer", "journal").ends(0).summary(); said.Consumers[0].Applied < 1000 {
		t.Errorf("got %+v, want that the gap was applied", said)
	}
	j.replays(t, "none", "--consumer", "archive").failsWith(t, "give the replay another directory (--data-dir)")
	if got := j.epochs(t); got != epochs {
		t.Errorf("got epochs %s, want them as before the replay: %s", got, epochs)
	}
	load.stop(t)
	live.signal(syscall.SIGTERM)
	live.ends(0)
	j.start(t, "run", "--consumers", "journal", "--exit-at-end", "--timeout", catchUp().String()).ends(0)
	seen := map[position]int{}
	for _, e := range j.entries(t) {
		seen[e.at]++
	}
	for at := range j.broker.read(t, topic) {
		if seen[at] != 1 {
			t.Errorf("%s is in the table %d times, want once", at, seen[at])
		}
	}
	said := j.replays(t, "none", "--consumer", "journal").ends(0).summary()
	if got := said.Consumers[0]; got.Applied != 0 || got.Done != len(seen) {
		t.Errorf("a replay of what is there: got %+v, want nothing applied", got)
	}
}

// storeIn gives the journal a schema of the database of the tests, and lets the refused key pass.
func storeIn(t *testing.T, j *journalPlatform) {
	t.Helper()
	if !storetest.Postgres() {
		t.Fatal("MILLRACE_TEST_POSTGRES names no database: make test-postgres")
	}
	j.dsn, j.refuses = storetest.Schema(t, j.data), filepath.Join(t.TempDir(), "none")
}

// epochs are those of the progress rows: another one each time a partition is taken.
func (p *platform) epochs(t testing.TB) (text string) {
	t.Helper()
	l := &ledger{t: t, platform: p}
	l.query("SELECT consumer || ' ' || partition || ' ' || epoch FROM progress WHERE consumer = 'journal' ORDER BY partition", func(rows *sql.Rows) error {
		var row string
		err := rows.Scan(&row)
		text += row + "\n"
		return err
	})
	return text
}

// failsWith fails the test unless the process ends with status 1 and says the text.
func (p *process) failsWith(t testing.TB, text string) {
	t.Helper()
	if p.ends(1); !strings.Contains(p.stderr.String(), text) {
		t.Errorf("got %q, want %q in it", p.tail(), text)
	}
}
