//go:build unix

package integration_test

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/prantikov/millrace/store/storetest"
)

// Ensure another process reads the figures while the program writes them, and that they are those of the log in the end. On PostgreSQL it has a
// data directory of its own.
func TestFiguresAreReadBesideTheProgram(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, anyBroker(t), nil)
	beside := *p
	if storetest.Postgres() {
		p.dsn = storetest.Schema(t, p.data)
		beside.dsn, beside.data = p.dsn, filepath.Join(t.TempDir(), "data")
	}
	p.provision(t)
	load := startLoad(t, p)
	run := p.start(t, "run", "--consumers", "analytics,appointments")
	before := 0
	for range 5 {
		now := 0
		eventually(t, "the figures grow", func() bool { now = beside.created(t); return now > before })
		before = now
		beside.execute(t, "analytics", "durations").ends(0)
		beside.execute(t, "analytics", "overdue", "--by", "doctor").ends(0)
	}
	load.stop(t)
	want := map[string]bool{} // an entity whose creation is one of the bad records has its other events
	for _, r := range (&ledger{t: t, platform: p, log: p.broker.read(t, p.names()...)}).good() {
		if r.Topic != p.topics["health-record-events"] {
			want[r.Topic+" "+string(r.Key)] = true
		}
	}
	eventually(t, "all entities are in the figures", func() bool { return beside.created(t) == len(want) })
	run.kill()
}

// created is how many entities the rates are of.
func (p *platform) created(t testing.TB) int {
	t.Helper()
	var rates []struct {
		Created int `json:"created"`
	}
	if err := json.Unmarshal([]byte(p.execute(t, "analytics", "rates", "-o", "json").ends(0).stdout.String()), &rates); err != nil {
		t.Fatalf("reading the rates: %v", err)
	}
	sum := 0
	for _, r := range rates {
		sum += r.Created
	}
	return sum
}
