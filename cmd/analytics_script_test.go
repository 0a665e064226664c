package cmd_test

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/prantikov/millrace/handlers"
	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/store"
)

// happened hands events to analytics and to the appointments consumer on the script's store, each at its own time: happened FILE.
//
//	{"at": "2024-12-25T10:30:00Z", "topic": "order-events", "event": {"orderId": "ord-1", …}}
func happened(ts *testscript.TestScript, _ bool, arguments []string) {
	if len(arguments) != 1 {
		ts.Fatalf("usage: happened FILE")
	}
	opened, err := store.Open(context.Background(), ts.MkAbs("data/store.db"), nil)
	ts.Check(err)
	consumers, err := handlers.Consumers(handlers.Dependencies{Store: func() *store.Store { return opened }, DataDir: ts.MkAbs("data")})
	ts.Check(err)
	made, err := router.New(router.Settings{Types: messages.Types(), DeadLetters: noLetters{ts}}, nil)
	ts.Check(err)
	for _, declared := range messages.Types() {
		records := recordsOf(ts, declared, arguments[0])
		for _, consumer := range consumers {
			if len(records) == 0 || consumer.Name() != "analytics" && consumer.Name()+" "+declared.Topic() != "appointments appointment-events" {
				continue
			}
			walker, err := made.Walker(consumer, router.ConsumerSettings{})
			ts.Check(err)
			ts.Check(walker.Walk(context.Background(), &record.Batch{Claim: "script", Records: records, Report: func(int, record.Result) {}}))
		}
	}
	ts.Check(opened.Close())
}

// recordsOf are the records of one type in the file.
func recordsOf(ts *testscript.TestScript, declared messages.Type, file string) []*record.Record {
	var records []*record.Record
	for line := range strings.Lines(ts.ReadFile(file)) {
		var one struct {
			At    time.Time       `json:"at"`
			Topic string          `json:"topic"`
			Event json.RawMessage `json:"event"`
		}
		ts.Check(json.Unmarshal([]byte(line), &one))
		if one.Topic != declared.Topic() {
			continue
		}
		decoded, err := declared.Decode(one.Event)
		ts.Check(err)
		at := record.Position{Topic: one.Topic, Offset: int64(len(records))}
		records = append(records, &record.Record{Position: at, Key: []byte(decoded.EntityID), Value: one.Event, Timestamp: one.At})
	}
	return records
}

// noLetters ends a script whose events are not taken.
type noLetters struct{ ts *testscript.TestScript }

func (n noLetters) Write(_ context.Context, letter record.Letter) error {
	n.ts.Fatalf("got a dead letter of %s", letter.Class)
	return nil
}
