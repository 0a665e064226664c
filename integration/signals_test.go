//go:build unix

package integration_test

import (
	"database/sql"
	"fmt"
	"maps"
	"syscall"
	"testing"
)

// Ensure a clean stop in the middle of work commits all that is finished: a restart repeats nothing, not even a dead letter.
func TestStoppedUnderLoadNothingIsRepeated(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, anyBroker(t), nil)
	p.provision(t)
	load := startLoad(t, p)
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		run := p.start(t, "run")
		underLoad(t, p, run)
		eventually(t, "every consumer is at work", func() bool { return p.allAtWork(t) })
		load.more(t, 500)
		run.signal(signal)
		run.ends(0)
		p.wantNothingToRepeat(t)
	}
	sent := load.stop(t)
	p.finish(t)
	l := settle(t, p).report(fmt.Sprintf("2 clean stops, %d events", sent))
	l.wantDeadLettersOnce()
}

// allAtWork says whether every group has committed that something is finished.
func (p *platform) allAtWork(t *testing.T) bool {
	t.Helper()
	for consumer := range p.groups {
		finished := int64(0)
		for _, position := range p.committed(t, consumer) {
			finished += position
		}
		if finished == 0 {
			return false
		}
	}
	return true
}

// wantNothingToRepeat compares what the groups have committed with what the store knows to be finished: a record between the two would be
// handed out again.
func (p *platform) wantNothingToRepeat(t *testing.T) {
	t.Helper()
	finished := map[string]map[string]int64{}
	(&ledger{t: t, platform: p}).query("SELECT consumer, topic, partition, frontier FROM progress", func(rows *sql.Rows) error {
		var consumer, topic string
		var partition int32
		var frontier int64
		err := rows.Scan(&consumer, &topic, &partition, &frontier)
		if finished[consumer] == nil {
			finished[consumer] = map[string]int64{}
		}
		finished[consumer][fmt.Sprintf("%s/%d", topic, partition)] = frontier
		return err
	})
	if len(finished) != len(p.groups) {
		t.Errorf("got progress of %d consumers, want %d", len(finished), len(p.groups))
	}
	for consumer, want := range finished {
		got := p.committed(t, consumer)
		maps.DeleteFunc(got, func(partition string, at int64) bool {
			_, begun := want[partition]
			return at == 0 && !begun // the stop came before its first record
		})
		if !maps.Equal(got, want) {
			t.Errorf("%s: got committed positions %v, want those that are finished, %v", consumer, got, want)
		}
	}
}

// wantDeadLettersOnce fails the test when a record was dead-lettered twice by one consumer.
func (l *ledger) wantDeadLettersOnce() {
	l.t.Helper()
	for key, count := range l.deadLetters() {
		if count != 1 {
			l.t.Errorf("%s of %s: got %d dead letters, want 1", key.position, key.consumer, count)
		}
	}
}

// Ensure a second signal ends the process at once, also when the first one waits for a broker that does not answer.
func TestSecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			b := ownBroker(t)
			b.start(t)
			p := newPlatform(t, b, nil)
			p.provision(t)
			load := startLoad(t, p)
			run := p.start(t, "run")
			underLoad(t, p, run)
			b.freeze(t)
			run.signal(signal)
			run.says("stopping")
			run.signal(signal)
			run.ends(1)
			b.thaw(t)
			load.stop(t)
		})
	}
}

// Ensure a process that stood still for longer than its groups' sessions writes nothing that another may have written since, and goes on.
func TestFrozenForLongerThanTheSessionNothingIsDoubled(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, anyBroker(t), nil)
	p.provision(t)
	load := startLoad(t, p)
	run := p.start(t, "run")
	underLoad(t, p, run)
	load.more(t, 500)
	run.signal(syscall.SIGSTOP)
	for consumer := range p.groups {
		eventually(t, "the group "+consumer+" gives the member up", func() bool { return p.members(t, consumer) == 0 })
	}
	run.signal(syscall.SIGCONT)
	underLoad(t, p, run)
	load.more(t, 500)
	sent := load.stop(t)
	run.signal(syscall.SIGTERM)
	run.ends(0)
	p.finish(t)
	settle(t, p).report(fmt.Sprintf("1 freeze, %d events", sent))
}
