package handlers_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/store"
)

// passed delivers the first two of an order's records to a consumer, lets it pass the third without reading, and delivers the fourth.
func passed(t *testing.T, consumer string) (p *platform, all []*record.Record) {
	t.Helper()
	p = setup(t, options{})
	orders := domains()[2]
	all = p.place(
		orders.event("ord-1", "created", "pending"), orders.event("ord-1", "updated", "processing"),
		orders.event("ord-1", "shipped", "shipped"), orders.event("ord-1", "delivered", "delivered"), orders.event("ord-2", "created", "pending"),
	)
	gone := *all[2]
	gone.Key = []byte("ord-3")
	gone.Value = orders.event("ord-3", "created", "pending").Value
	all[2] = &gone
	done(t, p.redeliver(consumer, "claim", all[0], all[1], all[3], all[4]))
	err := p.store.RecordGap(t.Context(), store.Gap{Consumer: consumer, Topic: gone.Topic, From: gone.Offset, To: gone.Offset + 1, Reason: "another program", At: at})
	if err != nil {
		t.Fatal(err)
	}
	return p, all
}

func TestReplayGivesEachBuiltInConsumerWhatItHasPassedOnce(t *testing.T) {
	t.Parallel()
	for _, consumer := range []string{"orders", "analytics", "logging", "archive", "notification"} {
		t.Run(consumer, func(t *testing.T) {
			t.Parallel()
			p, all := passed(t, consumer)
			for try, want := range []string{"", "repeated"} {
				for i, result := range p.replay(consumer, all...) {
					expected := "repeated"
					if i == 2 {
						expected = want
					}
					if result.Outcome == record.Unfinished || result.Outcome == record.DeadLettered || result.Reason != expected && result.Outcome != record.Skipped {
						t.Errorf("replay %d, record %d: got %s for %q, want it to be handled in the first replay alone", try, i, result.Outcome, result.Reason)
					}
				}
			}
		})
	}
}

func TestReplayOfAnEventThatALaterOneHasOvertakenChangesNoState(t *testing.T) {
	t.Parallel()
	p := setup(t, options{})
	orders := domains()[2]
	all := p.place(orders.event("ord-1", "created", "pending"), orders.event("ord-1", "updated", "processing"), orders.event("ord-1", "shipped", "shipped"))
	done(t, p.redeliver("orders", "claim", all[0], all[2]))
	gap := store.Gap{Consumer: "orders", Topic: all[1].Topic, From: 1, To: 2, Reason: "another program", At: at}
	if err := p.store.RecordGap(t.Context(), gap); err != nil {
		t.Fatal(err)
	}
	if got := p.replay("orders", all...)[1]; got.Outcome != record.Skipped || got.Reason != "superseded" {
		t.Errorf("got %s for %q, want it skipped as superseded", got.Outcome, got.Reason)
	}
	if got := p.entity(orders.declared, "ord-1"); got.Status != "shipped" || got.Offset != 2 {
		t.Errorf("got status %s of offset %d, want that of the latest event", got.Status, got.Offset)
	}
}

func TestReplayOfWhatIsDoneChangesNoFile(t *testing.T) {
	t.Parallel()
	for _, consumer := range []string{"logging", "archive", "notification"} {
		p := setup(t, options{})
		all := p.place(domains()[2].event("ord-1", "created", "pending"), domains()[2].event("ord-2", "created", "pending"))
		done(t, p.redeliver(consumer, "claim", all...))
		before := files(t, filepath.Join(p.dataDir, consumer))
		p.replay(consumer, all...)
		if after := files(t, filepath.Join(p.dataDir, consumer)); before != after || before == "" {
			t.Errorf("%s: got files %q, want them as before: %q", consumer, after, before)
		}
	}
}

// files is the content of all files of a folder.
func files(t *testing.T, folder string) (content string) {
	t.Helper()
	err := filepath.Walk(folder, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		content += path + ":" + string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return content
}
