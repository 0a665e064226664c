package record_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/prantikov/millrace/record"
)

func TestPositionIsReadAsItIsShown(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := record.Position{
			Topic:     rapid.StringMatching(`[a-zA-Z0-9._-]{1,249}`).Draw(t, "topic"),
			Partition: rapid.Int32Min(0).Draw(t, "partition"),
			Offset:    rapid.Int64Min(0).Draw(t, "offset"),
		}
		got, err := record.ParsePosition(want.String())
		if err != nil || got != want {
			t.Errorf("got %v with error %v, want %v", got, err, want)
		}
	})
}

func TestPositionIsTopicPartitionOffset(t *testing.T) {
	t.Parallel()
	position := record.Position{Topic: "order-events", Partition: 3, Offset: 42}
	if got, want := position.String(), "order-events/3/42"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestWhatIsNoPositionIsRefusedAndQuoted(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"nothing":                     "",
		"a topic alone":               "order-events",
		"no offset":                   "order-events/3",
		"no topic":                    "/3/42",
		"one part too many":           "order-events/3/42/1",
		"a negative partition":        "order-events/-1/42",
		"a negative offset":           "order-events/3/-1",
		"a partition beyond 32 bits":  "order-events/2147483648/42",
		"an offset beyond 64 bits":    "order-events/3/9223372036854775808",
		"an offset that is no number": "order-events/3/latest",
		"blanks":                      "order-events/ 3/42",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := record.ParsePosition(text)
			if err == nil {
				t.Fatalf("got %v, want an error", got)
			}
			if !strings.Contains(err.Error(), `"`+text+`"`) {
				t.Errorf("got error %q, want %q quoted in it", err, text)
			}
		})
	}
}

func TestHeaderIsTheLastOfItsKey(t *testing.T) {
	t.Parallel()
	r := &record.Record{Headers: []record.Header{
		{Key: "trace", Value: []byte("first")}, {Key: "null", Value: nil}, {Key: "trace", Value: []byte("last")}, {Key: "empty", Value: []byte{}},
	}}
	tests := []struct {
		name, key string
		want      string
		null, ok  bool
	}{
		{name: "a key that repeats gives its last value", key: "trace", want: "last", ok: true},
		{name: "a null header is there and nil", key: "null", null: true, ok: true},
		{name: "an empty header is there and not nil", key: "empty", ok: true},
		{name: "keys differ in case", key: "Trace", null: true},
		{name: "a key that is missing is not there", key: "span", null: true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			value, ok := r.Header(test.key)
			if string(value) != test.want || (value == nil) != test.null || ok != test.ok {
				t.Errorf("got %q (nil: %t), %t, want %q (nil: %t), %t", value, value == nil, ok, test.want, test.null, test.ok)
			}
		})
	}
}

func TestIDIsThatOfTheCloudEventOrThePosition(t *testing.T) {
	t.Parallel()
	header := func(key, value string) record.Header { return record.Header{Key: key, Value: []byte(value)} }
	tests := []struct {
		name    string
		headers []record.Header
		want    string
	}{
		{"no header gives the position", nil, "order-events/3/42"},
		{"the Kafka binding's name", []record.Header{header("ce_id", "e-1")}, "e-1"},
		{"older Spring's names", []record.Header{header("cloudEvents:id", "e-2")}, "e-2"},
		{"the Kafka binding's name before older ones", []record.Header{header("ce-id", "e-2"), header("ce_id", "e-1")}, "e-1"},
		{"the last of repeated ones", []record.Header{header("ce_id", "e-1"), header("ce_id", "e-3")}, "e-3"},
		{"an empty one gives the position", []record.Header{header("ce_id", "")}, "order-events/3/42"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := &record.Record{Position: record.Position{Topic: "order-events", Partition: 3, Offset: 42}, Headers: test.headers}
			if got := r.ID(); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestSizeIsKeyValueAndHeaders(t *testing.T) {
	t.Parallel()
	r := &record.Record{Key: []byte("12"), Value: []byte("345"), Headers: []record.Header{{Key: "6789", Value: []byte("0")}, {Key: "1"}}}
	if got, want := r.Size(), 11; got != want {
		t.Errorf("got %d bytes, want %d", got, want)
	}
}

func TestContextsCarryRecordAndBatch(t *testing.T) {
	t.Parallel()
	r, b := &record.Record{}, &record.Batch{}
	if got := record.FromContext(t.Context()); got != nil {
		t.Errorf("got record %v from a bare context, want nil", got)
	}
	if got := record.BatchFromContext(t.Context()); got != nil {
		t.Errorf("got batch %v from a bare context, want nil", got)
	}
	ctx := record.NewBatchContext(record.NewContext(t.Context(), r), b)
	if record.FromContext(ctx) != r || record.BatchFromContext(ctx) != b {
		t.Error("got others, want the record and the batch that were put in")
	}
}
