package kafka_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/record"
)

// consumed is a record with everything that a lesser marshaler loses.
func consumed() *sarama.ConsumerMessage {
	return &sarama.ConsumerMessage{
		Topic: "order-events", Partition: 3, Offset: 42, Timestamp: time.UnixMilli(1735120000123),
		Key: []byte("o-1"), Value: []byte(`{"a":1}`),
		Headers: []*sarama.RecordHeader{
			{Key: []byte("h"), Value: []byte("1")}, {Key: []byte("z"), Value: nil}, {Key: []byte("h"), Value: []byte("2")},
			{Key: []byte("a"), Value: []byte{}}, {Key: []byte("\xff"), Value: []byte{0xfe, 0}},
		},
	}
}

// sent is the producer message in comparable form.
func sent(t *testing.T, m *sarama.ProducerMessage) *record.Record {
	t.Helper()
	r := &record.Record{Timestamp: m.Timestamp}
	r.Topic = m.Topic
	for encoder, field := range map[*sarama.Encoder]*[]byte{&m.Key: &r.Key, &m.Value: &r.Value} {
		if *encoder == nil {
			continue
		}
		bytes, err := (*encoder).Encode()
		if err != nil {
			t.Fatal(err)
		}
		*field = bytes
	}
	for _, header := range m.Headers {
		r.Headers = append(r.Headers, record.Header{Key: string(header.Key), Value: header.Value})
	}
	return r
}

func TestMarshalerPassesARecordOnAsItIs(t *testing.T) {
	t.Parallel()
	cases := map[string]func(*sarama.ConsumerMessage){
		"as it is":                    func(*sarama.ConsumerMessage) {},
		"null key":                    func(m *sarama.ConsumerMessage) { m.Key = nil },
		"empty key":                   func(m *sarama.ConsumerMessage) { m.Key = []byte{} },
		"tombstone":                   func(m *sarama.ConsumerMessage) { m.Value = nil },
		"empty value":                 func(m *sarama.ConsumerMessage) { m.Value = []byte{} },
		"no timestamp":                func(m *sarama.ConsumerMessage) { m.Timestamp = time.Time{} },
		"bytes that are no text":      func(m *sarama.ConsumerMessage) { m.Key, m.Value = []byte{0xff}, []byte{0xfe, 0xff} },
		"the id of another publisher": func(m *sarama.ConsumerMessage) { m.Headers[0].Key = []byte("_watermill_message_uuid") },
	}
	for name, change := range cases {
		for _, way := range []string{"context", "metadata"} {
			t.Run(name+" by "+way, func(t *testing.T) {
				t.Parallel()
				from := consumed()
				change(from)
				msg, err := kafka.Marshaler{}.Unmarshal(from)
				if err != nil {
					t.Fatal(err)
				}
				if way == "metadata" {
					// watermill-kafka replaces the context, and resends a copy after a nack.
					msg.SetContext(t.Context())
					msg = msg.Copy()
				}
				produced, err := kafka.Marshaler{}.Marshal("elsewhere", msg)
				if err != nil {
					t.Fatal(err)
				}
				got := sent(t, produced)
				want := &record.Record{Timestamp: utc(from.Timestamp), Key: from.Key, Value: from.Value}
				want.Topic = "elsewhere"
				for _, header := range from.Headers {
					want.Headers = append(want.Headers, record.Header{Key: string(header.Key), Value: header.Value})
				}
				if !reflect.DeepEqual(got, want) {
					t.Errorf("got %#v\nwant %#v", got, want)
				}
				if got := kafka.RecordOf(msg).Position; got != (record.Position{Topic: "order-events", Partition: 3, Offset: 42}) {
					t.Errorf("got position %s, want order-events/3/42", got)
				}
			})
		}
	}
}

func TestMarshalerSendsWhatWasChanged(t *testing.T) {
	t.Parallel()
	msg, _ := kafka.Marshaler{}.Unmarshal(consumed())
	msg.Payload = []byte("new")
	msg.Metadata["z"] = "changed"
	msg.Metadata["b"] = "added"
	delete(msg.Metadata, "a")
	produced, _ := kafka.Marshaler{}.Marshal("elsewhere", msg)
	got := sent(t, produced)
	want := []record.Header{
		{Key: "h", Value: []byte("1")}, {Key: "h", Value: []byte("2")}, {Key: "\xff", Value: []byte{0xfe, 0}},
		{Key: "b", Value: []byte("added")}, {Key: "z", Value: []byte("changed")},
	}
	if !reflect.DeepEqual(got.Headers, want) {
		t.Errorf("got headers %q, want %q", got.Headers, want)
	}
	if string(got.Value) != "new" || string(got.Key) != "o-1" {
		t.Errorf("got value %q and key %q, want %q and %q", got.Value, got.Key, "new", "o-1")
	}
}

func TestMarshalerSeesEveryChangeOfTheMetadata(t *testing.T) {
	t.Parallel()
	header := func(key, value string) record.Header { return record.Header{Key: key, Value: []byte(value)} }
	cases := map[string]struct {
		headers []record.Header
		change  func(message.Metadata)
		want    []record.Header
	}{
		"one added beside a header that stands twice": {
			[]record.Header{header("h", "1"), header("h", "1")}, func(m message.Metadata) { m["b"] = "2" },
			[]record.Header{header("h", "1"), header("h", "1"), header("b", "2")},
		},
		"one added and one taken away": {
			[]record.Header{header("h", "1"), header("a", "1")}, func(m message.Metadata) { delete(m, "a"); m["b"] = "2" },
			[]record.Header{header("h", "1"), header("b", "2")},
		},
		"one changed": {
			[]record.Header{header("h", "1"), header("a", "1")}, func(m message.Metadata) { m["h"] = "2" },
			[]record.Header{header("a", "1"), header("h", "2")},
		},
		"an empty one taken away": {
			[]record.Header{header("h", "")}, func(m message.Metadata) { delete(m, "h") }, nil,
		},
		"none": {
			[]record.Header{header("h", "1"), header("a", "")}, func(message.Metadata) {}, []record.Header{header("h", "1"), header("a", "")},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &record.Record{Position: record.Position{Topic: "order-events"}, Headers: c.headers}
			msg := kafka.NewMessage(r)
			c.change(msg.Metadata)
			produced, _ := kafka.Marshaler{}.Marshal("elsewhere", msg)
			if got := sent(t, produced).Headers; !reflect.DeepEqual(got, c.want) {
				t.Errorf("got headers %q, want %q", got, c.want)
			}
		})
	}
}

func TestMarshalerTakesAnybodysMessage(t *testing.T) {
	t.Parallel()
	msg := message.NewMessage("id-1", []byte("body"))
	msg.Metadata["b"], msg.Metadata["a"] = "2", "1"
	produced, _ := kafka.Marshaler{}.Marshal("topic", msg)
	got := sent(t, produced)
	want := []record.Header{{Key: "_watermill_message_uuid", Value: []byte("id-1")}, {Key: "a", Value: []byte("1")}, {Key: "b", Value: []byte("2")}}
	if !reflect.DeepEqual(got.Headers, want) || got.Key != nil {
		t.Errorf("got key %q and headers %q, want no key and %q", got.Key, got.Headers, want)
	}
}

func TestNewMessage(t *testing.T) {
	t.Parallel()
	r := &record.Record{Position: record.Position{Topic: "t", Partition: 1, Offset: 2}, Value: []byte("v")}
	msg := kafka.NewMessage(r)
	if msg.UUID != "t/1/2" || msg.Metadata == nil || kafka.RecordOf(msg) != r {
		t.Errorf("got id %q, metadata %v and record %v, want t/1/2, not nil and the record itself", msg.UUID, msg.Metadata, kafka.RecordOf(msg))
	}
	r = &record.Record{Position: r.Position, Headers: []record.Header{{Key: "ce_id", Value: []byte("e")}, {Key: "k", Value: []byte("1")}, {Key: "k", Value: []byte("2")}}}
	msg = kafka.NewMessage(r)
	if msg.UUID != "e" || msg.Metadata["k"] != "2" {
		t.Errorf("got id %q and k %q, want e and 2", msg.UUID, msg.Metadata["k"])
	}
}

func FuzzMarshalerLosesNothing(f *testing.F) {
	f.Add([]byte("key"), []byte("value"), "header", []byte("h"), int64(1735120000123))
	f.Fuzz(func(t *testing.T, key, value []byte, header string, headerValue []byte, at int64) {
		from := &sarama.ConsumerMessage{
			Topic: "t", Key: key, Value: value, Timestamp: time.UnixMilli(at & (1<<50 - 1)),
			Headers: []*sarama.RecordHeader{{Key: []byte(header), Value: headerValue}},
		}
		msg, _ := kafka.Marshaler{}.Unmarshal(from)
		exact := kafka.RecordOf(msg)
		msg.SetContext(t.Context())
		if got := kafka.RecordOf(msg); !reflect.DeepEqual(got, exact) {
			t.Errorf("got %#v, want %#v", got, exact)
		}
	})
}

func utc(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC()
}
