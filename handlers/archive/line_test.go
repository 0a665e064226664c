package archive_test

import (
	"bytes"
	stdjson "encoding/json"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"pgregory.net/rapid"

	"github.com/prantikov/millrace/handlers/archive"
	"github.com/prantikov/millrace/record"
)

// anyBytes are bytes of every sort that makes a difference: null, none, text, and what is no text.
func anyBytes() *rapid.Generator[[]byte] {
	return rapid.OneOf(
		rapid.Just([]byte(nil)), rapid.Just([]byte{}), rapid.Map(rapid.String(), func(s string) []byte { return []byte(s) }),
		rapid.SliceOf(rapid.Byte()), rapid.SampledFrom([][]byte{[]byte("\x00"), []byte("\xff"), []byte("a\nb\u2028"), []byte("\xed\xa0\x80"), []byte("�")}),
	)
}

func anyRecord() *rapid.Generator[*record.Record] {
	return rapid.Custom(func(t *rapid.T) *record.Record {
		r := &record.Record{
			Position: record.Position{
				Topic:     rapid.StringMatching(`[a-zA-Z0-9._-]{1,30}`).Draw(t, "topic"),
				Partition: rapid.Int32Min(0).Draw(t, "partition"), Offset: rapid.Int64Min(0).Draw(t, "offset"),
			},
			Timestamp: time.UnixMilli(rapid.Int64Range(-1<<47, 1<<53).Draw(t, "milliseconds")).UTC(),
			Key:       anyBytes().Draw(t, "key"), Value: anyBytes().Draw(t, "value"),
		}
		for range rapid.IntRange(0, 4).Draw(t, "headers") {
			key := rapid.OneOf(rapid.SampledFrom([]string{"", "again", "a\xff"}), rapid.String()).Draw(t, "header")
			r.Headers = append(r.Headers, record.Header{Key: key, Value: anyBytes().Draw(t, "header value")})
		}
		return r
	})
}

// Ensure the archive's whole promise: what is read back from a line is what came, byte for byte, and the line is one line of JSON that
// any reader takes.
func TestLineRoundTrips(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := anyRecord().Draw(t, "record")
		text, err := json.Marshal(archive.LineOf(want))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.ContainsAny(text, "\r\n") || !stdjson.Valid(text) {
			t.Fatalf("got %q, want one line of JSON", text)
		}
		var line archive.Line
		if err := json.Unmarshal(text, &line); err != nil {
			t.Fatalf("reading %s: %v", text, err)
		}
		if why := difference(line.Record(), want); why != "" {
			t.Errorf("%s: %s", text, why)
		}
	})
}

// Ensure the same with Go's own JSON, which other programs read the archive with.
func TestLineRoundTripsWithTheStandardLibrary(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := anyRecord().Draw(t, "record")
		text, err := json.Marshal(archive.LineOf(want))
		if err != nil {
			t.Fatal(err)
		}
		var line archive.Line
		if err := stdjson.Unmarshal(text, &line); err != nil {
			t.Fatalf("reading %s: %v", text, err)
		}
		if why := difference(line.Record(), want); why != "" {
			t.Errorf("%s: %s", text, why)
		}
	})
}

// difference says in what two records differ, null and empty included; empty when in nothing.
func difference(got, want *record.Record) string {
	switch {
	case got.Position != want.Position:
		return "got position " + got.Position.String() + ", want " + want.Position.String()
	case !got.Timestamp.Equal(want.Timestamp):
		return "got timestamp " + got.Timestamp.String() + ", want " + want.Timestamp.String()
	case !same(got.Key, want.Key):
		return "got another key"
	case !same(got.Value, want.Value):
		return "got another value"
	case len(got.Headers) != len(want.Headers):
		return "got another number of headers"
	}
	for i := range want.Headers {
		if got.Headers[i].Key != want.Headers[i].Key || !same(got.Headers[i].Value, want.Headers[i].Value) {
			return "got another header " + want.Headers[i].Key
		}
	}
	return ""
}

func same(got, want []byte) bool { return bytes.Equal(got, want) && (got == nil) == (want == nil) }

// Ensure the form of a line, which outlives this program.
func TestLine(t *testing.T) {
	t.Parallel()
	at := time.Date(2024, 12, 25, 12, 30, 0, 123_000_000, time.FixedZone("", 2*60*60))
	where := record.Position{Topic: "order-events", Partition: 3, Offset: 42}
	const begin = `{"topic":"order-events","partition":3,"offset":42,"timestamp":"2024-12-25T10:30:00.123Z",`
	tests := []struct {
		name string
		r    record.Record
		want string
	}{
		{"text stands as text", record.Record{Key: []byte("ord-1"), Value: []byte(`{"orderId":"ord-1"}`)},
			`"key":"ord-1","value":"{\"orderId\":\"ord-1\"}","headers":[]}`},
		{"a tombstone without a key has two nulls", record.Record{}, `"key":null,"value":null,"headers":[]}`},
		{"empty is not null", record.Record{Key: []byte{}, Value: []byte{}}, `"key":"","value":"","headers":[]}`},
		{"bytes that are no text stand as base64", record.Record{Key: []byte("k\xff"), Value: []byte("\xfe")},
			`"key":null,"keyBase64":"a/8=","value":null,"valueBase64":"/g==","headers":[]}`},
		{"control characters are escaped", record.Record{Key: []byte("\x00\x1b"), Value: []byte("a\nb")},
			`"key":"\u0000\u001b","value":"a\nb","headers":[]}`},
		{"headers keep their order, repeats, nulls and bytes", record.Record{Headers: []record.Header{
			{Key: "b", Value: []byte("1")}, {Key: "a"}, {Key: "b", Value: []byte{}}, {Key: "\xff", Value: []byte("\xff")},
		}}, `"key":null,"value":null,"headers":[{"key":"b","value":"1"},{"key":"a","value":null},{"key":"b","value":""},` +
			`{"key":null,"keyBase64":"/w==","value":null,"valueBase64":"/w=="}]}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.r.Position, test.r.Timestamp = where, at
			got, err := json.Marshal(archive.LineOf(&test.r))
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != begin+test.want {
				t.Errorf("got %s, want %s", got, begin+test.want)
			}
		})
	}
}
