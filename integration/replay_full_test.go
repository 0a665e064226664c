//go:build unix

package integration_test

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// table is the digest of all rows of a table, in whatever order they are.
func (p *platform) table(t testing.TB, name string) string {
	t.Helper()
	var all []string
	l := &ledger{t: t, platform: p}
	l.query("SELECT * FROM "+name, func(rows *sql.Rows) error {
		columns, err := rows.Columns()
		if err != nil {
			return err
		}
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		err = rows.Scan(into...)
		all = append(all, fmt.Sprintf("%q", values))
		return err
	})
	slices.Sort(all)
	sum := sha256.New()
	for _, row := range all {
		sum.Write([]byte(row))
	}
	return fmt.Sprintf("%s: %d rows, %s\n", name, len(all), hex.EncodeToString(sum.Sum(nil)))
}

// tables are the digests of all tables of an SQLite store.
func (p *platform) tables(t testing.TB) (text string) {
	t.Helper()
	var names []string
	l := &ledger{t: t, platform: p}
	l.query("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name", func(rows *sql.Rows) error {
		var name string
		err := rows.Scan(&name)
		names = append(names, name)
		return err
	})
	for _, name := range names {
		text += p.table(t, name)
	}
	return text
}

// everything is the digest of all that the consumers wrote: each table, and each file byte for byte.
func (p *platform) everything(t testing.TB) string {
	t.Helper()
	text := p.tables(t)
	for _, consumer := range []string{"archive", "logging", "notification"} {
		for _, file := range p.files(t, consumer) {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			sum := sha256.Sum256(content)
			text += fmt.Sprintf("%s: %d lines, %s\n", file, bytes.Count(content, []byte("\n")), hex.EncodeToString(sum[:]))
		}
	}
	return text
}

// offsets are those that every group has committed.
func (p *platform) offsets(t testing.TB) string {
	t.Helper()
	text := ""
	for _, consumer := range []string{"orders", "analytics", "archive", "logging", "notification"} {
		text += fmt.Sprintln(consumer, p.committed(t, consumer))
	}
	return text
}

// Ensure a full replay of 100,000 events, also a second one, tells nobody anything and leaves state, analytics, archive and the activity log as
// they were, byte for byte: the outbox has no further line, a receiver of webhooks gets nothing, the groups stay where they are, and no dead
// letter is written.
func TestFullReplayOf100000EventsChangesNothing(t *testing.T) {
	t.Parallel()
	const count, told = 100_000, 100
	o := receiveWebhooks(t, "")
	people := writeFile(t, "audience,id,channel,address\npatient,pat-9,webhook,"+o.address+"\n")
	p := newPlatform(t, anyBroker(t), nil)
	p.provision(t)
	load := p.load()
	records := make([]*kgo.Record, 0, count)
	for number := range count {
		r := load.next()
		if number < told {
			// Only these have somebody who is told by a channel.
			id := fmt.Sprintf("ord-%s-told-%d", p.word, number)
			value := bytes.ReplaceAll(journeys[2].value(id, step{"created", "pending"}), []byte("pat-3"), []byte("pat-9"))
			r = &kgo.Record{Topic: ordersTopic, Key: []byte(id), Value: value, Timestamp: now(), Headers: r.Headers}
		}
		records = append(records, r)
	}
	for chunk := range slices.Chunk(records, 20_000) {
		p.produce(t, chunk...)
	}
	p.finish(t)

	// The same log for notification with a channel, in a group and a data directory of its own.
	sending := *p
	sending.groups = map[string]string{"notification": p.groups["notification"] + "-sending"}
	sending.config, sending.data = filepath.Join(t.TempDir(), "config.yaml"), filepath.Join(t.TempDir(), "data")
	text, err := os.ReadFile(p.config)
	if err != nil {
		t.Fatal(err)
	}
	writeTo(t, sending.config, string(text))
	sending.rewrite(t, settings{
		"consumers":    settings{"notification": settings{"group": sending.groups["notification"]}},
		"notification": settings{"directory": settings{"file": people}},
	})
	secret := []string{webhookSecret}
	sending.notify(t, secret, "--exit-at-end", "--timeout", catchUp().String()).ends(0)
	if got := len(o.taken()); got != told {
		t.Fatalf("got %d webhooks from the live run, want %d", got, told)
	}

	before, marks, offsets := p.everything(t), sending.table(t, "effects"), p.offsets(t)
	letters := len(p.broker.read(t, p.deadLetterNames()...))
	arguments := []string{"replay", "--from", "beginning", "--execute", "-o", "json"}
	for _, consumer := range []string{"appointments", "prescriptions", "orders", "health-records", "notification", "analytics", "logging", "archive"} {
		arguments = append(arguments, "--consumer", consumer)
	}
	for replay := range 2 {
		said := p.execute(t, arguments...).ends(0).summary()
		for _, row := range said.Consumers {
			want := count
			if !slices.Contains(fanOut[:], row.Consumer) {
				want = row.Done
			}
			if row.Applied+row.Skipped+row.Live+row.GivenUp != 0 || row.Done != want || row.Done == 0 {
				t.Errorf("replay %d: got %+v, want all of it done already", replay, row)
			}
		}
		if len(said.Consumers) != 8 || !said.Complete {
			t.Errorf("replay %d: got %+v, want all consumers and a whole replay", replay, said)
		}
		if after := p.everything(t); after != before {
			t.Errorf("replay %d: got\n%s\nwant it as before:\n%s", replay, after, before)
		}
	}

	left := execute(t, secret, sending.arguments("replay", "--from", "beginning", "--execute", "-o", "json", "--consumer", "notification")...)
	if left.ends(0); !bytes.Contains([]byte(left.stdout.String()), []byte("notification")) {
		t.Errorf("got %q, want that notification is left out", left.stdout.String())
	}
	allowed := execute(t, secret, sending.arguments("replay", "--from", "beginning", "--execute", "-o", "json", "--consumer", "notification", "--allow-effects", "notification")...)
	// The bad records are given up as they were by the live run, and nobody is told of them either.
	if said := allowed.ends(1).summary(); len(said.Consumers) != 1 || said.Consumers[0].Applied != told || said.Consumers[0].GivenUp == 0 {
		t.Errorf("got %+v, want the %d told ones known, and the bad ones given up", said, told)
	}
	if got := len(o.taken()); got != told {
		t.Errorf("got %d webhooks, want the %d of the live run", got, told)
	}
	if got := sending.table(t, "effects"); got != marks {
		t.Errorf("got marks %q, want them as before: %q", got, marks)
	}
	if got := p.offsets(t); got != offsets {
		t.Errorf("got offsets\n%s\nwant them as before:\n%s", got, offsets)
	}
	if got := len(p.broker.read(t, p.deadLetterNames()...)); got != letters {
		t.Errorf("got %d dead letters, want the %d of before", got, letters)
	}
}
