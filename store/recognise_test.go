package store_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/store"
)

func TestRecordsOfATopicThatWasMadeAnewAreNotFinished(t *testing.T) {
	t.Parallel()
	var logged bytes.Buffer
	opened, err := store.Open(t.Context(), newPlace(t), slog.New(slog.NewTextHandler(&logged, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	first := &record.Record{Position: record.Position{Topic: "order-events"}, Key: []byte("o-1"), Value: []byte("{}")}
	recognise := func(id string) {
		t.Helper()
		if err := opened.Recognise(t.Context(), map[string]string{"order-events": id}); err != nil {
			t.Fatal(err)
		}
	}
	handle := func(claim string) (finished bool) {
		t.Helper()
		work, err := opened.UnitOfWork("orders", store.Options{}).Begin(t.Context(), claim, []*record.Record{first})
		if err != nil {
			t.Fatal(err)
		}
		finished = work.Finished(first)
		work.Finish(first, record.Done)
		if err := work.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		return finished
	}
	recognise("a")
	if handle("claim-1") {
		t.Error("the first record of a new topic was finished before it was handled")
	}
	recognise("a")
	if !handle("claim-2") {
		t.Error("the record was not known any more although the topic is the same")
	}
	recognise("b")
	if handle("claim-3") {
		t.Error("the first record of the topic that was made anew passed as finished")
	}
	if got := strings.Count(logged.String(), "made anew"); got != 1 {
		t.Errorf("the log says %d times that the topic is another, want 1:\n%s", got, logged.String())
	}
}
