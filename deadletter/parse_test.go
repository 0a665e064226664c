package deadletter_test

import (
	"encoding/binary"
	"encoding/json"
	"math/big"
	"testing"
	"time"

	"github.com/prantikov/millrace/deadletter"
	"github.com/prantikov/millrace/record"
)

var writtenAt = time.UnixMilli(1795409800950).UTC()

func deadAt(headers ...record.Header) *record.Record {
	return &record.Record{Position: record.Position{Topic: "order-events-dlt", Partition: 1, Offset: 9}, Timestamp: writtenAt, Headers: headers}
}

func header(key, value string) record.Header { return record.Header{Key: key, Value: []byte(value)} }

func int32Header(key string, value int32) record.Header {
	return record.Header{Key: key, Value: binary.BigEndian.AppendUint32(nil, uint32(value))}
}

func int64Header(key string, value int64) record.Header {
	return record.Header{Key: key, Value: binary.BigEndian.AppendUint64(nil, uint64(value))}
}

// wanted is what a test expects of an entry.
type wanted struct {
	family    deadletter.Family
	consumer  string
	class     record.Class
	attempts  int
	original  record.Position
	failedAt  time.Time
	recognise bool
}

var nowhere = record.Position{Partition: -1, Offset: -1}

func TestEveryFamilyIsRead(t *testing.T) {
	t.Parallel()
	origin := record.Position{Topic: "order-events", Partition: 3, Offset: 70_000_000_000}
	tests := map[string]struct {
		headers []record.Header
		want    wanted
	}{
		"spring in binary": {
			[]record.Header{
				header("kafka_dlt-exception-fqcn", "x"), header("kafka_dlt-original-topic", "order-events"),
				int32Header("kafka_dlt-original-partition", 3), int64Header("kafka_dlt-original-offset", origin.Offset),
				header("kafka_dlt-original-consumer-group", "billing"), header("__TypeId__", "com.acme.OrderEvent"),
			},
			wanted{deadletter.FamilySpring, "billing", deadletter.Foreign, 0, origin, writtenAt, true},
		},
		"spring's numbers as text": {
			[]record.Header{
				header("kafka_dlt-original-topic", "order-events"), header("kafka_dlt-original-partition", "3"),
				header("kafka_dlt-original-offset", "70000000000"),
			},
			wanted{deadletter.FamilySpring, "", deadletter.Foreign, 0, origin, writtenAt, true},
		},
		"text as long as the binary number": {
			[]record.Header{
				header("kafka_dlt-original-topic", "order-events"), header("kafka_dlt-original-partition", "0003"),
				header("kafka_dlt-original-offset", "12345678"),
			},
			wanted{deadletter.FamilySpring, "", deadletter.Foreign, 0, record.Position{Topic: "order-events", Partition: 3, Offset: 12345678}, writtenAt, true},
		},
		"spring's partition as a long": {
			[]record.Header{header("kafka_dlt-original-topic", "order-events"), int64Header("kafka_dlt-original-partition", 3)},
			wanted{deadletter.FamilySpring, "", deadletter.Foreign, 0, record.Position{Topic: "order-events", Partition: 3, Offset: -1}, writtenAt, true},
		},
		"numbers that are none": {
			[]record.Header{
				header("kafka_dlt-original-topic", "order-events"), int32Header("kafka_dlt-original-partition", -3),
				header("kafka_dlt-original-offset", "9223372036854775808"),
			},
			wanted{deadletter.FamilySpring, "", deadletter.Foreign, 0, record.Position{Topic: "order-events", Partition: -1, Offset: -1}, writtenAt, true},
		},
		"null headers": {
			[]record.Header{{Key: "kafka_dlt-original-topic"}, {Key: "kafka_dlt-original-partition"}, {Key: "kafka_dlt-original-consumer-group"}},
			wanted{deadletter.FamilySpring, "", deadletter.Foreign, 0, nowhere, writtenAt, true},
		},
		"names that would forge a line": {
			[]record.Header{header("kafka_dlt-original-topic", "a\nb"), header("kafka_dlt-original-consumer-group", "\x1b[31m")},
			wanted{deadletter.FamilySpring, "", deadletter.Foreign, 0, nowhere, writtenAt, true},
		},
		"spring's retry topic": {
			[]record.Header{
				header("kafka_original-topic", "order-events"), int32Header("kafka_original-partition", 3), int64Header("kafka_original-offset", origin.Offset),
				header("kafka_exception-message", "x"), int32Header("retry_topic-attempts", 2), int32Header("retry_topic-attempts", 5),
				{Key: "retry_topic-backoff-timestamp", Value: big.NewInt(1795409800950).Bytes()}, header("kafka_dlt-original-consumer-group", "billing"),
			},
			wanted{deadletter.FamilySpringRetry, "billing", deadletter.Foreign, 4, origin, writtenAt, true},
		},
		"connect": {
			[]record.Header{
				header("__connect.errors.topic", "order-events"), header("__connect.errors.partition", "3"), header("__connect.errors.offset", "70000000000"),
				header("__connect.errors.connector.name", "warehouse"), header("__connect.errors.exception.message", "x"),
			},
			wanted{deadletter.FamilyConnect, "warehouse", deadletter.Foreign, 0, origin, time.Time{}, true},
		},
		"connect's numbers are never binary": {
			[]record.Header{header("__connect.errors.topic", "order-events"), int32Header("__connect.errors.partition", 3)},
			wanted{deadletter.FamilyConnect, "", deadletter.Foreign, 0, record.Position{Topic: "order-events", Partition: -1, Offset: -1}, time.Time{}, true},
		},
		"streams": {
			[]record.Header{
				header("__streams.errors.exception", "java.lang.X"), header("__streams.errors.topic", "order-events"),
				header("__streams.errors.partition", "3"), header("__streams.errors.offset", "70000000000"),
			},
			wanted{deadletter.FamilyStreams, "", deadletter.Foreign, 0, origin, time.Time{}, true},
		},
		"share group": {
			[]record.Header{
				header("__dlq.errors.topic", "order-events"), header("__dlq.errors.partition", "3"), header("__dlq.errors.offset", "70000000000"),
				header("__dlq.errors.group", "pickers"), header("__dlq.errors.delivery.count", "5"), header("__dlq.errors.message", "x"),
			},
			wanted{deadletter.FamilyShareGroup, "pickers", deadletter.Foreign, 5, origin, time.Time{}, true},
		},
		"watermill": {
			[]record.Header{
				header("reason_poisoned", "x"), header("topic_poisoned", "order-events"), header("handler_poisoned", "ship"), header("subscriber_poisoned", "kafka.Subscriber"),
			},
			wanted{deadletter.FamilyWatermill, "ship", deadletter.Foreign, 0, record.Position{Topic: "order-events", Partition: -1, Offset: -1}, writtenAt, true},
		},
		"two families: the last one wrote it": {
			[]record.Header{
				header("kafka_dlt-original-topic", "elsewhere"), header("__connect.errors.topic", "order-events"),
				header("__connect.errors.partition", "3"), header("__connect.errors.offset", "70000000000"),
			},
			wanted{deadletter.FamilyConnect, "", deadletter.Foreign, 0, origin, time.Time{}, true},
		},
		"put there by hand": {
			[]record.Header{header("x-trace", "1")},
			wanted{deadletter.FamilyNone, "", deadletter.Foreign, 0, nowhere, time.Time{}, false},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, ok := deadletter.Parse(deadAt(test.headers...))
			got := wanted{e.Family, e.Consumer, e.Class, e.Attempts, e.Original, e.FailedAt, ok}
			if got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestOurDeadLetterIsRead(t *testing.T) {
	t.Parallel()
	source := order()
	dead := deadLetter(t, "", letterOf(source, record.ClassInvalidTransition))
	dead.Offset = 12
	e, ok := deadletter.Parse(dead)
	got := wanted{e.Family, e.Consumer, e.Class, e.Attempts, e.Original, e.FailedAt, ok}
	want := wanted{deadletter.FamilyMillrace, "orders", record.ClassInvalidTransition, 4, source.Position, failedAt, true}
	if got != want || e.Handler != "handlers.(*orders).shipped" || e.Group != "orders-group" || e.Position != dead.Position {
		t.Errorf("got %+v, want %+v", e, want)
	}
}

// Ensure that nobody can give his record another origin or class by sending headers along.
func TestHeadersOfAProducerAreNotBelieved(t *testing.T) {
	t.Parallel()
	elsewhere := &record.Record{Position: record.Position{Topic: "elsewhere", Partition: 5, Offset: 5}}
	forged := deadLetter(t, "", letterOf(elsewhere, record.ClassPermanent)).Headers
	tests := map[string]struct {
		headers []record.Header
		ours    bool // whether it is Millrace that gives the record up, or Spring
	}{
		"a whole forged block, then ours":     {forged, true},
		"a forged origin alone":               {forged[3:9], true},
		"a forged block, then Spring's":       {forged, false},
		"our headers alone, then Spring's":    {forged[9:], false},
		"a forged class and attempts of ours": {forged[9:], true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source := order(test.headers...)
			dead := deadLetter(t, "", letterOf(source, record.ClassMalformed))
			if !test.ours {
				dead.Headers = dead.Headers[:len(dead.Headers)-6]
			}
			e, _ := deadletter.Parse(dead)
			switch {
			case test.ours && (e.Class != record.ClassMalformed || e.Consumer != "orders" || e.Original != source.Position):
				t.Errorf("got %+v, want class malformed of %s", e, source.Position)
			case !test.ours && (e.Class != deadletter.Foreign || e.Family != deadletter.FamilySpring):
				t.Errorf("got %+v, want a foreign dead letter", e)
			}
		})
	}
}

func TestEntryAsJSON(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		record *record.Record
		want   string
	}{
		"ours": {
			deadLetter(t, "", letterOf(order(), record.ClassFailed)),
			`{"topic":"order-events-dlt","partition":3,"offset":-1,"consumer":"orders","class":"failed","attempts":4,"originalTopic":"order-events","originalPartition":3,"originalOffset":1099511627776,"failedAt":"2026-11-23T10:20:30.456Z"}`,
		},
		"nothing is known": {
			deadAt(),
			`{"topic":"order-events-dlt","partition":1,"offset":9,"consumer":"","class":"foreign","attempts":0,"originalTopic":"","originalPartition":-1,"originalOffset":-1,"failedAt":null}`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, _ := deadletter.Parse(test.record)
			got, err := json.Marshal(e)
			if err != nil || string(got) != test.want {
				t.Errorf("got %s, %v, want %s", got, err, test.want)
			}
		})
	}
}

func TestValueInsideAStringIsUnwrapped(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		typeID, value, want string
		wrapped             bool
	}{
		"base64 in a JSON string":          {"[B", `"aGVsbG8="`, "hello", true},
		"nothing in a JSON string":         {"[B", `""`, "", true},
		"escaped slash of base64":          {"[B", `"\/\/\/\/"`, "\xff\xff\xff", true},
		"another type":                     {"com.acme.OrderEvent", `"aGVsbG8="`, `"aGVsbG8="`, false},
		"a string that is no base64":       {"[B", `"hello"`, `"hello"`, false},
		"an object, whatever the type":     {"[B", `{"a":1}`, `{"a":1}`, false},
		"raw bytes":                        {"[B", "hello", "hello", false},
		"a string that ends in the middle": {"[B", `"aGVs`, `"aGVs`, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := deadAt(header("__TypeId__", test.typeID))
			r.Value = []byte(test.value)
			got, wrapped := deadletter.Value(r)
			if string(got) != test.want || wrapped != test.wrapped {
				t.Errorf("got %q, %t, want %q, %t", got, wrapped, test.want, test.wrapped)
			}
		})
	}
}
