package deadletter_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/prantikov/millrace/deadletter"
	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
)

// canary stands for patient data: it must not be shown, wherever it was.
const canary = "Canary-4711"

func show(t *testing.T, s shelf, at record.Position) deadletter.Detail {
	t.Helper()
	detail, err := browser(s).Show(t.Context(), at)
	if err != nil {
		t.Fatalf("showing %s: %v", at, err)
	}
	return detail
}

func TestShowHidesPatientData(t *testing.T) {
	t.Parallel()
	masked := func(fields string) string {
		return fmt.Sprintf(`{"orderId":"ord-1","patientId":"%s"%s}`, messages.Mask, fields)
	}
	tests := map[string]struct {
		value     []byte
		headers   []record.Header
		key       string
		wantBody  messages.Body
		wantEvent string
		wantKey   string
	}{
		"the key is the entity's id": {
			[]byte(`{"orderId":"ord-1","patientId":"` + canary + `"}`), nil, "ord-1", messages.BodyMasked, masked(""), "ord-1",
		},
		"the key is the patient's id": {
			[]byte(`{"orderId":"ord-1","patientId":"` + canary + `"}`), nil, canary, messages.BodyMasked, masked(""), messages.Mask,
		},
		"unknown fields are hidden": {
			[]byte(`{"orderId":"ord-1","patientId":"x","` + canary + `":"` + canary + `"}`), nil, "", messages.BodyMasked,
			masked(`,"` + messages.Mask + `":"` + messages.Mask + `"`), "",
		},
		"a value that cannot be read": {[]byte(`{"patientId":"` + canary), nil, canary, messages.BodyHidden, "", messages.Mask},
		"a tombstone":                 {nil, nil, canary, messages.BodyNull, "", messages.Mask},
		"an empty value":              {[]byte{}, nil, "", messages.BodyEmpty, "", ""},
		"an event inside a CloudEvent": {
			[]byte(`{"subject":"` + canary + `","data":{"orderId":"ord-1","patientId":"` + canary + `"}}`),
			[]record.Header{header("content-type", "application/cloudevents+json")}, "ord-1", messages.BodyMasked, masked(""), "ord-1",
		},
		"an event in Confluent's framing": {
			[]byte("\x00\x00\x00\x00\x07{\"orderId\":\"ord-1\",\"patientId\":\"" + canary + `"}`), nil, "ord-1", messages.BodyMasked, masked(""), "ord-1",
		},
		"headers of the producer, under any name": {
			[]byte(`[]`), []record.Header{
				header("x-patient", canary), header("millrace-handler", canary), header("kafka_dlt-original-topic", canary),
				header("kafka_dlt-exception-message", canary), header("__connect.errors.topic", canary), header("reason_poisoned", canary),
			}, "", messages.BodyHidden, "", "",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source := order(test.headers...)
			source.Value, source.Key = test.value, []byte(test.key)
			s := shelf{}
			detail := show(t, s, s.put(t, letterOf(source, record.ClassMalformed)))
			if detail.Body != test.wantBody || string(detail.Event) != test.wantEvent || detail.Key != test.wantKey {
				t.Errorf("got %s %s key %q, want %s %s key %q", detail.Body, detail.Event, detail.Key, test.wantBody, test.wantEvent, test.wantKey)
			}
			output, err := json.Marshal(detail)
			if err != nil || strings.Contains(string(output), canary) {
				t.Errorf("got %s, %v, want nothing of the patient", output, err)
			}
			if detail.Explanation.Class != record.ClassMalformed || detail.Bytes != len(test.value) {
				t.Errorf("got class %s of %d bytes, want malformed of %d", detail.Explanation.Class, detail.Bytes, len(test.value))
			}
		})
	}
}

func TestShowHasTheValuesOfOurHeaders(t *testing.T) {
	t.Parallel()
	s := shelf{}
	detail := show(t, s, s.put(t, letterOf(order(header("x-"+canary, "1"), header("traceparent", "1")), record.ClassPanic)))
	want := []deadletter.ShownHeader{
		{Name: messages.Hidden("x-" + canary), Value: messages.Mask, Hidden: true},
		{Name: "traceparent", Value: messages.Mask, Hidden: true},
		{Name: "kafka_dlt-exception-fqcn", Value: "org.springframework.kafka.listener.ListenerExecutionFailedException"},
		{Name: "kafka_dlt-exception-cause-fqcn", Value: "millrace.panic"},
		{Name: "kafka_dlt-exception-message", Value: "The last try panicked."},
		{Name: "kafka_dlt-original-topic", Value: "order-events"},
		{Name: "kafka_dlt-original-partition", Value: "3"},
		{Name: "kafka_dlt-original-offset", Value: "1099511627776"},
		{Name: "kafka_dlt-original-timestamp", Value: "2024-11-30T21:01:40.003Z"},
		{Name: "kafka_dlt-original-timestamp-type", Value: "CreateTime"},
		{Name: "kafka_dlt-original-consumer-group", Value: "orders-group"},
		{Name: "millrace-class", Value: "panic"},
		{Name: "millrace-consumer", Value: "orders"},
		{Name: "millrace-handler", Value: "handlers.(*orders).shipped"},
		{Name: "millrace-attempts", Value: "4"},
		{Name: "millrace-first-failure", Value: "2026-11-23T10:20:29.456Z"},
		{Name: "millrace-failed-at", Value: "2026-11-23T10:20:30.456Z"},
	}
	for i := range max(len(want), len(detail.Headers)) {
		if i >= len(want) || i >= len(detail.Headers) || detail.Headers[i] != want[i] {
			t.Fatalf("header %d: got %+v, want %+v", i, detail.Headers, want)
		}
	}
}

// Ensure that what another program says of its failure is hidden where it may quote the event, and shown where it cannot.
func TestShowOfAForeignDeadLetter(t *testing.T) {
	t.Parallel()
	dead := deadAt(
		header("x\x1b[31m\u202e", canary),
		header("kafka_dlt-exception-fqcn", "java.lang.IllegalStateException"), header("kafka_dlt-exception-message", canary),
		header("kafka_dlt-exception-stacktrace", canary), header("kafka_dlt-original-topic", "order-events"),
		int64Header("kafka_dlt-original-offset", 7), header("retry_topic-backoff-timestamp", "\x01\xa2\x06\xc3\x1e\x76"),
		header("__streams.errors.message", canary), header("__connect.errors.exception.stacktrace", canary), header("reason_poisoned", canary),
		header("__dlq.errors.delivery.count", "5"), header("__connect.errors.task.id", canary),
	)
	dead.Value = []byte(`"` + "eyJvcmRlcklkIjoib3JkLTEifQ==" + `"`)
	dead.Headers = append(dead.Headers, header("__TypeId__", "[B"))
	s := shelf{dead.Topic: {dead}}
	detail := show(t, s, dead.Position)
	if detail.Body != messages.BodyMasked || string(detail.Event) != `{"orderId":"ord-1"}` || !detail.Unwrapped {
		t.Errorf("got %s %s unwrapped %t, want the event inside the string", detail.Body, detail.Event, detail.Unwrapped)
	}
	if detail.Explanation.Class != deadletter.Foreign || detail.Explanation.Meaning == "" {
		t.Errorf("got %+v, want the explanation of foreign", detail.Explanation)
	}
	var got []string
	for _, h := range detail.Headers {
		got = append(got, h.Value)
	}
	m := messages.Mask
	want := []string{m, "java.lang.IllegalStateException", m, m, "order-events", "7", "2026-11-23T04:56:20.342Z", m, m, m, "5", m, m}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("values: got %q, want %q", got, want)
	}
	if got, want := detail.Headers[0].Name, messages.Hidden("x\x1b[31m\u202e"); got != want {
		t.Errorf("name: got %q, want %q", got, want)
	}
}

func TestShowRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		at   record.Position
		want error
	}{
		"a record that is no dead letter":        {record.Position{Topic: "order-events"}, deadletter.ErrNotDeadLetters},
		"a place without a record":               {record.Position{Topic: "order-events-dlt", Offset: 99}, kafka.ErrNoRecord},
		"a topic that is all suffix and no name": {record.Position{Topic: "-dlt"}, deadletter.ErrNotDeadLetters},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := browser(filled(t)).Show(t.Context(), test.at); !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
}

// Ensure an event of a dead letter of a dead letter is masked as its type, and one of a topic that we do not know is hidden.
func TestShowFindsTheTypeByTheTopic(t *testing.T) {
	t.Parallel()
	for topic, want := range map[string]messages.Body{
		"order-events-dlt": messages.BodyMasked, "order-events-dlt-dlt": messages.BodyMasked, "order-events.DLT": messages.BodyMasked,
		"someone-elses-dlt": messages.BodyHidden,
	} {
		dead := deadAt()
		dead.Topic, dead.Value = topic, []byte(`{"orderId":"ord-1"}`)
		if got := show(t, shelf{topic: {dead}}, dead.Position).Body; got != want {
			t.Errorf("%s: got %s, want %s", topic, got, want)
		}
	}
}
