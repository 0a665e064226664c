//go:build unix

package integration_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// lines compares the lines of a file sink with the positions that it must have, each once.
func (l *ledger) lines(consumer string, want map[position]*kgo.Record, letters map[letterKey]int) row {
	l.t.Helper()
	r := row{consumer: consumer, expected: len(want)}
	if consumer != "archive" {
		r.given(l, letters, l.platform.names()...)
	}
	times := map[position]int{}
	for _, text := range l.texts(consumer) {
		var line struct {
			Topic     string
			Partition int32
			Offset    int64
			Timestamp time.Time
		}
		if err := json.Unmarshal(text, &line); err != nil {
			l.t.Errorf("%s: got a torn line of %d bytes: %v", consumer, len(text), err)
			continue
		}
		at := position{line.Topic, line.Partition, line.Offset}
		if record := want[at]; record != nil && !line.Timestamp.Equal(record.Timestamp) {
			l.t.Errorf("%s: %s: got timestamp %s, want %s", consumer, at, line.Timestamp, record.Timestamp)
		}
		times[at]++
	}
	for at := range want {
		switch times[at] {
		case 0:
			r.lost++
		case 1:
			r.done++
		default:
			r.done++
			r.doubled += times[at] - 1
		}
		delete(times, at)
	}
	r.beside += len(times)
	return r
}

// texts are the lines of a consumer's files.
func (l *ledger) texts(consumer string) [][]byte {
	l.t.Helper()
	var texts [][]byte
	for _, name := range l.platform.files(l.t, consumer) {
		content, err := os.ReadFile(name)
		if err != nil {
			l.t.Fatal(err)
		}
		if len(content) > 0 && content[len(content)-1] != '\n' {
			l.t.Errorf("%s: got a file that ends within a line", name)
		}
		lines := bufio.NewScanner(bytes.NewReader(content))
		lines.Buffer(nil, 64<<20)
		for lines.Scan() {
			texts = append(texts, bytes.Clone(lines.Bytes()))
		}
		if err := lines.Err(); err != nil {
			l.t.Fatal(err)
		}
	}
	return texts
}

// archive compares the archive with the whole log: every record once, every byte of it.
func (l *ledger) archive(letters map[letterKey]int) row {
	l.t.Helper()
	r := l.lines("archive", l.log, nil)
	for key := range letters {
		if key.consumer == "archive" {
			r.beside++
		}
	}
	for _, text := range l.texts("archive") {
		kept, err := archived(text)
		if err != nil {
			continue // a torn line, which is counted
		}
		if want := l.log[positionOf(kept)]; want != nil && (!sameRecord(kept, want, len(want.Headers)) || len(kept.Headers) != len(want.Headers)) {
			l.t.Errorf("archive: %s is not the record byte for byte", positionOf(kept))
		}
	}
	return r
}

// archived is the record of a line of the archive.
func archived(line []byte) (*kgo.Record, error) {
	type bytesOrText struct {
		Key, Value             *string
		KeyBase64, ValueBase64 *string
	}
	var parsed struct {
		bytesOrText
		Topic     string
		Partition int32
		Offset    int64
		Timestamp time.Time
		Headers   []bytesOrText
	}
	if err := json.Unmarshal(line, &parsed); err != nil {
		return nil, err
	}
	raw := func(text, encoded *string) []byte {
		if text != nil {
			return []byte(*text)
		}
		if encoded == nil {
			return nil
		}
		decoded, _ := base64.StdEncoding.DecodeString(*encoded)
		return decoded
	}
	r := &kgo.Record{
		Topic: parsed.Topic, Partition: parsed.Partition, Offset: parsed.Offset, Timestamp: parsed.Timestamp,
		Key: raw(parsed.Key, parsed.KeyBase64), Value: raw(parsed.Value, parsed.ValueBase64),
	}
	for _, header := range parsed.Headers {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: string(raw(header.Key, header.KeyBase64)), Value: raw(header.Value, header.ValueBase64)})
	}
	return r, nil
}
