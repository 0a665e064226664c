//go:build unix

package integration_test

import (
	"bytes"
	"database/sql"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Ensure the ledger sees what is wrong: what it says of the program is worth no more than that.
func TestLedgerSeesWhatIsWrong(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, anyBroker(t), nil)
	p.provision(t)
	made := p.load()
	var records []*kgo.Record
	for range 210 {
		records = append(records, made.next())
	}
	p.produce(t, records...)
	p.finish(t)
	settle(t, p).report("as it was")

	spoilLines(t, p, "logging", func(lines [][]byte) [][]byte { return lines[2:] })
	spoilLines(t, p, "notification", func(lines [][]byte) [][]byte { return append(lines, lines[0], lines[1], lines[1]) })
	spoilStore(t, p, "UPDATE event_counts SET events = events + 5 WHERE topic = ? AND action = 'created'", p.topics["order-events"])
	spoilStore(t, p, "INSERT INTO entities SELECT 'x-' || id, type, status, action, deleted, body, topic, partition, record_offset, record_time, "+
		"first_topic, first_partition, first_offset, revision FROM entities WHERE topic = ?", p.topics["health-record-events"])
	type wrong struct{ lost, doubled, beside int }
	got := map[string]wrong{}
	rows := settle(t, p).rows
	for _, r := range rows {
		got[r.consumer] = wrong{r.lost, r.doubled, r.beside}
	}
	want := map[string]wrong{
		"appointments": {}, "prescriptions": {}, "orders": {}, "archive": {}, "logging": {lost: 2}, "notification": {doubled: 3}, "analytics": {doubled: 5},
		"health-records": {beside: rows[3].expected},
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// spoilLines changes the first file of a sink.
func spoilLines(t *testing.T, p *platform, consumer string, spoil func([][]byte) [][]byte) {
	t.Helper()
	name := p.files(t, consumer)[0]
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(content, []byte("\n"))
	if err := os.WriteFile(name, bytes.Join(spoil(lines[:len(lines)-1]), nil), 0o600); err != nil {
		t.Fatal(err)
	}
}

// spoilStore changes the store.
func spoilStore(t *testing.T, p *platform, statement string, arguments ...any) {
	t.Helper()
	database, err := sql.Open("sqlite", "file:"+filepath.Join(p.data, "store.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer database.Close()
	if _, err := database.ExecContext(t.Context(), statement, arguments...); err != nil {
		t.Fatal(err)
	}
}
