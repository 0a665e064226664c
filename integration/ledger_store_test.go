//go:build unix

package integration_test

import (
	"database/sql"
	"path/filepath"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	_ "modernc.org/sqlite" // the store is read as anybody could
)

// domain compares the entities of one topic with the last good event of each.
func (l *ledger) domain(journey *journey, letters map[letterKey]int) row {
	l.t.Helper()
	topic := l.platform.topics[journey.topic]
	good := l.good(topic)
	r := row{consumer: journey.consumer, expected: len(good)}
	r.given(l, letters, topic)
	last := map[string]position{} // by entity; one key is always on one partition
	events := map[string]int{}
	for at, record := range good {
		id := string(record.Key)
		events[id]++
		if before, had := last[id]; !had || at.offset > before.offset {
			last[id] = at
		}
	}
	found := l.entities(journey.event)
	for id, at := range last {
		want, _ := header(good[at], headerEvent)
		got, is := found[id]
		switch {
		case is && got.at == at && got.action+" "+got.status == want && string(good[at].Value) == got.body:
			r.done += events[id]
		default:
			r.lost += events[id]
			l.t.Errorf("%s: entity %s is %+v, want %s of %s", journey.consumer, id, got, want, at)
		}
		delete(found, id)
	}
	r.beside += len(found)
	l.history(journey, good)
	return r
}

// history compares the changes of one topic's entities with its good events: each has made one.
func (l *ledger) history(journey *journey, good map[position]*kgo.Record) {
	l.t.Helper()
	changes := map[position]int{}
	l.query("SELECT topic, partition, record_offset FROM entity_history WHERE type = $1", func(rows *sql.Rows) error {
		var at position
		err := rows.Scan(&at.topic, &at.partition, &at.offset)
		changes[at]++
		return err
	}, journey.event)
	for at := range good {
		if changes[at] != 1 {
			l.t.Errorf("%s: %s made %d changes, want 1", journey.consumer, at, changes[at])
		}
	}
	if len(changes) != len(good) {
		l.t.Errorf("%s: got changes of %d records, want %d", journey.consumer, len(changes), len(good))
	}
}

// entity is what the store has of one.
type entity struct {
	at                   position
	status, action, body string
}

// query runs a query on the store beside the program.
func (l *ledger) query(query string, each func(*sql.Rows) error, arguments ...any) {
	l.t.Helper()
	driver, source := "sqlite", "file:"+filepath.Join(l.platform.data, "store.db")+"?mode=ro&_pragma=busy_timeout(10000)"
	if l.platform.dsn != "" {
		driver, source = "pgx", l.platform.dsn
	}
	database, err := sql.Open(driver, source)
	if err != nil {
		l.t.Fatal(err)
	}
	defer database.Close()
	rows, err := database.QueryContext(l.t.Context(), query, arguments...)
	if err != nil {
		l.t.Fatalf("reading the store: %v", err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows); err != nil {
			l.t.Fatalf("reading the store: %v", err)
		}
	}
	if err := rows.Err(); err != nil {
		l.t.Fatalf("reading the store: %v", err)
	}
}

func (l *ledger) entities(event string) map[string]entity {
	found := map[string]entity{}
	l.query("SELECT id, status, action, body, topic, partition, record_offset FROM entities WHERE type = $1", func(rows *sql.Rows) error {
		var id string
		var e entity
		err := rows.Scan(&id, &e.status, &e.action, &e.body, &e.at.topic, &e.at.partition, &e.at.offset)
		found[id] = e
		return err
	}, event)
	return found
}

// counts compares the counts of analytics with the good events: a day, topic, action and status has as many as there are.
func (l *ledger) counts(letters map[letterKey]int) row {
	l.t.Helper()
	r := row{consumer: "analytics", expected: len(l.good())}
	r.given(l, letters, l.platform.names()...)
	want := map[string]int{}
	for at, record := range l.good() {
		event, _ := header(record, headerEvent)
		want[strings.Join([]string{record.Timestamp.UTC().Format(time.DateOnly), at.topic, event}, " ")]++
	}
	l.query("SELECT day, topic, action, status, events FROM event_counts", func(rows *sql.Rows) error {
		var day, topic, action, status string
		var events int
		err := rows.Scan(&day, &topic, &action, &status, &events)
		expected := want[strings.Join([]string{day, topic, action, status}, " ")]
		delete(want, strings.Join([]string{day, topic, action, status}, " "))
		r.done += min(events, expected)
		r.lost += max(expected-events, 0)
		r.doubled += max(events-expected, 0)
		return err
	})
	for _, missing := range want {
		r.lost += missing
	}
	return r
}

// counted is how many events analytics has counted in all.
func (l *ledger) counted() int {
	events := 0
	l.query("SELECT coalesce(sum(events), 0) FROM event_counts", func(rows *sql.Rows) error { return rows.Scan(&events) })
	return events
}
