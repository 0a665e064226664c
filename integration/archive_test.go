//go:build unix

package integration_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/prantikov/millrace/handlers/archive"
	"github.com/prantikov/millrace/record"
)

// oldDays are events of days that are over, good and bad ones, with headers that repeat and bytes that are no text.
func oldDays(p *platform, count int) []*kgo.Record {
	events := p.load()
	at := now().AddDate(0, 0, -3)
	var records []*kgo.Record
	for i := range count {
		r := events.next()
		r.Timestamp = at.Add(time.Duration(i) * 48 * time.Hour / time.Duration(count))
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: "again", Value: []byte("\xff\x00")}, kgo.RecordHeader{Key: "again"}, kgo.RecordHeader{Key: "again", Value: []byte{}})
		records = append(records, r)
	}
	return records
}

// openFiles are the archive's files of days that are not sealed.
func (p *platform) openFiles(t testing.TB) []string {
	t.Helper()
	return slices.DeleteFunc(p.files(t, "archive"), func(name string) bool {
		return filepath.Ext(name) != ".jsonl" || filepath.Base(name) == "objects.jsonl"
	})
}

// quiet makes the archive's days look as if nothing had come for two hours.
func (p *platform) quiet(t testing.TB) {
	t.Helper()
	then := time.Now().Add(-2 * time.Hour)
	for _, name := range p.openFiles(t) {
		if err := os.Chtimes(name, then, then); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
}

// wantArchive wants the archive to be whole, and to be the log byte for byte.
func (p *platform) wantArchive(t testing.TB) {
	t.Helper()
	verified := p.execute(t, "archive", "verify").ends(0)
	log := p.broker.read(t, p.names()...)
	if want := fmt.Sprintf("%d records in ", len(log)); !strings.Contains(verified.stdout.String(), want) {
		t.Errorf("got %q, want %q", verified.stdout.String(), want)
	}
	reader, read := archive.NewReader(filepath.Join(p.data, "archive")), 0
	for _, topic := range p.names() {
		for r, err := range reader.Records(t.Context(), archive.Selection{Topic: topic}) {
			if err != nil {
				t.Fatal(err)
			}
			read++
			if want := log[position{r.Topic, r.Partition, r.Offset}]; want == nil || !sameRecord(raw(r), want, len(want.Headers)) || len(r.Headers) != len(want.Headers) {
				t.Errorf("%s is not the record byte for byte", r.Position)
			}
		}
	}
	if read != len(log) {
		t.Errorf("got %d records from the archive, want the %d of the log", read, len(log))
	}
}

// raw is a record as the independent client has it.
func raw(r *record.Record) *kgo.Record {
	made := &kgo.Record{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Timestamp: r.Timestamp, Key: r.Key, Value: r.Value}
	for _, header := range r.Headers {
		made.Headers = append(made.Headers, kgo.RecordHeader{Key: header.Key, Value: header.Value})
	}
	return made
}

// Ensure days are sealed by the process that runs, and that kill -9 at any moment of it loses nothing and doubles nothing.
func TestKilledWhileDaysAreSealed(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, anyBroker(t), nil)
	p.provision(t)
	kills := 4
	if soak() {
		kills = 50
	}
	for range kills {
		p.produce(t, oldDays(p, 60)...)
		p.execute(t, "run", "--consumers", "archive", "--exit-at-end").ends(0)
		p.quiet(t)
		seal := p.start(t, "archive", "seal")
		<-time.After(rand.N(600 * time.Millisecond)) // how far it gets is left to chance; each step has its own test
		seal.kill()
		p.execute(t, "archive", "verify").ends(0)
	}
	p.quiet(t)
	if len(p.openFiles(t)) == 0 {
		p.produce(t, oldDays(p, 10)...)
		p.execute(t, "run", "--consumers", "archive", "--exit-at-end").ends(0)
		p.quiet(t)
	}
	run := p.start(t, "run", "--consumers", "archive")
	eventually(t, "every day that is over is sealed", func() bool { return !run.running() || len(p.openFiles(t)) == 0 })
	run.kill()
	p.wantArchive(t)
	for _, name := range p.files(t, "archive") {
		if mode := modeOf(t, name); mode.Perm() != 0o600 {
			t.Errorf("%s: got mode %o, want 600", name, mode.Perm())
		}
	}
}

// Ensure archive.keep ends what is sealed by the time of its last line, and nothing else.
func TestSealedDaysAreNoLongerKept(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, anyBroker(t), settings{"archive": settings{"keep": "7d"}})
	p.provision(t)
	p.produce(t, oldDays(p, 100)...)
	p.execute(t, "run", "--consumers", "archive", "--exit-at-end").ends(0)
	p.quiet(t)
	then := time.Now().AddDate(0, 0, -8)
	gone := 0
	for _, name := range p.openFiles(t) {
		if strings.Contains(name, p.topics["order-events"]) {
			gone++
			if err := os.Chtimes(name, then, then); err != nil {
				t.Fatal(err)
			}
		}
	}
	all := len(p.openFiles(t))
	p.execute(t, "archive", "seal").ends(0)
	objects := func() int {
		return len(slices.DeleteFunc(p.files(t, "archive"), func(name string) bool { return filepath.Ext(name) != ".parquet" }))
	}
	if got := objects(); got != all || gone == 0 || gone == all {
		t.Fatalf("got %d objects of %d days, %d of them old, want one each and some old", got, all, gone)
	}
	run := p.start(t, "run", "--consumers", "archive")
	eventually(t, "old objects are removed", func() bool { return !run.running() || objects() == all-gone })
	run.kill()
	verified := p.execute(t, "archive", "verify").ends(0)
	if text := verified.stdout.String(); !strings.Contains(text, fmt.Sprintf(" in %d objects", all-gone)) {
		t.Errorf("got %q, want %d objects and nothing missed", text, all-gone)
	}
}

// Ensure a restore that is killed goes on where it ended: whoever reads committed records gets each once, byte for byte, in its order.
func TestRestoredByteForByteAlsoWhenKilled(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, anyBroker(t), nil)
	p.provision(t)
	p.produce(t, oldDays(p, 400)...)
	p.execute(t, "run", "--consumers", "archive", "--exit-at-end").ends(0)
	p.quiet(t)
	p.execute(t, "archive", "seal").ends(0)
	p.produce(t, oldDays(p, 100)...)
	p.execute(t, "run", "--consumers", "archive", "--exit-at-end").ends(0)

	from := p.topics["order-events"]
	to := from + "-again"
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	admin := p.broker.admin(t)
	if _, err := admin.CreateTopic(ctx, 3, 1, nil, to); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = admin.DeleteTopics(context.Background(), to) })
	ended := func() (total int64) {
		ends, err := admin.ListCommittedOffsets(ctx, to)
		if err != nil {
			t.Fatal(err)
		}
		ends.Each(func(end kadm.ListedOffset) { total += end.Offset })
		return total
	}
	restore := []string{"archive", "restore", "--topic", from, "--to-topic", to}
	p.execute(t, restore...).ends(0)
	if got := ended(); got != 0 {
		t.Fatalf("got %d records of a plan, want none", got)
	}
	for _, least := range []int64{20, 60} {
		killed := p.start(t, append(restore, "--execute", "--rate", "100")...)
		eventually(t, "some of it is restored", func() bool { return ended() >= least || !killed.running() })
		if !killed.running() {
			t.Fatalf("the restore ended; stderr:\n%s", killed.tail())
		}
		killed.kill()
	}
	finished := p.execute(t, append(restore, "--execute")...).ends(0)
	if text := finished.stdout.String(); !strings.Contains(text, "were there from an earlier run") || strings.Contains(text, "; 0 were there") {
		t.Errorf("got %q, want it to go on where the killed one ended", text)
	}
	got, want := inOrder(p.broker.read(t, to)), inOrder(p.broker.read(t, from))
	for partition, records := range want {
		if len(got[partition]) != len(records) {
			t.Fatalf("partition %d: got %d records, want %d", partition, len(got[partition]), len(records))
		}
		for i, r := range records {
			if restored := got[partition][i]; !sameRecord(restored, r, len(r.Headers)) || len(restored.Headers) != len(r.Headers) {
				t.Errorf("partition %d: record %d is not the one of offset %d byte for byte", partition, i, r.Offset)
			}
		}
	}
}

// inOrder are the records by partition, in the order of the offsets.
func inOrder(found map[position]*kgo.Record) map[int32][]*kgo.Record {
	partitions := map[int32][]*kgo.Record{}
	for _, r := range found {
		partitions[r.Partition] = append(partitions[r.Partition], r)
	}
	for _, records := range partitions {
		slices.SortFunc(records, func(a, b *kgo.Record) int { return int(a.Offset - b.Offset) })
	}
	return partitions
}
