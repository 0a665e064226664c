//go:build unix

package integration_test

import (
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Ensure a Kafka that is away for a while, under load, costs nothing: no dead letter, nothing lost, and work goes on by itself. The process
// stays healthy all along, for a restart would not bring Kafka back.
func TestKafkaAwayUnderLoad(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name        string // how it goes away
		leave, back func(*testing.T, *broker)
	}{
		{"hangs", func(t *testing.T, b *broker) { b.freeze(t) }, func(t *testing.T, b *broker) { b.thaw(t) }},
		{"is killed", func(_ *testing.T, b *broker) { b.kill() }, func(t *testing.T, b *broker) { b.start(t) }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := ownBroker(t)
			b.start(t)
			p := newPlatform(t, b, nil)
			p.provision(t)
			load := startLoad(t, p)
			run := p.start(t, "run")
			underLoad(t, p, run)
			test.leave(t, b)
			throughout(t, outage(), "the process lives and is healthy", func() bool { return run.running() && healthy(t, run) })
			test.back(t, b)
			underLoad(t, p, run)
			load.more(t, 500)
			sent := load.stop(t)
			run.signal(syscall.SIGTERM)
			run.ends(0)
			p.finish(t)
			settle(t, p).report(fmt.Sprintf("Kafka %s for %s, %d events", test.name, outage(), sent))
		})
	}
}

// Ensure a store that another connection holds for a while, under load, costs nothing either.
func TestStoreLockedUnderLoad(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, anyBroker(t), nil)
	p.provision(t)
	load := startLoad(t, p)
	run := p.start(t, "run")
	underLoad(t, p, run)
	unlock := lockStore(t, p)
	throughout(t, outage(), "the process lives", run.running)
	unlock()
	underLoad(t, p, run)
	load.more(t, 500)
	sent := load.stop(t)
	run.signal(syscall.SIGTERM)
	run.ends(0)
	p.finish(t)
	settle(t, p).report(fmt.Sprintf("the store locked for %s, %d events", outage(), sent)).wantDeadLettersOnce()
}

// lockStore takes the store's file for itself, as another program could.
func lockStore(t *testing.T, p *platform) (unlock func()) {
	t.Helper()
	database, err := sql.Open("sqlite", "file:"+filepath.Join(p.data, "store.db")+"?_pragma=busy_timeout(60000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = database.Close() })
	connection, err := database.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := connection.ExecContext(t.Context(), "BEGIN EXCLUSIVE"); err != nil {
		t.Fatalf("locking the store: %v", err)
	}
	return func() {
		if _, err := connection.ExecContext(t.Context(), "ROLLBACK"); err != nil {
			t.Fatalf("unlocking the store: %v", err)
		}
	}
}

// Ensure a store that is locked at the start is one clear sentence, after a while.
func TestStoreLockedAtStart(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, anyBroker(t), nil)
	p.finish(t)
	unlock := lockStore(t, p)
	p.execute(t, "run").failsInOneSentence("store.db", "locked")
	unlock()
	p.finish(t)
}

// Ensure a store that cannot be used is one clear sentence at the start, and that nothing is taken from Kafka then.
func TestStoreThatCannotBeUsedAtStart(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		spoil func(t *testing.T, file string)
		want  string
	}{
		{"damaged", func(t *testing.T, file string) {
			content, err := os.ReadFile(file)
			for at := 4096; at < len(content); at += 4096 {
				content[at] ^= 0xff
			}
			if err := errors.Join(err, os.WriteFile(file, content, 0o600)); err != nil {
				t.Fatal(err)
			}
		}, "restore it from a backup, or move it away"},
		{"read-only", func(t *testing.T, file string) {
			if err := os.Chmod(file, 0o400); err != nil {
				t.Fatal(err)
			}
		}, "the file is read-only"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := newPlatform(t, anyBroker(t), nil)
			p.provision(t)
			made := p.load()
			p.produce(t, made.next(), made.next())
			p.finish(t)
			before := p.committed(t, "orders")
			p.produce(t, made.next(), made.next(), made.next(), made.next())
			test.spoil(t, filepath.Join(p.data, "store.db"))
			p.execute(t, "run").failsInOneSentence("store.db", test.want)
			if got := p.committed(t, "orders"); !maps.Equal(got, before) {
				t.Errorf("positions: got %v, want %v as before", got, before)
			}
		})
	}
}

// Ensure a broker that is away at the start is waited for.
func TestKafkaAwayAtStartIsWaitedFor(t *testing.T) {
	t.Parallel()
	b := ownBroker(t)
	p := newPlatform(t, b, nil)
	run := p.start(t, "run", "--wait", "5m")
	throughout(t, time.Second, "the process waits", run.running)
	b.start(t)
	run.http()
	run.signal(syscall.SIGTERM)
	run.ends(0)
}

// Ensure a stop is obeyed while a broker is waited for.
func TestStoppedWhileKafkaIsWaitedFor(t *testing.T) {
	t.Parallel()
	run := newPlatform(t, ownBroker(t), nil).start(t, "run", "--wait", "5m")
	throughout(t, time.Second, "the process waits", run.running)
	run.signal(syscall.SIGTERM)
	run.ends(0)
}

// Ensure a broker that cannot be reached is one sentence that names the setting.
func TestUnreachableKafkaIsOneSentence(t *testing.T) {
	t.Parallel()
	address := "127.0.0.1:" + freePort(t)
	for _, command := range []string{"run --wait 1s", "lag", "topics plan", "dlq list"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			arguments := append(strings.Fields(command), "--brokers", address, "--data-dir", filepath.Join(t.TempDir(), "data"))
			p := execute(t, []string{"MILLRACE_KAFKA_WAIT=1s"}, arguments...)
			p.failsInOneSentence("kafka.brokers", "--brokers", address, "connection refused")
			if lines := strings.Count(p.stderr.String(), "\n"); lines != 1 {
				t.Errorf("got %d lines on stderr, want 1:\n%s", lines, p.stderr.String())
			}
		})
	}
}
