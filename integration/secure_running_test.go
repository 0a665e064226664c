//go:build unix && kafka_secure

package integration_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// testRightsTakenAway takes rights away from a program that runs under load: it says so once, goes on trying without a storm, and goes on
// where it was when the right is given again. Nothing is lost.
func testRightsTakenAway(t *testing.T, k *secured) {
	p := newPlatform(t, k.broker, k.plain(t))
	rights := p.rights(t)
	k.give(t, rights...)
	p.provision(t)
	l := startLoad(t, p)
	run := p.start(t, "run")
	underLoad(t, p, run)
	for _, taken := range []right{
		{Resource: "Topic", Name: p.topics["order-events"], Operation: "Read"},
		{Resource: "Group", Name: p.groups["archive"], Operation: "Read"},
		{Resource: "Topic", Name: p.topics["order-events"] + "-dlt", Operation: "Write"},
	} {
		taken.Principal = rights[0].Principal
		if !slices.Contains(rights, taken) {
			t.Fatalf("got no right %s in %v", taken, rights)
		}
		before := len(run.stderr.String())
		k.take(t, taken)
		eventually(t, "an alarm names "+taken.String(), func() bool { return names(run.stderr.String()[before:], taken) || !run.running() })
		l.more(t, 500)
		k.give(t, taken)
		eventually(t, "the alarms of "+taken.String()+" are over", func() bool { return noAlarms(t, p) || !run.running() })
		if !run.running() {
			t.Fatalf("the process ended; stderr:\n%s", run.tail())
		}
		// The load's bad records are given up all along, each with its line.
		said, lines := messagesOf(run.stderr.String()[before:]), 0
		for text, count := range said {
			if text != "ERROR record given up" {
				lines += count
			}
		}
		if lines > 50 {
			t.Errorf("%s: got %d lines of log, want no storm: %v", taken, lines, said)
		}
	}
	sent := l.stop(t)
	eventually(t, "everything is done", func() bool { return p.through(t) || !run.running() })
	run.signal(syscall.SIGTERM)
	run.ends(0)
	if log := settle(t, p).report("rights taken away"); len(log.log) != sent {
		t.Errorf("got %d records on the log, want %d", len(log.log), sent)
	}
}

// names says whether a log line of an alarm has the right in it.
func names(log string, r right) bool {
	for line := range strings.Lines(log) {
		var attributes map[string]any
		if json.Unmarshal([]byte(line), &attributes) != nil || attributes["level"] != "ERROR" {
			continue
		}
		for _, value := range attributes {
			if text, ok := value.(string); ok && strings.Contains(text, r.String()) {
				return true
			}
		}
	}
	return false
}

// messagesOf counts the log's lines by what they say.
func messagesOf(log string) map[string]int {
	counts := map[string]int{}
	for line := range strings.Lines(log) {
		var attributes map[string]any
		if json.Unmarshal([]byte(line), &attributes) == nil {
			counts[fmt.Sprint(attributes["level"], " ", attributes["msg"])]++
		}
	}
	return counts
}

// noAlarms asks the process that runs whether it has none.
func noAlarms(t testing.TB, p *platform) bool {
	t.Helper()
	status := p.execute(t, "status")
	return status.wait() == 0 && strings.Contains(status.stdout.String(), "no alarm")
}
