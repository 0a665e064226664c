package columns_test

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/prantikov/millrace/handlers/archive/columns"
	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router"
)

var at = time.Date(2024, 12, 25, 10, 30, 0, 123_000_000, time.UTC)

func settings(shown bool) columns.Settings {
	return columns.Settings{
		Types: messages.Types(), PHI: shown, Limits: router.Limits{ValueBytes: 1000},
		TopicName: func(own string) string { return "our." + own }, Pseudonym: func(patient string) string { return "pseudonym of " + patient },
	}
}

// write makes the table of records.
func write(t *testing.T, s columns.Settings, topic string, records ...*record.Record) []byte {
	t.Helper()
	var file bytes.Buffer
	table := columns.New(s).Begin(topic, &file)
	for _, r := range records {
		if err := table.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := table.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// read are the rows of a table, by the names of their columns; a null is left out.
func read(t *testing.T, content []byte) []map[string]string {
	t.Helper()
	file, err := parquet.OpenFile(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	names := file.Schema().Columns()
	var read []map[string]string
	for _, group := range file.RowGroups() {
		rows, buffer := group.Rows(), make([]parquet.Row, 10)
		for {
			n, err := rows.ReadRows(buffer)
			for _, row := range buffer[:n] {
				fields := map[string]string{}
				for _, value := range row {
					if !value.IsNull() {
						fields[names[value.Column()][0]] = value.String()
					}
				}
				read = append(read, fields)
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return read
}

func order(key, value string) *record.Record {
	return &record.Record{Position: record.Position{Topic: "our.order-events", Partition: 3, Offset: 42}, Timestamp: at, Key: []byte(key), Value: []byte(value)}
}

const good = `{"orderId":"ord-1","patientId":"pat-1","pharmacyId":"pha-1","totalPrice":12.50,"status":"shipped","orderDate":"2024-12-25T10:30:00.5",` +
	`"deliveryDate":null,"items":[{"productId":"a","quantity":2,"price":6.25}],"action":"shipped"}`

func TestRows(t *testing.T) {
	t.Parallel()
	always := map[string]string{"topic": "our.order-events", "partition": "3", "offset": "42", "timestamp": "1735122600123000"}
	event := map[string]string{"orderId": "ord-1", "pharmacyId": "pha-1", "status": "shipped", "action": "shipped"}
	with := func(more ...map[string]string) map[string]string {
		row := map[string]string{}
		for _, fields := range more {
			for name, value := range fields {
				row[name] = value
			}
		}
		return row
	}
	all := map[string]string{
		"patientId": "pat-1", "totalPrice": "12.5", "orderDate": "1735122600500000", "items": `[{"productId":"a","quantity":2,"price":6.25}]`,
	}
	tests := []struct {
		name  string
		shown bool
		r     *record.Record
		want  map[string]string
	}{
		{"patient data is a pseudonym or nothing", false, order("ord-1", good), with(always, event, map[string]string{"key": "ord-1", "patientId": "pseudonym of pat-1"})},
		{"patient data is shown where the setting says so", true, order("ord-1", good), with(always, event, all, map[string]string{"key": "ord-1"})},
		{"a key that is the patient is the same pseudonym", false, order("pat-1", good),
			with(always, event, map[string]string{"key": "pseudonym of pat-1", "patientId": "pseudonym of pat-1"})},
		{"a key of which nobody knows is a pseudonym", false, order("Jane Doe", good),
			with(always, event, map[string]string{"key": "pseudonym of Jane Doe", "patientId": "pseudonym of pat-1"})},
		{"a key that is no text is left out", true, order("\xff", "{"), with(always, map[string]string{"class": "malformed"})},
		{"a word that the contract does not have is left out", false, order("ord-1", `{"orderId":"ord-1","status":"Jane Doe","action":"created"}`),
			with(always, map[string]string{"key": "ord-1", "orderId": "ord-1", "action": "created"})},
		{"what could not be read has its class", false, order("ord-1", `{"orderId":"ord-1","action":"exploded"}`),
			with(always, map[string]string{"key": "pseudonym of ord-1", "class": "unknown_action"})},
		{"what no consumer would decode has its class", false, order("ord-1", strings.Repeat(" ", 1001)), with(always, map[string]string{"key": "pseudonym of ord-1", "class": "too_large"})},
		{"a tombstone without a key", false, &record.Record{Position: order("", "").Position, Timestamp: at}, with(always, map[string]string{"class": "tombstone"})},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := read(t, write(t, settings(test.shown), "our.order-events", test.r))
			if len(got) != 1 || !reflect.DeepEqual(got[0], test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// Ensure each field has a column of its own type, in the order of the event.
func TestColumnsAreTyped(t *testing.T) {
	t.Parallel()
	want := map[string][]string{
		"our.order-events": {"orderId STRING", "patientId STRING", "pharmacyId STRING", "totalPrice DOUBLE", "status STRING",
			"orderDate TIMESTAMP(isAdjustedToUTC=false,unit=MICROS)", "deliveryDate TIMESTAMP(isAdjustedToUTC=false,unit=MICROS)", "items JSON", "action STRING"},
		"our.appointment-events": {"appointmentId STRING", "patientId STRING", "doctorId STRING", "date DATE", "time TIME(isAdjustedToUTC=false,unit=MICROS)",
			"reason STRING", "status STRING", "visitType STRING", "action STRING"},
		"somebody-elses": nil,
	}
	own := []string{"topic STRING", "partition INT(32,true)", "offset INT(64,true)", "timestamp TIMESTAMP(isAdjustedToUTC=true,unit=MICROS)", "key STRING", "class STRING"}
	for topic, fields := range want {
		content := write(t, settings(false), topic)
		file, err := parquet.OpenFile(bytes.NewReader(content), int64(len(content)))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, field := range file.Schema().Fields() {
			got = append(got, field.Name()+" "+field.Type().String())
		}
		if want := slices.Concat(own, fields); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", topic, got, want)
		}
	}
}

// Ensure a type of somebody's own is one table too, whatever its fields are called.
func TestNamesOfFieldsDoNotCollide(t *testing.T) {
	t.Parallel()
	type Stock struct {
		ID     string           `json:"id"`
		Offset int64            `json:"Offset"`
		Rate   float64          `json:"rate"`
		Full   bool             `json:"full"`
		Day    messages.Date    `json:"dt"`
		Count  messages.Integer `json:"count"`
		Action messages.Action  `json:"action"`
	}
	stock := messages.NewTopic("stock", func(s *Stock) string { return s.ID }, func(s *Stock) *messages.Action { return &s.Action }, messages.Created)
	s := columns.Settings{Types: []messages.Type{stock}}
	r := &record.Record{Position: record.Position{Topic: "stock"}, Timestamp: at, Value: []byte(`{"id":"s","Offset":7,"rate":0.5,"full":true,"dt":"2024-12-25","count":3,"action":"created"}`)}
	got := read(t, write(t, s, "stock", r))
	want := map[string]string{"topic": "stock", "partition": "0", "offset": "0", "timestamp": "1735122600123000", "id": "s", "event_Offset": "7",
		"rate": "0.5", "full": "true", "event_dt": "20082", "count": "3", "action": "created"}
	if len(got) != 1 || !reflect.DeepEqual(got[0], want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Ensure a table with more rows than a group has is whole, and the same each time.
func TestTableOfManyRows(t *testing.T) {
	t.Parallel()
	const many = 60_000
	r := order("ord-1", good)
	records := make([]*record.Record, many)
	for i := range records {
		records[i] = r
	}
	content := write(t, settings(false), "our.order-events", records...)
	if got, err := columns.Rows(bytes.NewReader(content), int64(len(content))); got != many || err != nil {
		t.Errorf("got %d rows and %v, want %d", got, err, many)
	}
	if again := write(t, settings(false), "our.order-events", records...); !bytes.Equal(content, again) {
		t.Error("got other bytes of the same records, want the same")
	}
}
