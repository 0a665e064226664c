//go:build unix

package integration_test

import (
	"database/sql"
	"path/filepath"
	"slices"
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

// counts compares the counts of analytics with the good events: a day, topic, action and status has as many as there are, in all and over
// all counterparts. The journeys have their times.
func (l *ledger) counts(letters map[letterKey]int) row {
	l.t.Helper()
	r := row{consumer: "analytics", expected: len(l.good())}
	r.given(l, letters, l.platform.names()...)
	r.counted(l, "SELECT day, topic, action, status, events FROM event_counts")
	each := row{}
	each.counted(l, "SELECT day, topic, action, status, sum(events) FROM counterpart_counts GROUP BY day, topic, action, status")
	if each.done != r.expected || each.lost != 0 || each.doubled != 0 {
		l.t.Errorf("analytics: of each counterpart got %d, %d lost, %d doubled, want %d", each.done, each.lost, each.doubled, r.expected)
	}
	l.times()
	return r
}

// counted enters the counts that a query finds.
func (r *row) counted(l *ledger, query string) {
	l.t.Helper()
	want := map[string]int{}
	for at, record := range l.good() {
		event, _ := header(record, headerEvent)
		want[strings.Join([]string{record.Timestamp.UTC().Format(time.DateOnly), at.topic, event}, " ")]++
	}
	l.query(query, func(rows *sql.Rows) error {
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
}

// stepColumns are where the journeys have the time of an action or of a status.
var stepColumns = [...]struct {
	column string
	words  []string
}{
	{"created_at", []string{"created"}}, {"confirmed_at", []string{"confirmed"}}, {"shipped_at", []string{"shipped"}},
	{"completed_at", []string{"completed", "delivered"}}, {"cancelled_at", []string{"cancelled", "inactive"}},
}

// times compares the journeys of analytics with the good events: each step has the earliest time of those that say it.
func (l *ledger) times() {
	l.t.Helper()
	want := map[string]int64{} // by type, id and column
	for i := range journeys {
		for _, record := range l.good(l.platform.topics[journeys[i].topic]) {
			event, _ := header(record, headerEvent)
			for _, step := range stepColumns {
				key, at := strings.Join([]string{journeys[i].event, string(record.Key), step.column}, " "), record.Timestamp.UnixMilli()
				reached := slices.ContainsFunc(strings.Fields(event), func(word string) bool { return slices.Contains(step.words, word) })
				if before, had := want[key]; reached && journeys[i].event != "HealthRecordEvent" && (!had || at < before) {
					want[key] = at
				}
			}
		}
	}
	for _, step := range stepColumns {
		l.query("SELECT type, id, "+step.column+" FROM journeys WHERE "+step.column+" IS NOT NULL", func(rows *sql.Rows) error {
			var kind, id string
			var at int64
			err := rows.Scan(&kind, &id, &at)
			key := strings.Join([]string{kind, id, step.column}, " ")
			if want[key] != at {
				l.t.Errorf("analytics: %s is %d, want %d", key, at, want[key])
			}
			delete(want, key)
			return err
		})
	}
	if len(want) != 0 {
		l.t.Errorf("analytics: %d steps are in no journey", len(want))
	}
}

// counted is how many events analytics has counted in all.
func (l *ledger) counted() int {
	events := 0
	l.query("SELECT coalesce(sum(events), 0) FROM event_counts", func(rows *sql.Rows) error { return rows.Scan(&events) })
	return events
}
