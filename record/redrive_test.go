package record_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/prantikov/millrace/record"
)

func TestRedriveComesBackAsItWas(t *testing.T) {
	t.Parallel()
	letter := record.Position{Topic: "order-events-dlt", Partition: 3, Offset: 9}
	cases := map[string]func(*record.Record){
		"as it is":        func(*record.Record) {},
		"without headers": func(r *record.Record) { r.Headers = nil },
		"a tombstone":     func(r *record.Record) { r.Value = nil },
		"no key":          func(r *record.Record) { r.Key = nil },
		"headers that look like ours": func(r *record.Record) {
			r.Headers = []record.Header{
				{Key: record.RedriveLetterHeader, Value: []byte("x-dlt/0/1")}, {Key: record.RedriveOriginalHeader, Value: []byte("x/0/1")},
			}
		},
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			original := &record.Record{
				Position:  record.Position{Topic: "order-events", Partition: 3, Offset: 42},
				Timestamp: time.UnixMilli(1735120000123).UTC(), Key: []byte("ord-1"), Value: []byte("{}"),
				Headers: []record.Header{{Key: "h", Value: []byte("1")}, {Key: "h", Value: nil}},
			}
			change(original)
			on := record.Redrive{Original: original, Letter: letter}.On("logging-redrive")
			if on.Topic != "logging-redrive" {
				t.Errorf("got topic %q, want %q", on.Topic, "logging-redrive")
			}
			got, ok := record.RedriveOf(on)
			if !ok || got.Letter != letter {
				t.Fatalf("got %v and letter %v, want true and %v", ok, got.Letter, letter)
			}
			if len(got.Original.Headers) == 0 {
				got.Original.Headers = nil
			}
			if !reflect.DeepEqual(got.Original, original) {
				t.Errorf("got %+v, want %+v", got.Original, original)
			}
		})
	}
}

func TestRecordThatNobodyRedrove(t *testing.T) {
	t.Parallel()
	header := func(key, value string) record.Header { return record.Header{Key: key, Value: []byte(value)} }
	letter, original := header(record.RedriveLetterHeader, "t-dlt/0/1"), header(record.RedriveOriginalHeader, "t/0/1")
	cases := map[string][]record.Header{
		"no headers":          nil,
		"one of them":         {letter},
		"the wrong order":     {original, letter},
		"another behind them": {letter, original, header("h", "1")},
		"no position":         {header(record.RedriveLetterHeader, "t-dlt"), original},
		"no original":         {letter, header(record.RedriveOriginalHeader, "")},
		"no timestamp":        {letter, header(record.RedriveOriginalHeader, "t/0/1 noon")},
	}
	for name, headers := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, ok := record.RedriveOf(&record.Record{Headers: headers}); ok {
				t.Errorf("got %+v, want none", got)
			}
		})
	}
}

// Ensure a record whose dead letter has another timestamp, as Spring Kafka's, comes back with its own and stands on the topic with the letter's.
func TestRedriveKeepsTheTimestampOfTheRecord(t *testing.T) {
	t.Parallel()
	sent, failed := time.UnixMilli(1735120000123).UTC(), time.UnixMilli(1735160000456).UTC()
	original := &record.Record{Position: record.Position{Topic: "order-events", Partition: 3, Offset: 42}, Timestamp: sent}
	on := record.Redrive{Original: original, Letter: record.Position{Topic: "order-events-dlt"}, Written: failed}.On("orders-redrive")
	if !on.Timestamp.Equal(failed) || on.Partition != 0 {
		t.Errorf("got %s on partition %d, want the letter's %s on the first", on.Timestamp, on.Partition, failed)
	}
	got, ok := record.RedriveOf(on)
	if !ok || !got.Original.Timestamp.Equal(sent) || !got.Written.Equal(failed) || got.Original.Position != original.Position {
		t.Errorf("got %+v, %t, want the record of %s", got, ok, sent)
	}
}
