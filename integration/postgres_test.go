//go:build unix && postgres

package integration_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prantikov/millrace/store/storetest"
)

// sharing is processes with a data directory each that share the store of a platform.
func sharing(t testing.TB, p *platform, processes int) []*platform {
	t.Helper()
	all := []*platform{p}
	for range processes - 1 {
		other := *p
		other.data = filepath.Join(t.TempDir(), "data")
		p.beside = append(p.beside, other.data)
		all = append(all, &other)
	}
	return all
}

// newSharedPlatform has its store in a schema of the database of the tests.
func newSharedPlatform(t testing.TB, b *broker, over settings) *platform {
	t.Helper()
	if !storetest.Postgres() {
		t.Fatal("MILLRACE_TEST_POSTGRES names no database: make test-postgres")
	}
	p := newPlatform(t, b, over)
	p.dsn = storetest.Schema(t, p.data)
	return p
}

// Ensure three processes that share a PostgreSQL, killed and started again at random under load, have every effect exactly once. Each starts at
// the same time as the others, so the tables are made by one of them while the others wait.
func TestPostgresSharedByProcessesThatAreKilled(t *testing.T) {
	t.Parallel()
	const processes = 3
	kills := 6
	if soak() {
		kills = 60
	}
	for _, rebalance := range []string{"eager", "cooperative"} {
		t.Run(rebalance, func(t *testing.T) {
			t.Parallel()
			seed := uint64(time.Now().UnixNano())
			random := rand.New(rand.NewPCG(seed, 0))
			p := newSharedPlatform(t, anyBroker(t), settings{"kafka": settings{"rebalance": rebalance}})
			p.provision(t)
			all := sharing(t, p, processes)
			load := startLoad(t, p)
			runs := make([]*process, processes)
			for i, one := range all {
				runs[i] = one.start(t, "run")
			}
			for _, run := range runs {
				run.http()
			}
			for range kills {
				before := p.written(t)
				eventually(t, "the consumers move", func() bool { return p.written(t) > before })
				load.more(t, random.Int64N(1500))
				i := random.IntN(processes)
				runs[i].kill()
				load.more(t, random.Int64N(500))
				runs[i] = all[i].start(t, "run")
			}
			// A killed member holds its partitions until its session is over, and what waits behind it is to be shared.
			eventually(t, "every process has partitions", func() bool { return p.members(t, "orders") == processes })
			sent := load.stop(t)
			for i, run := range runs {
				run.http()
				run.signal(syscall.SIGTERM)
				run.ends(0)
				if strings.Contains(run.stderr.String(), "one process's") {
					t.Errorf("process %d: got the rule of SQLite, want none on PostgreSQL", i)
				}
			}
			// Each cuts at its start what a kill left in its files.
			for _, one := range all {
				one.finish(t)
			}
			l := settle(t, p).report(fmt.Sprintf("%s, %d processes, %d kills, %d events, seed %d", rebalance, processes, kills, sent, seed))
			if len(l.log) != sent {
				t.Errorf("got %d records on the log, want the %d that were sent", len(l.log), sent)
			}
		})
	}
}
