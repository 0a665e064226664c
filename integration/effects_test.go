//go:build unix

package integration_test

import (
	"database/sql"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// whereKept is where a sink's effects are, which decides what a kill leaves.
type whereKept int

const (
	inStore whereKept = iota
	inFiles
	outsideOfBoth
)

// sink is one consumer with effects.
type sink struct {
	consumer string
	journey  *journey
	kept     whereKept
	// row compares the effects with the log when all is done.
	row func(l *ledger) row
	// count is how many effects are there, at any time.
	count func(l *ledger) int
}

// sinks are all that keep what they do in the store or in files, and a plugin's that does neither. Notification's channels have tests of their own.
func sinks() []sink {
	var all []sink
	for i := range journeys {
		j := &journeys[i]
		all = append(all, sink{
			consumer: j.consumer, journey: j, kept: inStore,
			row: func(l *ledger) row { return l.domain(j, nil) },
			count: func(l *ledger) int {
				return l.number("SELECT count(*) FROM entity_history WHERE type = '" + j.event + "'")
			},
		})
	}
	orders := &journeys[2]
	for _, consumer := range []string{"notification", "logging", "archive", ownFiles, ownOutside} {
		s := sink{
			consumer: consumer, journey: orders, kept: inFiles,
			row:   func(l *ledger) row { return l.lines(consumer, l.log, nil) },
			count: func(l *ledger) int { return len(l.texts(consumer)) },
		}
		switch consumer {
		case "archive":
			s.row = func(l *ledger) row { return l.archive(nil) }
		case ownOutside:
			s.kept = outsideOfBoth
		}
		all = append(all, s)
	}
	return append(all,
		sink{
			consumer: "analytics", journey: orders, kept: inStore,
			row: func(l *ledger) row { return l.counts(nil) }, count: (*ledger).counted,
		},
		sink{
			consumer: ownStatements, journey: orders, kept: inStore, row: (*ledger).ownEntries,
			count: func(l *ledger) int { return l.number("SELECT count(*) FROM own_entries") },
		},
	)
}

// number is the one that a query finds.
func (l *ledger) number(query string) (found int) {
	l.t.Helper()
	l.query(query, func(rows *sql.Rows) error { return rows.Scan(&found) })
	return found
}

// ownEntries compares the table of the plugin's statements with the log.
func (l *ledger) ownEntries() row {
	r := row{consumer: ownStatements, expected: len(l.log)}
	times := map[position]int{}
	l.query("SELECT topic, partition, position FROM own_entries", func(rows *sql.Rows) error {
		var at position
		err := rows.Scan(&at.topic, &at.partition, &at.offset)
		times[at]++
		return err
	})
	for at := range maps.Keys(l.log) {
		r.done += min(times[at], 1)
		r.lost += max(1-times[at], 0)
		r.doubled += max(times[at]-1, 0)
	}
	return r
}

// effects is a platform for one sink, on which the program of the tests works.
type effects struct {
	*platform
	sink sink
	made int
}

func newEffects(t *testing.T, s sink) *effects {
	t.Helper()
	p := newPlatform(t, anyBroker(t), settings{
		"topics": settings{"defaults": settings{"partitions": 1}},
		// The next process takes the place of the killed one at once.
		"kafka": settings{"instance_id": "one", "commit_interval": "50ms"},
	})
	consumers := settings{}
	for _, own := range []string{ownStatements, ownFiles, ownOutside} {
		p.groups[own] = "own-" + p.word + "-" + own
		consumers[own] = settings{"group": p.groups[own]}
	}
	p.rewrite(t, settings{"consumers": consumers})
	return &effects{platform: p, sink: s}
}

// run starts the program with the one consumer, to be killed at a point where one is named.
func (e *effects) run(t *testing.T, killed string, more ...string) *process {
	t.Helper()
	return e.command(t, killed, append([]string{"run", "--consumers", e.sink.consumer}, more...)...)
}

func (e *effects) command(t *testing.T, killed string, arguments ...string) *process {
	t.Helper()
	return startProgram(t, os.Args[0], []string{effectsFolder + "=" + e.data, effectsKilled + "=" + killed}, e.arguments(arguments...)...)
}

// send produces the next event of one entity.
func (e *effects) send(t *testing.T) {
	t.Helper()
	at := e.sink.journey.steps[e.made]
	e.made++
	id := e.sink.journey.prefix + "-" + e.word
	e.produce(t, &kgo.Record{
		Topic: e.sink.journey.topic, Key: []byte(id), Value: e.sink.journey.value(id, at), Timestamp: now(),
		Headers: []kgo.RecordHeader{{Key: headerEvent, Value: []byte(at.action + " " + at.status)}},
	})
}

// topic is the one of the sink's events.
func (e *effects) topic() string { return e.topics[e.sink.journey.topic] }

// passed is how far the group is.
func (e *effects) passed(t *testing.T) int64 { return e.committed(t, e.sink.consumer)[e.topic()+"/0"] }

// ledger is the log of the sink's topic beside its effects.
func (e *effects) ledger(t *testing.T) *ledger {
	t.Helper()
	return &ledger{t: t, platform: e.platform, log: e.broker.read(t, e.topic())}
}

// effects is how many are there.
func (e *effects) effects(t *testing.T) int {
	t.Helper()
	if _, err := os.Stat(filepath.Join(e.data, "store.db")); err != nil && e.sink.kept != outsideOfBoth {
		return 0
	}
	return e.sink.count(&ledger{t: t, platform: e.platform})
}

// wantExactly runs to the end of the log and compares: each record has made its effect once, but for so many that were made again.
func (e *effects) wantExactly(t *testing.T, again int) {
	t.Helper()
	e.run(t, "", "--exit-at-end", "--timeout", patience.String()).ends(0)
	l := e.ledger(t)
	r := e.sink.row(l)
	if r.doubled != again {
		t.Errorf("got %d effects a second time, want %d", r.doubled, again)
	}
	r.doubled = 0
	l.rows = append(l.rows, r)
	l.report(e.sink.consumer)
	if len(l.log) != e.made {
		t.Errorf("got %d records on the log, want the %d that were sent", len(l.log), e.made)
	}
}

// killPoint is where a process is killed, and what that leaves.
type killPoint struct {
	name string
	// itself is where the process does that, by where the effects are; else the parent does when until says so.
	itself map[whereKept]string
	until  func(t *testing.T, e *effects) bool
	// lazy keeps the position from being committed to Kafka.
	lazy bool
	// left is how many effects are there when the process is gone, again how many are made a second time.
	left, again map[whereKept]int
	passed      int64
}

func killPoints() []killPoint {
	return []killPoint{
		{name: "before the effect", itself: map[whereKept]string{inStore: whenHandled, inFiles: whenHandled, outsideOfBoth: whenHanded}},
		{
			name: "after the effect", itself: map[whereKept]string{inStore: whenWritten, inFiles: whenWritten, outsideOfBoth: whenHandled},
			// What is in the database without its commit is not there. A synced line is, until the next start cuts it.
			left: map[whereKept]int{inFiles: 1, outsideOfBoth: 1}, again: map[whereKept]int{outsideOfBoth: 1},
		},
		{
			name: "after the mark", lazy: true,
			until: func(t *testing.T, e *effects) bool { return e.marked(t) == 1 },
			left:  map[whereKept]int{inStore: 1, inFiles: 1, outsideOfBoth: 1}, again: map[whereKept]int{outsideOfBoth: 1},
		},
		{
			name:  "after the commit",
			until: func(t *testing.T, e *effects) bool { return e.passed(t) == 1 },
			left:  map[whereKept]int{inStore: 1, inFiles: 1, outsideOfBoth: 1}, passed: 1,
		},
	}
}

// marked is how far the store says that the sink is; a sink without a unit of work has no mark but its effect.
func (e *effects) marked(t *testing.T) int {
	t.Helper()
	if e.sink.kept == outsideOfBoth {
		return e.effects(t)
	}
	l := &ledger{t: t, platform: e.platform}
	return l.number(fmt.Sprintf("SELECT coalesce(max(frontier), 0) FROM progress WHERE consumer = '%s' AND topic = '%s'", e.sink.consumer, e.topic()))
}

// Ensure kill -9 before the effect, after it, after its mark and after the commit loses nothing of any sink, that nothing of it shows in the store
// and the files, and that what is in neither is repeated only where its position was not committed.
func TestSinkKilled(t *testing.T) {
	t.Parallel()
	for _, s := range sinks() {
		for _, point := range killPoints() {
			t.Run(s.consumer+"/"+point.name, func(t *testing.T) {
				t.Parallel()
				e := newEffects(t, s)
				if point.lazy {
					e.rewrite(t, settings{"kafka": settings{"commit_interval": "1h"}})
				}
				run := e.run(t, point.itself[s.kept])
				run.http()
				e.send(t)
				if point.until != nil {
					eventually(t, point.name, func() bool { return point.until(t, e) || !run.running() })
					run.kill()
				}
				run.ends(-1)
				if got := e.effects(t); got != point.left[s.kept] {
					t.Errorf("got %d effects when the process was gone, want %d", got, point.left[s.kept])
				}
				if got := e.passed(t); got != point.passed {
					t.Errorf("got position %d when the process was gone, want %d", got, point.passed)
				}
				e.send(t)
				e.rewrite(t, settings{"kafka": settings{"commit_interval": "50ms"}})
				e.wantExactly(t, point.again[s.kept])
			})
		}
	}
}

// Ensure a record that is delivered again changes nothing in the store and the files, and that a function without a unit of work has it again.
func TestSinkGivenARecordAgain(t *testing.T) {
	t.Parallel()
	for _, s := range sinks() {
		t.Run(s.consumer, func(t *testing.T) {
			t.Parallel()
			e := newEffects(t, s)
			e.rewrite(t, settings{"kafka": settings{"instance_id": ""}}) // it leaves its group, so that another can move that
			e.command(t, "", "topics", "apply").ends(0)
			e.send(t)
			e.wantExactly(t, 0)
			back := kadm.Offsets{}
			back.Add(kadm.Offset{Topic: e.topic(), Partition: 0, At: 0, LeaderEpoch: -1})
			if err := e.broker.admin(t).CommitAllOffsets(t.Context(), e.groups[s.consumer], back); err != nil {
				t.Fatal(err)
			}
			e.send(t)
			again := 0
			if s.kept == outsideOfBoth {
				again = 1
			}
			e.wantExactly(t, again)
		})
	}
}
