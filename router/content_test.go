package router_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/router/routertest"
)

// good is an appointment as a Java service writes it.
const good = `{"appointmentId":"a-1","patientId":"canary","doctorId":"d","date":[2026,1,5],"time":"10:30","reason":"canary","status":"scheduled","visitType":"virtual","action":"created"}`

func TestBadInputEndsInOneOutcome(t *testing.T) {
	t.Parallel()
	skipAll := map[string]router.TopicSettings{"appointment-events": {UnknownAction: router.PolicySkip, UnknownStatus: router.PolicySkip, Tombstone: router.PolicySkip}}
	anyKey := map[string]router.TopicSettings{"appointment-events": {Key: router.KeyAny}}
	patientKey := map[string]router.TopicSettings{"appointment-events": {Key: router.KeyPatient}}
	deadLetter := func(class record.Class) record.Result {
		return record.Result{Outcome: record.DeadLettered, Class: class, Attempts: 1}
	}
	skipped := func(reason string) record.Result {
		return record.Result{Outcome: record.Skipped, Reason: reason, Attempts: 1}
	}
	done := record.Result{Outcome: record.Done, Attempts: 1}
	tests := []struct {
		name    string
		value   string // "nil" is a tombstone
		key     string // empty is no key
		headers []record.Header
		topics  map[string]router.TopicSettings
		strict  record.Result // for a consumer with strict content
		lenient record.Result // for any other that decodes
	}{
		{name: "a good event is done", value: good, key: "a-1", strict: done, lenient: done},
		{name: "a truncated value is malformed", value: good[:40], key: "a-1", strict: deadLetter(record.ClassMalformed), lenient: deadLetter(record.ClassMalformed)},
		{name: "text after the object is malformed", value: good + "x", key: "a-1", strict: deadLetter(record.ClassMalformed), lenient: deadLetter(record.ClassMalformed)},
		{name: "a repeated name is malformed", value: strings.Replace(good, `"doctorId"`, `"patientId"`, 1), key: "a-1", strict: deadLetter(record.ClassMalformed), lenient: deadLetter(record.ClassMalformed)},
		{name: "invalid UTF-8 is malformed", value: strings.Replace(good, "canary", "\xff", 1), key: "a-1", strict: deadLetter(record.ClassMalformed), lenient: deadLetter(record.ClassMalformed)},
		{name: "an impossible date is an invalid value", value: strings.Replace(good, "[2026,1,5]", `"2026-02-30"`, 1), key: "a-1", strict: deadLetter(record.ClassInvalidValue), lenient: deadLetter(record.ClassInvalidValue)},
		{name: "an object where text belongs is an invalid value", value: strings.Replace(good, `"10:30"`, `{}`, 1), key: "a-1", strict: deadLetter(record.ClassInvalidValue), lenient: deadLetter(record.ClassInvalidValue)},
		{name: "an empty value has its class", value: "", key: "a-1", strict: deadLetter(record.ClassEmptyValue), lenient: deadLetter(record.ClassEmptyValue)},
		{name: "a null value is a tombstone", value: "nil", key: "a-1", strict: deadLetter(record.ClassTombstone), lenient: deadLetter(record.ClassTombstone)},
		{name: "the text null is a tombstone", value: "null", key: "a-1", strict: deadLetter(record.ClassTombstone), lenient: deadLetter(record.ClassTombstone)},
		{name: "a tombstone is skipped by policy", value: "nil", key: "a-1", topics: skipAll, strict: skipped("tombstone"), lenient: skipped("tombstone")},
		{name: "an unknown action has its class", value: strings.Replace(good, `"created"`, `"vanished"`, 1), key: "a-1", strict: deadLetter(record.ClassUnknownAction), lenient: deadLetter(record.ClassUnknownAction)},
		{name: "an unknown action is skipped by policy", value: strings.Replace(good, `"created"`, `"vanished"`, 1), key: "a-1", topics: skipAll, strict: skipped("unknown_action"), lenient: skipped("unknown_action")},
		{name: "an action without a route is skipped", value: strings.Replace(good, `"created"`, `"cancelled"`, 1), key: "a-1", strict: skipped("no_route"), lenient: skipped("no_route")},
		{name: "an unknown status is the strict consumer's business alone", value: strings.Replace(good, `"scheduled"`, `"lost"`, 1), key: "a-1", strict: deadLetter(record.ClassUnknownStatus), lenient: done},
		{name: "an unknown status is skipped by policy", value: strings.Replace(good, `"scheduled"`, `"lost"`, 1), key: "a-1", topics: skipAll, strict: skipped("unknown_status"), lenient: done},
		{name: "no key is the strict consumer's business alone", value: good, strict: deadLetter(record.ClassMissingKey), lenient: done},
		{name: "another entity's key is the strict consumer's business alone", value: good, key: "a-2", strict: deadLetter(record.ClassKeyMismatch), lenient: done},
		{name: "any key is good under the rule any", value: good, topics: anyKey, strict: done, lenient: done},
		{name: "the patient's id is the key under its rule", value: good, key: "canary", topics: patientKey, strict: done, lenient: done},
		{name: "no id of the entity is a missing field", value: strings.Replace(good, `"a-1"`, `null`, 1), key: "a-1", strict: deadLetter(record.ClassMissingField), lenient: deadLetter(record.ClassMissingField)},
		{name: "a value beyond the limit is too large", value: good + strings.Repeat(" ", 5<<20), key: "a-1", strict: deadLetter(record.ClassTooLarge), lenient: deadLetter(record.ClassTooLarge)},
		{name: "ten thousand headers are too many", value: good, key: "a-1", headers: make([]record.Header, 10_000), strict: deadLetter(record.ClassTooLarge), lenient: deadLetter(record.ClassTooLarge)},
		{name: "a class of another topic is a type mismatch", value: good, key: "a-1", headers: header("__TypeId__", "com.acme.OrderEvent"), strict: deadLetter(record.ClassTypeMismatch), lenient: deadLetter(record.ClassTypeMismatch)},
		{name: "a class that nobody knows is passed over", value: good, key: "a-1", headers: header("__TypeId__", "com.acme.order.created.Alias"), strict: done, lenient: done},
		{name: "the topic's own class is good", value: good, key: "a-1", headers: header("__TypeId__", "com.acme.Events$AppointmentEvent"), strict: done, lenient: done},
		{name: "a CloudEvents type of another topic is a type mismatch", value: good, key: "a-1", headers: header("ce_type", "com.acme.OrderEvent.v1"), strict: deadLetter(record.ClassTypeMismatch), lenient: deadLetter(record.ClassTypeMismatch)},
	}
	for _, test := range tests {
		for _, strict := range []bool{true, false} {
			want, options := test.lenient, []router.Option{handles(func(context.Context, messages.Event[messages.AppointmentEvent]) error { return nil })}
			name := "lenient: " + test.name
			if strict {
				want, options, name = test.strict, append(options, router.StrictContent()), "strict: "+test.name
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				var logged bytes.Buffer
				kit := routertest.NewWith(t, router.Settings{Topics: test.topics, Logger: slog.New(slog.NewJSONHandler(&logged, nil))}, router.ConsumerSettings{}, "test", options...)
				bad := &record.Record{Position: record.Position{Topic: "appointment-events"}, Value: []byte(test.value), Headers: test.headers}
				if test.value == "nil" {
					bad.Value = nil
				}
				if test.key != "" {
					bad.Key = []byte(test.key)
				}
				next := &record.Record{Position: record.Position{Topic: "appointment-events"}, Value: []byte(strings.ReplaceAll(good, "a-1", "canary")), Key: []byte("canary")}
				results := kit.DeliverRecords(bad, next)
				if results[0] != want {
					t.Errorf("the record ended as %+v, want %+v", results[0], want)
				}
				if results[1] != done {
					t.Errorf("the record behind it ended as %+v, want done", results[1])
				}
				if strings.Contains(logged.String(), "canary") {
					t.Errorf("the log has something of the payload: %s", logged.String())
				}
			})
		}
	}
}

func header(key, value string) []record.Header {
	return []record.Header{{Key: key, Value: []byte(value)}}
}

func TestUndecodedConsumerTakesEverything(t *testing.T) {
	t.Parallel()
	var taken []string
	kit := routertest.New(t, "archive", router.OnRecord(messages.Types(), func(_ context.Context, r *record.Record) error {
		taken = append(taken, string(r.Value))
		return nil
	}))
	for _, value := range []string{good, "", "{", "\xff", strings.Repeat("x", 5<<20)} {
		results := kit.DeliverRecords(&record.Record{Position: record.Position{Topic: "order-events"}, Value: []byte(value), Headers: make([]record.Header, 10_000)})
		if results[0].Outcome != record.Done {
			t.Errorf("a value of %d bytes ended as %s, want done", len(value), results[0].Outcome)
		}
	}
	if len(taken) != 5 {
		t.Errorf("got %d records, want 5", len(taken))
	}
}
