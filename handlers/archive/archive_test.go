package archive_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/prantikov/millrace/handlers"
	"github.com/prantikov/millrace/handlers/archive"
	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/router/routertest"
	"github.com/prantikov/millrace/store"
	"github.com/prantikov/millrace/store/storetest"
)

// kept is the consumer with its folder.
type kept struct {
	t      *testing.T
	files  router.Option
	folder string
}

func setup(t *testing.T) *kept {
	t.Helper()
	folder := t.TempDir()
	opened, err := store.Open(t.Context(), storetest.Place(t, t.TempDir()), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = opened.Close() })
	files := handlers.Files(handlers.Storage{Store: func() *store.Store { return opened }}, "archive", folder)
	return &kept{t: t, files: files, folder: folder}
}

// kit is the consumer from offset 0 on.
func (k *kept) kit() *routertest.Kit {
	k.t.Helper()
	return routertest.New(k.t, "archive", k.files, router.OnRecord(messages.Types(), archive.Keep))
}

// names are the files that are there.
func (k *kept) names() []string {
	k.t.Helper()
	var names []string
	err := fs.WalkDir(os.DirFS(k.folder), ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		k.t.Fatal(err)
	}
	return names
}

// records are those of one file.
func (k *kept) records(file string) []*record.Record {
	k.t.Helper()
	content, err := os.ReadFile(filepath.Join(k.folder, filepath.FromSlash(file)))
	if err != nil {
		k.t.Fatal(err)
	}
	var records []*record.Record
	for text := range bytes.Lines(content) {
		var line archive.Line
		if err := json.Unmarshal(text, &line); err != nil {
			k.t.Fatal(err)
		}
		records = append(records, line.Record())
	}
	return records
}

var at = time.Date(2024, 12, 25, 10, 30, 0, 123_000_000, time.UTC)

// Ensure what no other consumer can read is kept as it came, between what they can read.
func TestMalformedRecordsAreKeptAsTheyCame(t *testing.T) {
	t.Parallel()
	good := messages.Orders.Sample(messages.Created)
	odd := []record.Record{
		{Key: []byte("ord-1"), Value: good},
		{Key: []byte("ord-1"), Value: good[:len(good)-3]},
		{Key: []byte("ord-1"), Value: append(slices.Clone(good), " \t\r\n"...)},
		{Key: []byte("ord-1"), Value: []byte(`{"action":"exploded"}`)},
		{Key: []byte("ord-1"), Value: []byte("null")},
		{Key: []byte("ord-1"), Value: nil},
		{Key: []byte("ord-1"), Value: []byte{}},
		{Key: nil, Value: []byte("\xff\xfe\x00")},
		{Key: []byte{}, Value: []byte("\x00\x00\x00\x00\x07{}")},
		{Key: []byte("\x80"), Value: []byte("a\nb\r\n")},
		{Value: []byte("{}"), Headers: []record.Header{{Key: "a", Value: []byte("1")}, {Key: "b"}, {Key: "a", Value: []byte{}}, {Key: "\xff", Value: []byte("\xff")}}},
		{Value: []byte("{}"), Headers: []record.Header{{Key: "__TypeId__", Value: []byte("com.acme.AppointmentEvent")}}},
		{Value: bytes.Repeat([]byte("x"), 5<<20)},                     // beyond limits.value_bytes
		{Value: []byte("{}"), Headers: make([]record.Header, 10_000)}, // beyond limits.headers
	}
	k := setup(t)
	var records []*record.Record
	for i := range odd {
		odd[i].Topic, odd[i].Timestamp = "order-events", at
		records = append(records, &odd[i])
	}
	kit := k.kit()
	for i, result := range kit.DeliverRecords(records...) {
		if result.Outcome != record.Done {
			t.Errorf("record %d: got %s of class %q, want done", i, result.Outcome, result.Class)
		}
	}
	got := k.records("order-events/0/2024-12-25.jsonl")
	if len(got) != len(records) {
		t.Fatalf("got %d lines, want %d", len(got), len(records))
	}
	for i, want := range records {
		want.Offset = int64(i) // where the kit has placed it
		if why := difference(got[i], want); why != "" {
			t.Errorf("record %d: %s", i, why)
		}
	}
}

func TestOneFileForEachTopicPartitionAndDay(t *testing.T) {
	t.Parallel()
	k := setup(t)
	kit := k.kit()
	place := func(topic string, partition int32, at time.Time) *record.Record {
		return &record.Record{Position: record.Position{Topic: topic, Partition: partition}, Timestamp: at, Value: []byte("{}")}
	}
	midnight := time.Date(2024, 12, 26, 0, 0, 0, 0, time.UTC)
	kit.DeliverRecords(place("order-events", 0, at), place("order-events", 0, midnight), place("order-events", 0, midnight.Add(-time.Millisecond)))
	kit.DeliverRecords(place("order-events", 5, at))
	kit.DeliverRecords(place("appointment-events", 0, midnight.In(time.FixedZone("", -5*60*60))))
	kit.DeliverRecords(place("health-record-events", 0, time.Time{}))
	kit.DeliverRecords(place("prescription-events", 0, time.UnixMilli(at.UnixMicro())))
	want := []string{
		"appointment-events/0/2024-12-26.jsonl",
		"health-record-events/0/0001-01-01.jsonl",
		"order-events/0/2024-12-25.jsonl",
		"order-events/0/2024-12-26.jsonl",
		"order-events/5/2024-12-25.jsonl",
		"prescription-events/0/56953-11-05.jsonl",
	}
	if got := k.names(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	// The lines of a file are in the order of the log, whatever the timestamps say.
	if got := k.records("order-events/0/2024-12-25.jsonl"); len(got) != 2 || got[0].Offset != 0 || got[1].Offset != 2 {
		t.Errorf("got %v, want the records 0 and 2", got)
	}
}

// Ensure a record that comes again adds nothing: a kit begins at offset 0, so a second one on the same store delivers the same again.
func TestRepeatAddsNoLine(t *testing.T) {
	t.Parallel()
	k := setup(t)
	for range 2 {
		r := &record.Record{Position: record.Position{Topic: "order-events"}, Timestamp: at, Value: []byte("{")}
		k.kit().DeliverRecords(r, r)
	}
	if got := k.records("order-events/0/2024-12-25.jsonl"); len(got) != 2 {
		t.Errorf("got %d lines, want 2", len(got))
	}
}
