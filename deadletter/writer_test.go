package deadletter_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prantikov/millrace/deadletter"
	"github.com/prantikov/millrace/record"
)

// outbox is a publisher that keeps what it is given, or refuses it.
type outbox struct {
	sent []*record.Record
	err  error
}

func (o *outbox) PublishToPartitions(_ context.Context, records []*record.Record) ([]record.Position, error) {
	if o.err != nil {
		return nil, o.err
	}
	o.sent = append(o.sent, records...)
	return make([]record.Position, len(records)), nil
}

var failedAt = time.Date(2026, 11, 23, 10, 20, 30, 456e6, time.UTC)

func letterOf(r *record.Record, class record.Class) record.Letter {
	return record.Letter{
		Record: r, Consumer: "orders", Group: "orders-group", Handler: "handlers.(*orders).shipped", Class: class, FailedAt: failedAt,
		Attempts: record.Attempts{Made: 4, First: failedAt.Add(-2 * time.Second), FirstFailure: failedAt.Add(-time.Second)},
	}
}

// deadLetter returns what the writer makes of a letter.
func deadLetter(t *testing.T, suffix string, letter record.Letter) *record.Record {
	t.Helper()
	sent := &outbox{}
	if err := deadletter.NewWriter(sent, suffix).Write(t.Context(), letter); err != nil {
		t.Fatalf("writing: %v", err)
	}
	if len(sent.sent) != 1 {
		t.Fatalf("records sent: got %d, want 1", len(sent.sent))
	}
	return sent.sent[0]
}

func order(headers ...record.Header) *record.Record {
	return &record.Record{
		Position:  record.Position{Topic: "order-events", Partition: 3, Offset: 1 << 40},
		Timestamp: time.UnixMilli(1733000500003).UTC(), Key: []byte("ord-1"), Value: []byte(`{"orderId":`), Headers: headers,
	}
}

func headerLines(headers []record.Header) []string {
	lines := make([]string, len(headers))
	for i, header := range headers {
		lines[i] = fmt.Sprintf("%s=%q", header.Key, header.Value)
		if header.Value == nil {
			lines[i] = header.Key + " null"
		}
	}
	return lines
}

func TestDeadLetterHasTheBytesOfTheRecord(t *testing.T) {
	t.Parallel()
	tests := map[string]*record.Record{
		"ordinary record":   order(record.Header{Key: "x-trace", Value: []byte("1")}, record.Header{Key: "x-trace", Value: []byte("2")}),
		"null everything":   {Position: record.Position{Topic: "order-events"}, Headers: []record.Header{{Key: "nothing"}}},
		"empty everything":  {Position: record.Position{Topic: "order-events"}, Key: []byte{}, Value: []byte{}, Headers: []record.Header{{Key: "", Value: []byte{}}}},
		"control headers":   order(record.Header{Key: "millrace-class", Value: []byte("permanent")}, record.Header{Key: "kafka_dlt-exception-message", Value: []byte("x")}),
		"five megabytes":    {Position: record.Position{Topic: "order-events"}, Value: bytes.Repeat([]byte("x"), 5<<20)},
		"10,000 headers":    order(slices.Repeat([]record.Header{{Key: "x", Value: []byte("y")}}, 10_000)...),
		"without timestamp": {Position: record.Position{Topic: "order-events", Offset: -1}},
	}
	for name, source := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := deadLetter(t, "", letterOf(source, record.ClassMalformed))
			if want := "order-events-dlt"; got.Topic != want || got.Partition != source.Partition {
				t.Errorf("place: got %s/%d, want %s/%d", got.Topic, got.Partition, want, source.Partition)
			}
			if !bytes.Equal(got.Key, source.Key) || (got.Key == nil) != (source.Key == nil) {
				t.Errorf("key: got %q, want %q", got.Key, source.Key)
			}
			if !bytes.Equal(got.Value, source.Value) || (got.Value == nil) != (source.Value == nil) {
				t.Errorf("value: got %d bytes, want %d", len(got.Value), len(source.Value))
			}
			if !got.Timestamp.Equal(source.Timestamp) {
				t.Errorf("timestamp: got %s, want %s", got.Timestamp, source.Timestamp)
			}
			own := headerLines(got.Headers[:len(source.Headers)])
			if want := headerLines(source.Headers); !slices.Equal(own, want) {
				t.Errorf("own headers: got %.500q, want %.500q", own, want)
			}
			if appended := len(got.Headers) - len(source.Headers); appended != 15 {
				t.Errorf("headers appended: got %d, want 15", appended)
			}
		})
	}
}

func TestHeadersAreThoseOfSpringThenOurs(t *testing.T) {
	t.Parallel()
	got := headerLines(deadLetter(t, ".DLT", letterOf(order(), record.ClassFailed)).Headers)
	want := []string{
		`kafka_dlt-exception-fqcn="org.springframework.kafka.listener.ListenerExecutionFailedException"`,
		`kafka_dlt-exception-cause-fqcn="millrace.failed"`,
		`kafka_dlt-exception-message="All tries of the consumer's function failed."`,
		`kafka_dlt-original-topic="order-events"`,
		`kafka_dlt-original-partition="\x00\x00\x00\x03"`,
		`kafka_dlt-original-offset="\x00\x00\x01\x00\x00\x00\x00\x00"`,
		`kafka_dlt-original-timestamp="\x00\x00\x01\x93~\xe1\x13#"`,
		`kafka_dlt-original-timestamp-type="CreateTime"`,
		`kafka_dlt-original-consumer-group="orders-group"`,
		`millrace-class="failed"`,
		`millrace-consumer="orders"`,
		`millrace-handler="handlers.(*orders).shipped"`,
		`millrace-attempts="4"`,
		`millrace-first-failure="2026-11-23T10:20:29.456Z"`,
		`millrace-failed-at="2026-11-23T10:20:30.456Z"`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("headers: got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Ensure that a Java listener whose parameters are required can bind each header: none is null.
func TestNoHeaderIsNull(t *testing.T) {
	t.Parallel()
	for _, class := range append(record.Classes(), "of_a_plugin") {
		dead := deadLetter(t, "", record.Letter{Record: &record.Record{Position: record.Position{Topic: "t"}}, Class: class})
		for _, header := range dead.Headers {
			if header.Value == nil {
				t.Errorf("class %s, header %s: got null, want a value", class, header.Key)
			}
		}
	}
}

func TestOnlyWhatMadeNoEventIsADeserializationException(t *testing.T) {
	t.Parallel()
	undecoded := []record.Class{
		record.ClassTooLarge, record.ClassTombstone, record.ClassEmptyValue, record.ClassTypeMismatch, record.ClassMalformed,
		record.ClassInvalidValue, record.ClassMissingField, record.ClassUnknownAction,
	}
	for _, class := range record.Classes() {
		want := "org.springframework.kafka.listener.ListenerExecutionFailedException"
		if slices.Contains(undecoded, class) {
			want = "org.springframework.kafka.support.serializer.DeserializationException"
		}
		got, _ := deadLetter(t, "", letterOf(order(), class)).Header("kafka_dlt-exception-fqcn")
		if string(got) != want {
			t.Errorf("class %s: got %s, want %s", class, got, want)
		}
	}
}

// Ensure a second failure leaves the same order of headers as Spring's: where it came from, why it failed now, where that was.
func TestSecondFailureKeepsTheOriginAndReplacesTheFailure(t *testing.T) {
	t.Parallel()
	for position, r := range springRecords(t) {
		if !strings.HasSuffix(position.Topic, "-dlt") || strings.HasSuffix(position.Topic, "-dlt-dlt") {
			continue
		}
		before, _ := deadletter.Parse(r)
		dead := deadLetter(t, "", letterOf(r, record.ClassPermanent))
		counts := map[string]int{}
		for _, header := range dead.Headers {
			counts[header.Key]++
		}
		for key, want := range map[string]int{
			"kafka_dlt-original-topic": 2, "kafka_dlt-original-offset": 2, "kafka_dlt-original-consumer-group": 2,
			"kafka_dlt-exception-message": 1, "kafka_dlt-exception-fqcn": 1, "kafka_dlt-exception-stacktrace": 0,
		} {
			if counts[key] != want {
				t.Errorf("%s: headers %s: got %d, want %d", position, key, counts[key], want)
			}
		}
		dead.Offset = 0
		e, ok := deadletter.Parse(dead)
		if !ok || e.Original != before.Original || e.Class != record.ClassPermanent || e.Family != deadletter.FamilyMillrace {
			t.Errorf("%s: got %+v, want class permanent of %s", position, e, before.Original)
		}
		if latest, _ := dead.Header("kafka_dlt-original-topic"); string(latest) != position.Topic {
			t.Errorf("%s: last original topic: got %s, want %s", position, latest, position.Topic)
		}
	}
}

func TestThirdFailureStillLeadsToTheOrigin(t *testing.T) {
	t.Parallel()
	for _, suffix := range []string{"-dlt", ".DLT", "_dead"} {
		source := order()
		r := source
		for range 3 {
			r = deadLetter(t, suffix, letterOf(r, record.ClassFailed))
			r.Offset = 7
		}
		if want := "order-events" + strings.Repeat(suffix, 3); r.Topic != want {
			t.Errorf("suffix %s: got topic %s, want %s", suffix, r.Topic, want)
		}
		e, _ := deadletter.Parse(r)
		if e.Original != source.Position {
			t.Errorf("suffix %s: got origin %s, want %s", suffix, e.Original, source.Position)
		}
		if len(r.Headers) != 15+2*6 {
			t.Errorf("suffix %s: got %d headers, want one failure and three origins: %q", suffix, len(r.Headers), headerLines(r.Headers))
		}
	}
}

func TestErrorNamesTheRecordAndQuotesNothing(t *testing.T) {
	t.Parallel()
	why := errors.New("the topic does not exist")
	source := order(record.Header{Key: "x-secret", Value: []byte("secret-4711")})
	source.Key, source.Value = []byte("secret-4711"), []byte("secret-4711")
	err := deadletter.NewWriter(&outbox{err: why}, "").Write(t.Context(), letterOf(source, record.ClassMalformed))
	if !errors.Is(err, why) {
		t.Fatalf("got %v, want an error around %v", err, why)
	}
	for _, want := range []string{"order-events/3/1099511627776", "the topic does not exist"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %q, want it to name %q", err, want)
		}
	}
	if strings.Contains(err.Error(), "4711") {
		t.Errorf("got %q, want nothing of the record", err)
	}
}
