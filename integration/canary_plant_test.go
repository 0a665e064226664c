//go:build unix

package integration_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/prantikov/millrace/messages"
)

// plants makes events whose patient data stands nowhere else in the world, and remembers every value.
type plants struct {
	t      testing.TB
	word   string
	number int
	values []string
}

// text is a new text; keep notes what else was made.
func (p *plants) text() string {
	p.number++
	return p.keep(fmt.Sprintf("Magpie%s%05d", p.word, p.number))
}

func (p *plants) keep(value string) string {
	p.values = append(p.values, value)
	return value
}

// event is the sample of a kind for an entity, with a value of its own in each field that is patient data.
func (p *plants) event(declared messages.Type, action messages.Action, entity string) []byte {
	p.t.Helper()
	sample := declared.Sample(action)
	decoded, err := declared.Decode(sample)
	if err != nil {
		p.t.Fatalf("decoding the sample of %s %s: %v", declared.Name(), action, err)
	}
	var fields map[string]any
	if err := json.Unmarshal(sample, &fields); err != nil {
		p.t.Fatal(err)
	}
	for _, name := range declared.PHI() {
		if _, known := fields[name]; !known {
			p.t.Fatalf("%s has no field %q in its sample: how is patient data planted there?", declared.Name(), name)
		}
		fields[name] = p.value(name)
	}
	fields["note"] = p.text() // a field that nobody knows
	for name, value := range fields {
		if value == decoded.EntityID {
			fields[name] = entity
		}
	}
	planted, err := json.Marshal(fields)
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := declared.Decode(planted); err != nil {
		p.t.Fatalf("%s %s cannot be read with what was planted: %v", declared.Name(), action, err)
	}
	return planted
}

// value is a new value for a field, of the kind that the field has.
func (p *plants) value(name string) any {
	p.number++
	day := time.Date(1807, time.March, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, p.number).Format(time.DateOnly)
	switch {
	case name == "totalPrice" || name == "price":
		number := json.Number(fmt.Sprintf("%d.25", 7_310_000+p.number))
		p.keep(number.String())
		return number
	case name == "quantity":
		number := json.Number(fmt.Sprint(1_907_000_000 + p.number))
		p.keep(number.String())
		return number
	case name == "items":
		return []any{map[string]any{"productId": p.text(), "quantity": p.value("quantity"), "price": p.value("price")}}
	case name == "orderDate" || name == "deliveryDate":
		return p.keep(day + "T03:37:41")
	case strings.HasSuffix(name, "Date") || name == "date":
		return p.keep(day)
	case name == "time":
		// With all its decimals, so that the time of a log line is no chance hit.
		return p.keep(fmt.Sprintf("03:37:41.%09d", 100_000_000+p.number))
	default:
		return p.text()
	}
}

// troubles are the ends of an id by which the careless consumer fails.
var troubles = []string{"-good", "-retried", "-away", "-failed", "-refused", "-panics", "-slow"}

// events are the good events: one of each kind for each trouble. They are lines by topic, for publish.
func (p *plants) events() map[string][]byte {
	lines := map[string][]byte{}
	for _, declared := range messages.Types() {
		for i, action := range declared.Actions() {
			for _, trouble := range troubles {
				event := p.event(declared, action, fmt.Sprintf("id-%s-%d%s", p.word, i, trouble))
				lines[declared.Topic()] = append(append(lines[declared.Topic()], event...), '\n')
			}
		}
	}
	return lines
}

// bad are records of each topic that are bad in each way that could get patient data into an error.
func (p *plants) bad() []*kgo.Record {
	var records []*kgo.Record
	for _, declared := range messages.Types() {
		for i, spoil := range p.ways(declared) {
			id := fmt.Sprintf("id-%s-bad-%d", p.word, i)
			r := &kgo.Record{Topic: declared.Topic(), Key: []byte(id), Value: p.event(declared, messages.Created, id), Timestamp: now()}
			spoil(r)
			records = append(records, r)
		}
	}
	return records
}

func (p *plants) ways(declared messages.Type) []func(*kgo.Record) {
	replace := func(old string, value func() string) func(*kgo.Record) {
		return func(r *kgo.Record) { r.Value = bytes.Replace(r.Value, []byte(old), []byte(value()), 1) }
	}
	quoted := func() string { return `"` + p.text() + `"` }
	return []func(*kgo.Record){
		func(r *kgo.Record) { r.Value = r.Value[:len(r.Value)-2] },
		func(r *kgo.Record) { r.Value = append(r.Value, p.text()...) },
		func(r *kgo.Record) { r.Value = []byte(p.text()) },
		func(r *kgo.Record) { r.Key, r.Value = []byte(p.text()), nil },
		func(r *kgo.Record) { r.Key = []byte(p.text()) },
		replace(`"created"`, func() string { return `"exploded"` }), // no patient data: dlq show shows it
		replace(`"created"`, func() string { return `{` + quoted() + `:` + quoted() + `}` }),
		replace(`"note":`, func() string { return `"patientId":` }),
		replace(`"patientId":`, func() string { return `"patientId":[` + quoted() + `],"was":` }),
		replace(`"`+declared.PHI()[0]+`":"`, func() string { return `"` + declared.PHI()[0] + "\":\"\xff" + p.text() }),
		func(r *kgo.Record) {
			r.Headers = []kgo.RecordHeader{
				{Key: "x-patient", Value: []byte(p.text())}, {Key: "__TypeId__", Value: []byte(p.text() + ".AppointmentEvent")},
				{Key: "ce_id", Value: []byte("event-1")}, {Key: "content-type", Value: []byte(p.text())},
				{Key: "tracestate", Value: []byte("vendor=" + p.text())}, {Key: "baggage", Value: []byte("patient=" + p.text())},
				{Key: "traceparent", Value: []byte("00-" + p.text() + "-" + parentOfRecord + "-01")}, {Key: "b3", Value: []byte(p.text())},
			}
		},
	}
}
