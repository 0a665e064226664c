//go:build unix && postgres

package integration_test

import (
	"fmt"
	"maps"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// server is a PostgreSQL that a test stops.
type server struct{ port, address string }

// ownServer starts one, whose data goes when the test ends.
func ownServer(t testing.TB) *server {
	t.Helper()
	s := &server{port: freePort(t)}
	t.Cleanup(func() { s.command(t, "clean") })
	s.address = strings.TrimSpace(s.command(t, "up"))
	return s
}

// command runs the script that developers use.
func (s *server) command(t testing.TB, name string) (output string) {
	t.Helper()
	command := exec.Command("scripts/postgres.sh", name)
	command.Dir = ".."
	command.Env = append(command.Environ(), "POSTGRES_PORT="+s.port)
	text, err := command.Output()
	if err != nil {
		t.Fatalf("postgres.sh %s: %v", name, err)
	}
	return string(text)
}

// Ensure a PostgreSQL that is away for a while, under load, costs nothing: the consumers take and acknowledge nothing more, no record is
// given up for it, and work goes on by itself.
func TestPostgresAwayUnderLoad(t *testing.T) {
	t.Parallel()
	away := 15 * time.Second
	if soak() {
		away = 2 * time.Minute
	}
	for _, how := range []string{"down", "kill"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			s := ownServer(t)
			p := newPlatform(t, anyBroker(t), nil)
			p.dsn = s.address
			p.provision(t)
			load := startLoad(t, p)
			run := p.start(t, "run")
			underLoad(t, p, run)

			s.command(t, how)
			// What was finished before is still committed.
			stands := p.committed(t, "orders")
			eventually(t, "nothing more is acknowledged", func() bool {
				load.more(t, 1000)
				before := stands
				stands = p.committed(t, "orders")
				return maps.Equal(before, stands)
			})
			throughout(t, away, "the process lives, and acknowledges nothing", func() bool {
				return run.running() && maps.Equal(stands, p.committed(t, "orders"))
			})
			if soak() {
				run.says("what the consumer needs is away; it is held")
			}
			s.command(t, "up")

			underLoad(t, p, run)
			load.more(t, 500)
			sent := load.stop(t)
			run.signal(syscall.SIGTERM)
			run.ends(0)
			p.finish(t)
			// A bad record may have two dead letters, where a machine was so busy that the answer to the first one never came or the member lost its
			// partition; a good one has none.
			settle(t, p).report(fmt.Sprintf("PostgreSQL %s for %s, %d events", how, away, sent))
		})
	}
}

// Ensure a PostgreSQL that is away at the start is one sentence that does not have the password in it.
func TestPostgresAwayAtStart(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, anyBroker(t), nil)
	p.dsn = "postgres://millrace:canary@127.0.0.1:" + freePort(t) + "/millrace"
	run := p.execute(t, "run")
	run.failsInOneSentence("postgres://127.0.0.1", "cannot be reached")
	if strings.Contains(run.stderr.String(), "canary") {
		t.Error("got the password on stderr")
	}
	p.execute(t, "counts").failsInOneSentence("postgres://127.0.0.1", "cannot be reached")
	shown := p.execute(t, "config", "show", "-o", "json").ends(0)
	if strings.Contains(shown.stdout.String()+shown.stderr.String(), "canary") {
		t.Error("got the password in what config show prints")
	}
}
