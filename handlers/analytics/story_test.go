package analytics_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router/routertest"
	"github.com/prantikov/millrace/store"
)

// told are the records of a story: a line for each event, with its time, entity, action, status and counterpart, - for none:
//
//	2024-12-25T10:30 appointment a-1 created scheduled doc-1
func told(t testing.TB, story string) []*record.Record {
	t.Helper()
	var records []*record.Record
	for line := range strings.Lines(story) {
		words := strings.Fields(strings.ReplaceAll(line, " -", " \x00"))
		if len(words) == 0 {
			continue
		}
		for i, word := range words {
			words[i] = strings.ReplaceAll(word, "\x00", "")
		}
		if len(words) < 6 {
			words = append(words, "", "")
		}
		at, err := time.Parse("2006-01-02T15:04", words[0])
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		records = append(records, event(words[1], words[2], messages.Action(words[3]), words[4], words[5], at))
	}
	return records
}

// event is a record of an event, as a producer writes it.
func event(entity, id string, action messages.Action, status, counterpart string, at time.Time) *record.Record {
	names := map[string][3]string{ // topic, field of the id, field of the counterpart
		"appointment":  {"appointment-events", "appointmentId", "doctorId"},
		"prescription": {"prescription-events", "prescriptionId", "doctorId"},
		"order":        {"order-events", "orderId", "pharmacyId"},
		"record":       {"health-record-events", "recordId", "doctorId"},
	}[entity]
	value := fmt.Sprintf(`{%q:%q,%q:%q,"action":%q`, names[1], id, names[2], counterpart, action)
	if entity != "record" {
		value += fmt.Sprintf(`,"status":%q`, status)
	}
	return &record.Record{
		Position: record.Position{Topic: names[0]}, Key: []byte(id), Value: []byte(value + "}"), Timestamp: at,
	}
}

// deliver hands a story over, as many records at a time as follow each other on one topic, and wants each done.
func deliver(t testing.TB, kit *routertest.Kit, records ...*record.Record) {
	t.Helper()
	for len(records) > 0 {
		n := 1
		for n < len(records) && records[n].Topic == records[0].Topic {
			n++
		}
		for i, result := range kit.DeliverRecords(records[:n]...) {
			if result.Outcome != record.Done {
				t.Fatalf("%s: got %s of class %q, want done", records[i].Value, result.Outcome, result.Class)
			}
		}
		records = records[n:]
	}
}

// journeysOf are the journeys of a type whose ids begin like this, by what follows.
func journeysOf(t testing.TB, opened *store.Store, kind, prefix string) map[string]store.Journey {
	t.Helper()
	found := map[string]store.Journey{}
	err := opened.EachJourney(t.Context(), store.JourneyFilter{Type: kind}, func(j store.Journey) error {
		if rest, ok := strings.CutPrefix(j.ID, prefix); ok {
			j.ID = rest
			found[rest] = j
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
