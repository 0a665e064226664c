//go:build unix

package integration_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Ensure one data directory has one run, while everything that only reads works beside it.
func TestSecondRunOnTheSameDataIsRefused(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, anyBroker(t), nil)
	run := p.start(t, "run")
	run.http()

	p.execute(t, "run").failsInOneSentence("data directory", p.data, "in use")
	for _, command := range []string{"counts", "analytics rates", "lag", "routes", "dlq list", "dlq list --summary", "topics plan", "config show", "config validate", "version"} {
		p.execute(t, strings.Fields(command)...).ends(0)
	}
	run.signal(syscall.SIGTERM)
	run.ends(0)
	p.finish(t) // the lock went with the process
}

// Ensure a kill leaves no lock behind.
func TestKilledRunLeavesNoLock(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, anyBroker(t), nil)
	run := p.start(t, "run")
	run.http()
	run.kill()
	p.finish(t)
}

// Ensure a second process with another data directory on the same groups takes nothing away from the first: its consumers stop and say
// why.
func TestSecondProcessOfTheSameGroupsStops(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, anyBroker(t), nil)
	p.provision(t)
	load := startLoad(t, p)
	run := p.start(t, "run")
	underLoad(t, p, run)
	for consumer := range p.groups {
		eventually(t, consumer+" has its group", func() bool { return p.members(t, consumer) == 1 })
	}

	other := *p
	other.data = filepath.Join(t.TempDir(), "data")
	second := other.start(t, "run")
	second.ends(1)
	verdict := strings.Split(second.verdict(), "\n")
	for consumer := range p.groups {
		if !slices.ContainsFunc(verdict, func(line string) bool {
			return strings.HasPrefix(line, fmt.Sprintf("consumer %q: ", consumer)) && strings.Contains(line, "another process runs this consumer")
		}) {
			t.Errorf("got %q, want the sentence on one process for %s", verdict, consumer)
		}
	}
	if written := other.written(t); written != 0 {
		t.Errorf("the second process wrote %d bytes to its archive, want none", written)
	}

	underLoad(t, p, run)
	sent := load.stop(t)
	run.signal(syscall.SIGTERM)
	run.ends(0)
	p.finish(t)
	settle(t, p).report(fmt.Sprintf("a second process, %d events", sent)).wantDeadLettersOnce()
}

// Ensure the data directory is its owner's alone.
func TestDataDirectoryIsTheOwnersAlone(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, anyBroker(t), nil)
	p.provision(t)
	made := p.load()
	var records []*kgo.Record
	for range 100 {
		records = append(records, made.next())
	}
	p.produce(t, records...)
	p.finish(t)
	for _, name := range append(p.files(t, "."), p.data) {
		mode := modeOf(t, name)
		if mode.Perm()&0o077 != 0 {
			t.Errorf("%s: got mode %o, want nothing for others", name, mode.Perm())
		}
	}
	var lag []struct{ Lag int64 }
	if err := json.Unmarshal([]byte(p.execute(t, "lag", "-o", "json").ends(0).stdout.String()), &lag); err != nil {
		t.Fatal(err)
	}
	for _, row := range lag {
		if row.Lag != 0 {
			t.Errorf("got lag %d, want 0", row.Lag)
		}
	}
}
