//go:build unix && kafka

package integration_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Ensure what an independent client publishes is taken as it is, and that it reads the dead letters with the record's own key, bytes and
// headers before ours.
func TestKcatPublishesAndReadsBack(t *testing.T) {
	t.Parallel()
	const events = 1000
	p := newPlatform(t, anyBroker(t), nil)
	p.provision(t)
	published := p.kcatRecords(events)
	for _, topic := range p.names() {
		p.kcatPublish(t, topic, published[topic])
	}
	p.finish(t)
	l := settle(t, p).report("published by kcat")
	if len(l.log) != events {
		t.Fatalf("got %d records on the log, want %d", len(l.log), events)
	}
	l.wantDeadLettersOnce()
	for _, topic := range p.names() {
		p.wantKcatReads(t, topic, published[topic])
	}
}

// kcatRecords are a load by topic. An empty value is left out: it is how kcat writes a tombstone. Each record has a header that repeats,
// in the order in which kcat is told.
func (p *platform) kcatRecords(count int) map[string][]*kgo.Record {
	records := map[string][]*kgo.Record{}
	made := p.load()
	made.entities = 50 // so that there are several steps
	for taken := 0; taken < count; {
		r := made.next()
		if len(r.Value) == 0 {
			continue
		}
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: "trace", Value: []byte("one")}, kgo.RecordHeader{Key: "trace", Value: []byte("zwei=2, drei")})
		records[r.Topic] = append(records[r.Topic], r)
		taken++
	}
	return records
}

// kcatPublish publishes the records in their order, those with the same headers by one call.
func (p *platform) kcatPublish(t *testing.T, topic string, records []*kgo.Record) {
	t.Helper()
	for start := 0; start < len(records); {
		end := start
		var lines strings.Builder
		for ; end < len(records) && slices.Equal(headersOf(records[end]), headersOf(records[start])); end++ {
			fmt.Fprintf(&lines, "%s\t%s\n", records[end].Key, records[end].Value)
		}
		arguments := []string{"-P", "-t", topic, "-K", "\t", "-X", "partitioner=murmur2_random", "-X", "acks=all"}
		for _, header := range headersOf(records[start]) {
			arguments = append(arguments, "-H", header)
		}
		p.kcat(t, lines.String(), arguments...)
		start = end
	}
}

func headersOf(r *kgo.Record) []string {
	var headers []string
	for _, header := range r.Headers {
		headers = append(headers, header.Key+"="+string(header.Value))
	}
	return headers
}

// envelope is what kcat prints of a record. Headers are keys and values in turn.
type envelope struct {
	Partition    int32
	Offset       int64
	Headers      []string
	Key, Payload string
}

func (e envelope) headers() []string {
	var headers []string
	for i := 0; i+1 < len(e.Headers); i += 2 {
		headers = append(headers, e.Headers[i]+"="+e.Headers[i+1])
	}
	return headers
}

// wantKcatReads reads a topic and its dead letters with kcat, and compares both with what was published.
func (p *platform) wantKcatReads(t *testing.T, topic string, published []*kgo.Record) {
	t.Helper()
	byKey := map[string][]*kgo.Record{}
	for _, r := range published {
		byKey[string(r.Key)] = append(byKey[string(r.Key)], r)
	}
	for _, got := range p.kcatRead(t, topic) {
		at := position{topic, got.Partition, got.Offset}
		waiting := byKey[got.Key]
		if len(waiting) == 0 {
			t.Errorf("%s: got a record of key %q that was not published", at, got.Key)
			continue
		}
		byKey[got.Key] = waiting[1:]
		if want := waiting[0]; got.Payload != string(want.Value) || !slices.Equal(got.headers(), headersOf(want)) {
			t.Errorf("%s: got %q with %q, want %q with %q", at, got.Payload, got.headers(), want.Value, headersOf(want))
		}
	}
	bad := slices.DeleteFunc(slices.Clone(published), func(r *kgo.Record) bool {
		_, bad := header(r, headerBad)
		return !bad
	})
	p.wantKcatReadsLetters(t, topic, bad)
}

// wantKcatReadsLetters compares the dead letters of a topic with its bad records: one of each decoding consumer.
func (p *platform) wantKcatReadsLetters(t *testing.T, topic string, bad []*kgo.Record) {
	t.Helper()
	letters := p.kcatRead(t, topic+"-dlt")
	if len(letters) != 4*len(bad) {
		t.Errorf("%s: got %d dead letters, want 4 of each of %d records", topic, len(letters), len(bad))
	}
	for _, got := range letters {
		at := position{topic + "-dlt", got.Partition, got.Offset}
		index := slices.IndexFunc(bad, func(r *kgo.Record) bool { return string(r.Key) == got.Key && string(r.Value) == got.Payload })
		if index < 0 {
			t.Errorf("%s: got a dead letter of key %q that no bad record has", at, got.Key)
			continue
		}
		want, has := headersOf(bad[index]), got.headers()
		if len(has) < len(want) || !slices.Equal(has[:len(want)], want) {
			t.Errorf("%s: got headers %q, want %q first", at, has, want)
			continue
		}
		for _, ours := range []string{"kafka_dlt-original-topic=" + topic, "millrace-class=", "millrace-consumer=", "millrace-attempts=1"} {
			if !slices.ContainsFunc(has[len(want):], func(header string) bool { return strings.HasPrefix(header, ours) }) {
				t.Errorf("%s: got headers %q, want %s among them", at, has[len(want):], ours)
			}
		}
	}
}

// kcatRead reads a topic to its end, in order.
func (p *platform) kcatRead(t *testing.T, topic string) []envelope {
	t.Helper()
	var read []envelope
	lines := json.NewDecoder(strings.NewReader(p.kcat(t, "", "-C", "-t", topic, "-o", "beginning", "-e", "-q", "-J")))
	for lines.More() {
		var one envelope
		if err := lines.Decode(&one); err != nil {
			t.Fatalf("reading what kcat says of %s: %v", topic, err)
		}
		read = append(read, one)
	}
	return read
}

// kcat runs kcat and returns what it says.
func (p *platform) kcat(t testing.TB, input string, arguments ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var said, complained bytes.Buffer
	command := exec.CommandContext(ctx, "kcat", append([]string{"-b", p.broker.address}, arguments...)...)
	command.Stdin, command.Stdout, command.Stderr = strings.NewReader(input), &said, &complained
	if err := command.Run(); err != nil {
		t.Fatalf("kcat %v: %v\n%s", arguments, err, complained.String())
	}
	return said.String()
}
