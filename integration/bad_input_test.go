//go:build unix

package integration_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// canary is in everything of a bad record that nobody may show: whatever is not an entity's id, a status or an action.
const canary = "CANARY"

// badInput is one way in which a record can be bad, with the class that its dead letters must have.
type badInput struct {
	name  string
	class string
	value []byte // nil is a tombstone
	// key is the entity's id unless it is set; keyless is no key at all.
	key     string
	keyless bool
	headers []kgo.RecordHeader
	// content is true for what only the domain consumer asks of an event: the others take it.
	content bool
}

// order is an order with fields replaced: each pair is a field's name and what stands for its value.
func order(id string, pairs ...string) []byte {
	fields := []string{
		"orderId", `"` + id + `"`, "patientId", `"` + canary + `-patient"`, "pharmacyId", `"ph-3"`, "totalPrice", "149.99", "status", `"pending"`,
		"orderDate", `"2024-12-25T10:30:00"`, "deliveryDate", "null", "items", `[{"productId":"` + canary + `-item","quantity":2,"price":62.5}]`,
		"action", `"created"`,
	}
	for i := 0; i < len(pairs); i += 2 {
		at := slices.Index(fields, pairs[i])
		fields[at+1] = pairs[i+1]
	}
	var parts []string
	for i := 0; i < len(fields); i += 2 {
		if fields[i+1] != "" {
			parts = append(parts, `"`+fields[i]+`":`+fields[i+1])
		}
	}
	return []byte("{" + strings.Join(parts, ",") + "}")
}

// badInputs are all of them, for the orders topic.
func badInputs() []badInput {
	manyHeaders := make([]kgo.RecordHeader, 10_000)
	for i := range manyHeaders {
		manyHeaders[i] = kgo.RecordHeader{Key: fmt.Sprintf("h-%d", i%100), Value: []byte(canary + "-header")}
	}
	quantity := func(text string) string { return `[{"productId":"p","quantity":` + text + `,"price":1}]` }
	typeID := func(name string) []kgo.RecordHeader {
		return []kgo.RecordHeader{{Key: "__TypeId__", Value: []byte("com.acme.events." + name)}}
	}
	const id = "ord-bad"
	return []badInput{
		{name: "truncated", class: "malformed", value: order(id)[:60]},
		{name: "truncated within a name", class: "malformed", value: []byte(`{"orderId":"` + id + `","` + canary)},
		{name: "text after the object", class: "malformed", value: append(order(id), canary...)},
		{name: "a second object", class: "malformed", value: append(order(id), order(id)...)},
		{name: "an array", class: "malformed", value: []byte(`["` + canary + `"]`)},
		{name: "a text", class: "malformed", value: []byte(`"` + canary + `"`)},
		{name: "no JSON", class: "malformed", value: []byte(canary + "\x00\x01\n" + canary)},
		{name: "very deep", class: "malformed", value: []byte(`{"orderId":` + strings.Repeat("[", 100_000))},
		{name: "a repeated name", class: "malformed", value: bytes.Replace(order(id), []byte(`"status"`), []byte(`"patientId":"`+canary+`2","status"`), 1)},
		{name: "invalid UTF-8", class: "malformed", value: order(id, "patientId", "\""+canary+"\xff\xfe\"")},
		{name: "NaN", class: "malformed", value: order(id, "totalPrice", "NaN")},
		{name: "an object for a text", class: "invalid_value", value: order(id, "patientId", `{"`+canary+`":1}`)},
		{name: "a text for a number", class: "invalid_value", value: order(id, "totalPrice", `"`+canary+`"`)},
		{name: "a text for a list", class: "invalid_value", value: order(id, "items", `"`+canary+`"`)},
		{name: "NaN as text", class: "invalid_value", value: order(id, "totalPrice", `"NaN"`)},
		{name: "infinity as text", class: "invalid_value", value: order(id, "totalPrice", `"-Infinity"`)},
		{name: "an infinite number", class: "invalid_value", value: order(id, "totalPrice", "1e400")},
		{name: "an integer above int32", class: "invalid_value", value: order(id, "items", quantity("2147483648"))},
		{name: "an integer below int32", class: "invalid_value", value: order(id, "items", quantity("-2147483649"))},
		{name: "a day that is not", class: "invalid_value", value: order(id, "orderDate", `"2024-02-30T10:30:00"`)},
		{name: "an hour that is not", class: "invalid_value", value: order(id, "orderDate", `"2024-12-25T25:30:00"`)},
		{name: "words for a date", class: "invalid_value", value: order(id, "orderDate", `"`+canary+`"`)},
		{name: "a date as a list of too few", class: "invalid_value", value: order(id, "orderDate", `[2024]`)},
		{name: "no id", class: "missing_field", value: order(id, "orderId", "")},
		{name: "a null id", class: "missing_field", value: order(id, "orderId", "null")},
		{name: "no action", class: "missing_field", value: order(id, "action", "")},
		{name: "an unknown action", class: "unknown_action", value: order(id, "action", `"teleported"`)},
		{name: "an empty value", class: "empty_value", value: []byte{}},
		{name: "a tombstone", class: "tombstone"},
		{name: "null", class: "tombstone", value: []byte("null")},
		{name: "5 MB", class: "too_large", value: order(id, "patientId", `"`+strings.Repeat(canary, 5<<20/len(canary))+`"`)},
		{name: "10,000 headers", class: "too_large", value: order(id), headers: manyHeaders},
		{name: "the type of another topic", class: "type_mismatch", value: order(id), headers: typeID("AppointmentEvent")},
		{name: "an unknown status", class: "unknown_status", value: order("ord-status", "status", `"lost"`), key: "ord-status", content: true},
		{name: "no key", class: "missing_key", value: order("ord-keyless"), keyless: true, content: true},
		{name: "another entity's key", class: "key_mismatch", value: order("ord-other"), key: canary + "-key", content: true},
		{name: "a delivered order pending again", class: "invalid_transition", value: order("ord-done"), key: "ord-done", content: true},
	}
}

// record is the bad record, on a partition that all of them share, so that one that holds it would show.
func (b badInput) record() *kgo.Record {
	r := &kgo.Record{Topic: "order-events", Value: b.value, Headers: b.headers, Timestamp: now()}
	if !b.keyless {
		r.Key = []byte("ord-bad")
		if b.key != "" {
			r.Key = []byte(b.key)
		}
	}
	r.Headers = append(r.Headers, kgo.RecordHeader{Key: "note", Value: []byte(canary + "-note")})
	return r
}

// Ensure each kind of bad input ends in one outcome per consumer, that the next record flows on, that the archive has every byte, and that
// nothing of it is shown anywhere.
func TestBadInputEndsInOneOutcome(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, anyBroker(t), settings{
		"log":    settings{"level": "debug"},
		"topics": settings{"order-events": settings{"partitions": 1, "max_message_bytes": "6MiB"}},
	})
	p.provision(t)
	inputs := badInputs()
	records, good := p.mixed(inputs)
	p.produce(t, records...)

	run := p.start(t, "run")
	eventually(t, "all consumers are through", func() bool { return p.through(t) || !run.running() })
	shown := map[string]string{"/metrics": get(t, run.http()+"/metrics")}
	run.signal(syscall.SIGTERM)
	run.ends(0)
	shown["stderr"] = run.stderr.String()

	l := &ledger{t: t, platform: p, log: p.broker.read(t, p.names()...)}
	letters := l.classes(shown)
	for i, input := range inputs {
		l.wantOutcome(input, positionOf(records[1+2*i]), letters)
	}
	l.wantTaken(inputs, records, good)
	r := l.archive(nil)
	if r.lost+r.doubled+r.beside != 0 || r.done != len(records) {
		t.Errorf("archive: got %d of %d records, %d doubled, %d that nobody expected", r.done, len(records), r.doubled, r.beside)
	}
	l.show(shown)
	for where, text := range shown {
		if at := strings.Index(text, canary); at >= 0 {
			t.Errorf("%s shows what a record has: …%s…", where, text[max(0, at-200):min(len(text), at+100)])
		}
	}
}

// mixed is the bad records with a good one after each, and those alone.
func (p *platform) mixed(inputs []badInput) (all, good []*kgo.Record) {
	one := func(id, status, action string) *kgo.Record {
		value := order(id, "status", `"`+status+`"`, "action", `"`+action+`"`)
		return &kgo.Record{Topic: "order-events", Key: []byte(id), Value: value, Timestamp: now()}
	}
	good = append(good, one("ord-done", "delivered", "delivered"))
	all = append(all, good[0])
	for i, input := range inputs {
		next := one(fmt.Sprintf("ord-good-%d", i), "pending", "created")
		good = append(good, next)
		all = append(all, input.record(), next)
	}
	return all, good
}

// classes reads the dead letters: the class of each consumer's for each record. It fails the test when one is there twice. What our headers
// say goes to what was shown.
func (l *ledger) classes(shown map[string]string) map[letterKey]string {
	l.t.Helper()
	classes := map[letterKey]string{}
	for at, letter := range l.platform.broker.read(l.t, l.platform.deadLetterNames()...) {
		consumer, original := origin(l.t, letter)
		source := l.log[original]
		if source == nil || !sameRecord(letter, source, len(source.Headers)) {
			l.t.Errorf("dead letter %s of %s is not the record as it was", at, original)
			continue
		}
		for _, ours := range letter.Headers[len(source.Headers):] {
			shown["the headers of dead letters"] += ours.Key + ": " + string(ours.Value) + "\n"
		}
		key := letterKey{consumer, original}
		if _, twice := classes[key]; twice {
			l.t.Errorf("%s of %s: got two dead letters, want one", original, consumer)
		}
		classes[key], _ = header(letter, "millrace-class")
	}
	return classes
}

// wantOutcome compares the dead letters of one record with what its kind asks for.
func (l *ledger) wantOutcome(input badInput, at position, letters map[letterKey]string) {
	l.t.Helper()
	for _, consumer := range []string{"orders", "notification", "analytics", "logging", "archive"} {
		want := input.class
		if consumer == "archive" || input.content && consumer != "orders" {
			want = ""
		}
		if got := letters[letterKey{consumer, at}]; got != want {
			l.t.Errorf("%s at %s: got class %q, want %q", input.name, consumer, got, want)
		}
	}
}

// wantTaken compares what the consumers took with the good records, and for the fan-out with those that only the domain consumer refuses.
func (l *ledger) wantTaken(inputs []badInput, records, good []*kgo.Record) {
	l.t.Helper()
	states := l.entities("OrderEvent")
	for _, r := range good {
		if got := states[string(r.Key)]; got.at != positionOf(r) {
			l.t.Errorf("order %s: got the state of %s, want of %s", r.Key, got.at, positionOf(r))
		}
	}
	if len(states) != len(good) {
		l.t.Errorf("got %d orders in the store, want %d", len(states), len(good))
	}
	taken := map[position]*kgo.Record{}
	for _, r := range good {
		taken[positionOf(r)] = r
	}
	for i, input := range inputs {
		if r := records[1+2*i]; input.content {
			taken[positionOf(r)] = r
		}
	}
	for _, sink := range []string{"notification", "logging"} {
		if r := l.lines(sink, taken, nil); r.lost+r.doubled+r.beside != 0 {
			l.t.Errorf("%s: got %d of %d lines, %d doubled, %d that nobody expected", sink, r.done, r.expected, r.doubled, r.beside)
		}
	}
	if got := l.counted(); got != len(taken) {
		l.t.Errorf("analytics: got %d events, want %d", got, len(taken))
	}
}

// show collects what the commands and the activity log show.
func (l *ledger) show(shown map[string]string) {
	l.t.Helper()
	p := l.platform
	for _, command := range []string{"dlq list", "dlq list -o json", "dlq list --summary", "dlq list --summary -o json", "counts", "lag"} {
		shown[command] = said(p.execute(l.t, strings.Fields(command)...).ends(0))
	}
	var listed []struct {
		Topic             string
		Partition, Offset int64
		Consumer, Class   string
	}
	if err := json.Unmarshal([]byte(p.execute(l.t, "dlq", "list", "-o", "json").ends(0).stdout.String()), &listed); err != nil {
		l.t.Fatalf("reading dlq list: %v", err)
	}
	seen := map[string]bool{} // one of each class is enough
	for _, letter := range listed {
		if at := fmt.Sprintf("%s/%d/%d", letter.Topic, letter.Partition, letter.Offset); !seen[letter.Class] {
			seen[letter.Class] = true
			shown["dlq show of "+letter.Class] = said(p.execute(l.t, "dlq", "show", at).ends(0)) + said(p.execute(l.t, "dlq", "show", at, "-o", "json").ends(0))
		}
	}
	for _, line := range l.texts("logging") {
		shown["the activity log"] += string(line) + "\n"
	}
}

func said(p *process) string { return p.stdout.String() + p.stderr.String() }
