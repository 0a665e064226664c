package deadletter_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/prantikov/millrace/deadletter"
	"github.com/prantikov/millrace/record"
)

// springRecords returns the records of testdata/dlt-41.jsonl: what a real Spring Kafka 4.1 read, and the dead letters that it wrote.
func springRecords(t *testing.T) map[record.Position]*record.Record {
	t.Helper()
	content, err := os.ReadFile("testdata/dlt-41.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	records := map[record.Position]*record.Record{}
	lines := bufio.NewScanner(bytes.NewReader(content))
	lines.Buffer(nil, len(content)+1)
	for lines.Scan() {
		var line struct {
			Topic     string
			Partition int32
			Offset    int64
			Timestamp int64
			Key       []byte
			Value     []byte
			Headers   [][2]json.RawMessage
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		r := &record.Record{
			Position:  record.Position{Topic: line.Topic, Partition: line.Partition, Offset: line.Offset},
			Timestamp: time.UnixMilli(line.Timestamp), Key: line.Key, Value: line.Value,
		}
		for _, pair := range line.Headers {
			var header record.Header
			if json.Unmarshal(pair[0], &header.Key) != nil || json.Unmarshal(pair[1], &header.Value) != nil {
				t.Fatalf("reading a header of %s: it is not a name and base64", r.Position)
			}
			r.Headers = append(r.Headers, header)
		}
		records[r.Position] = r
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return records
}

// Ensure each dead letter that Spring wrote leads to the very record that it was made of, also when it failed twice.
func TestSpringDeadLettersLeadToTheirOrigin(t *testing.T) {
	t.Parallel()
	records := springRecords(t)
	found := map[string]int{}
	for position, r := range records {
		e, ok := deadletter.Parse(r)
		if !strings.HasSuffix(position.Topic, "-dlt") {
			if ok {
				t.Errorf("%s: got a dead letter of %s, want none", position, e.Family)
			}
			continue
		}
		found[position.Topic]++
		original := records[e.Original]
		if original == nil {
			t.Errorf("%s: got origin %s, want a record of the file", position, e.Original)
			continue
		}
		if !bytes.Equal(original.Key, r.Key) || strings.HasSuffix(original.Topic, "-dlt") {
			t.Errorf("%s: got origin %s, want the record with its key", position, e.Original)
		}
		group := "dlt41.dlt-group"
		if strings.HasSuffix(position.Topic, "-dlt-dlt") {
			group += "-2"
		}
		if e.Consumer != group || e.Class != deadletter.Foreign || e.Family != deadletter.FamilySpring || !e.FailedAt.Equal(r.Timestamp) {
			t.Errorf("%s: got %+v, want group %q, foreign, spring, failed at its timestamp", position, e, group)
		}
	}
	for topic, want := range map[string]int{
		"dlt41.appointment-events-dlt": 12, "dlt41.appointment-events-dlt-dlt": 12,
		"dlt41.int-key-appointment-events-dlt": 1, "dlt41.order-events-dlt": 2,
	} {
		if found[topic] != want {
			t.Errorf("dead letters of %s: got %d, want %d", topic, found[topic], want)
		}
	}
}
