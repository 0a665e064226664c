//go:build unix

package integration_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// ledger is the true log beside what the program made of it.
type ledger struct {
	t        testing.TB
	platform *platform
	log      map[position]*kgo.Record
	rows     []row
}

// row is what became of the log at one consumer.
type row struct {
	consumer              string
	expected, done        int
	lost, doubled, beside int // beside: what nobody expected
	deadLetters           int // distinct records
}

// settle reads the log, compares it with everything the consumers wrote, and logs the table. What is lost or doubled fails the test.
// The load's records are expected as their headers say.
func settle(t testing.TB, p *platform) *ledger {
	t.Helper()
	l := &ledger{t: t, platform: p, log: p.broker.read(t, p.names()...)}
	letters := l.deadLetters()
	for i := range journeys {
		l.rows = append(l.rows, l.domain(&journeys[i], letters))
	}
	l.rows = append(l.rows, l.counts(letters))
	for _, sink := range []string{"notification", "logging"} {
		l.rows = append(l.rows, l.lines(sink, l.good(), letters))
	}
	l.rows = append(l.rows, l.archive(letters))
	return l
}

// report logs the table.
func (l *ledger) report(what string) *ledger {
	l.t.Helper()
	var table strings.Builder
	fmt.Fprintf(&table, "%s: %d records on the log\n%-16s%10s%10s%8s%9s%8s%14s\n", what, len(l.log),
		"consumer", "expected", "done", "lost", "doubled", "beside", "dead letters")
	for _, r := range l.rows {
		fmt.Fprintf(&table, "%-16s%10d%10d%8d%9d%8d%14d\n", r.consumer, r.expected, r.done, r.lost, r.doubled, r.beside, r.deadLetters)
	}
	l.t.Log(table.String())
	for _, r := range l.rows {
		if r.lost != 0 || r.doubled != 0 || r.beside != 0 {
			l.t.Errorf("%s: got %d lost, %d doubled, %d that nobody expected, want none", r.consumer, r.lost, r.doubled, r.beside)
		}
	}
	return l
}

// good are the positions of the events that every consumer must take.
func (l *ledger) good(topics ...string) map[position]*kgo.Record {
	good := map[position]*kgo.Record{}
	for at, r := range l.log {
		_, bad := header(r, headerBad)
		if !bad && (len(topics) == 0 || slices.Contains(topics, at.topic)) {
			good[at] = r
		}
	}
	return good
}

// letterKey is one record that one consumer gave up.
type letterKey struct {
	consumer string
	position
}

// deadLetters are those on the broker, and how often each is there.
func (l *ledger) deadLetters() map[letterKey]int {
	l.t.Helper()
	letters := map[letterKey]int{}
	for at, letter := range l.platform.broker.read(l.t, l.platform.deadLetterNames()...) {
		consumer, original := origin(l.t, letter)
		source, found := l.log[original]
		if !found {
			l.t.Errorf("dead letter %s: got original position %s, want one of the log", at, original)
			continue
		}
		if !sameRecord(letter, source, len(source.Headers)) {
			l.t.Errorf("dead letter %s of %s: got another key, value, timestamp or headers than the record's", at, original)
		}
		letters[letterKey{consumer, original}]++
	}
	return letters
}

// origin reads the headers of a dead letter: who gave the record up, and where it stood. They are Spring's, the numbers in binary.
func origin(t testing.TB, letter *kgo.Record) (consumer string, at position) {
	t.Helper()
	consumer, _ = header(letter, "millrace-consumer")
	topic, _ := header(letter, "kafka_dlt-original-topic")
	partition, _ := header(letter, "kafka_dlt-original-partition")
	offset, _ := header(letter, "kafka_dlt-original-offset")
	number := func(bytes string) (n int64) {
		for _, b := range []byte(bytes) {
			n = n<<8 | int64(b)
		}
		return n
	}
	if len(partition) != 4 || len(offset) != 8 {
		t.Errorf("dead letter %s: got %d and %d bytes of original partition and offset, want 4 and 8", positionOf(letter), len(partition), len(offset))
	}
	return consumer, position{topic, int32(number(partition)), number(offset)}
}

// sameRecord says whether two records have the same bytes, timestamp and first headers.
func sameRecord(got, want *kgo.Record, headers int) bool {
	if !same(got.Key, want.Key) || !same(got.Value, want.Value) || !got.Timestamp.Equal(want.Timestamp) || len(got.Headers) < headers {
		return false
	}
	for i := range headers {
		if got.Headers[i].Key != want.Headers[i].Key || !same(got.Headers[i].Value, want.Headers[i].Value) {
			return false
		}
	}
	return true
}

// same tells null from empty.
func same(a, b []byte) bool { return bytes.Equal(a, b) && (a == nil) == (b == nil) }

// given compares the dead letters of a consumer on topics with the bad records there: at least one of each, none of another.
func (r *row) given(l *ledger, letters map[letterKey]int, topics ...string) {
	for at, record := range l.log {
		_, bad := header(record, headerBad)
		if !slices.Contains(topics, at.topic) {
			continue
		}
		count := letters[letterKey{r.consumer, at}]
		switch {
		case bad && count > 0:
			r.deadLetters++
		case bad:
			r.lost++
		case count > 0:
			r.beside++
		}
	}
}
