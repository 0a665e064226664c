package demo_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prantikov/millrace/demo"
	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
)

var start = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// typeOf is the type of a built-in topic.
func typeOf(t *testing.T, topic string) messages.Type {
	t.Helper()
	for _, known := range messages.Types() {
		if known.Topic() == topic {
			return known
		}
	}
	t.Fatalf("got topic %q, want a built-in one", topic)
	return nil
}

// follows has, for each status, the statuses that may come after it. The same status again is always allowed.
var follows = map[string][]string{
	"scheduled":  {"confirmed", "completed", "cancelled"},
	"confirmed":  {"scheduled", "completed", "cancelled"},
	"active":     {"inactive", "completed"},
	"inactive":   {"active", "completed"},
	"pending":    {"processing", "shipped", "delivered"},
	"processing": {"shipped", "delivered"},
	"shipped":    {"delivered"},
}

func TestEveryGoodEventIsValid(t *testing.T) {
	t.Parallel()
	day := demo.NewDay(demo.Settings{Seed: 7, Start: start, Events: 20_000})
	status, deleted := map[string]string{}, map[string]bool{}
	kinds := map[string]int{}
	var before time.Time
	for range 20_000 {
		r := day.Next()
		declared := typeOf(t, r.Topic)
		decoded, err := declared.Decode(r.Value)
		if err != nil {
			t.Fatalf("decoding %s: %v", r.Value, err)
		}
		if err := decoded.Check(); err != nil {
			t.Fatalf("checking %s: %v", r.Value, err)
		}
		key := string(r.Key)
		if decoded.EntityID != key || decoded.Normalised {
			t.Fatalf("got key %q for %s", key, r.Value)
		}
		if deleted[key] {
			t.Fatalf("got an event after the end of %s", key)
		}
		last, seen := status[key]
		if (decoded.Action == messages.Created) == seen {
			t.Fatalf("got action %s of %s, seen before: %t", decoded.Action, key, seen)
		}
		stateful, _ := decoded.Body.(messages.Stateful)
		now := stateful.StatusName()
		if seen && last != now && !slices.Contains(follows[last], now) {
			t.Fatalf("got status %s of %s after %s", now, key, last)
		}
		status[key], deleted[key] = now, decoded.Action == messages.Deleted
		kinds[declared.Topic()+" "+string(decoded.Action)]++
		if r.Timestamp.Before(before) || r.Timestamp.Before(start) || !r.Timestamp.Before(start.Add(24*time.Hour)) {
			t.Fatalf("got timestamp %s after %s", r.Timestamp, before)
		}
		before = r.Timestamp
	}
	for _, want := range []string{
		"appointment-events created", "appointment-events updated", "appointment-events cancelled",
		"prescription-events created", "prescription-events updated", "prescription-events cancelled",
		"order-events created", "order-events updated", "order-events shipped", "order-events delivered",
		"health-record-events created", "health-record-events updated", "health-record-events deleted",
	} {
		if kinds[want] < 20 {
			t.Errorf("%s: got %d events, want 20 at least: %v", want, kinds[want], kinds)
		}
	}
}

func TestSomeKeysAreBusy(t *testing.T) {
	t.Parallel()
	day := demo.NewDay(demo.Settings{Seed: 7, Start: start, Events: 10_000})
	perKey := map[string]int{}
	for range 10_000 {
		perKey[string(day.Next().Key)]++
	}
	busiest := 0
	for _, count := range perKey {
		busiest = max(busiest, count)
	}
	if busiest < 300 || busiest > 2000 {
		t.Errorf("busiest key: got %d of 10,000 events, want 300 to 2,000", busiest)
	}
	if len(perKey) < 1000 {
		t.Errorf("keys: got %d, want 1,000 at least", len(perKey))
	}
}

// flat is everything of a record that the log keeps.
func flat(r *record.Record) string {
	text := r.Topic + "|" + string(r.Key) + "|" + r.Timestamp.String() + "|" + string(r.Value)
	for _, header := range r.Headers {
		text += "|" + header.Key + "=" + string(header.Value)
	}
	return text
}

func TestTheSameSettingsGiveTheSameRecords(t *testing.T) {
	t.Parallel()
	generate := func(seed uint64) (all []string) {
		for r := range demo.Mixed(demo.Settings{Seed: seed, Start: start}, 900, 100) {
			all = append(all, flat(r))
		}
		return all
	}
	first := generate(1)
	if !slices.Equal(first, generate(1)) {
		t.Error("got other records from the same seed, want the same")
	}
	keys := map[string]bool{}
	for _, one := range first {
		keys[strings.Split(one, "|")[1]] = true
	}
	for _, other := range generate(2) {
		if key := strings.Split(other, "|")[1]; keys[key] {
			t.Fatalf("got key %s from two seeds, want other entities", key)
		}
	}
}

func TestEachPoisonFailsInEveryDecoder(t *testing.T) {
	t.Parallel()
	day := demo.NewDay(demo.Settings{Seed: 3, Start: start})
	for range 500 {
		day.Next()
	}
	const rounds = 10
	seen := map[string]int{}
	for range 16 * rounds {
		r := day.Poison()
		if len(r.Key) == 0 || r.Value == nil {
			t.Fatalf("got key %q, value nil: %t, want a key and no tombstone", r.Key, r.Value == nil)
		}
		class := string(record.ClassEmptyValue)
		if len(r.Value) > 0 {
			_, err := typeOf(t, r.Topic).Decode(r.Value)
			var refused *messages.Error
			if !errors.As(err, &refused) {
				t.Fatalf("decoding %s: got %v, want it refused", r.Value, err)
			}
			class = refused.Class
		}
		seen[r.Topic+" "+class]++
	}
	for _, declared := range messages.Types() {
		for _, class := range []record.Class{record.ClassMalformed, record.ClassUnknownAction, record.ClassInvalidValue, record.ClassEmptyValue} {
			if got := seen[declared.Topic()+" "+string(class)]; got != rounds {
				t.Errorf("%s %s: got %d, want %d: %v", declared.Topic(), class, got, rounds, seen)
			}
		}
	}
}

func TestEmptyValueIsRefusedByDecodeToo(t *testing.T) {
	t.Parallel()
	for _, declared := range messages.Types() {
		_, err := declared.Decode([]byte{})
		var refused *messages.Error
		if !errors.As(err, &refused) || refused.Class != string(record.ClassEmptyValue) {
			t.Errorf("%s: got %v, want class %s", declared.Topic(), err, record.ClassEmptyValue)
		}
	}
}

func TestMixedHasTheNumbersAsked(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name         string
		good, poison int
	}{
		{"mixed", 990, 10}, {"good only", 50, 0}, {"poison only", 0, 8}, {"nothing", 0, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			good, poison := 0, 0
			for r := range demo.Mixed(demo.Settings{Seed: 5, Start: start}, c.good, c.poison) {
				if _, err := typeOf(t, r.Topic).Decode(r.Value); err != nil {
					poison++
				} else {
					good++
				}
			}
			if good != c.good || poison != c.poison {
				t.Errorf("got %d good and %d bad, want %d and %d", good, poison, c.good, c.poison)
			}
		})
	}
}

func TestMixedCanBeLeft(t *testing.T) {
	t.Parallel()
	got := 0
	for range demo.Mixed(demo.Settings{Start: start}, 100, 100) {
		got++
		if got == 3 {
			break
		}
	}
	if got != 3 {
		t.Errorf("got %d records, want 3", got)
	}
}

func TestADayThatIsLived(t *testing.T) {
	t.Parallel()
	now := start
	day := demo.NewDay(demo.Settings{Now: func() time.Time { now = now.Add(1500 * time.Microsecond); return now }, TypePackage: "com.acme.events"})
	for _, r := range []*record.Record{day.Next(), day.Poison()} {
		if want := now.Truncate(time.Millisecond); r.Timestamp.After(want) || r.Timestamp.Nanosecond()%1e6 != 0 {
			t.Errorf("timestamp: got %s, want whole milliseconds up to %s", r.Timestamp, want)
		}
		header, _ := r.Header("__TypeId__")
		if want := "com.acme.events." + typeOf(t, r.Topic).Name(); string(header) != want {
			t.Errorf("__TypeId__: got %s, want %s", header, want)
		}
	}
}

func TestADayHasQuietNights(t *testing.T) {
	t.Parallel()
	perHour := [24]int{}
	for r := range demo.Mixed(demo.Settings{Start: start}, 10_000, 0) {
		perHour[r.Timestamp.UTC().Hour()]++
	}
	if perHour[3] == 0 || perHour[9] < 10*perHour[3] {
		t.Errorf("got %v, want some at 3 and ten times as many at 9", perHour)
	}
}

func TestNumbersAreWrittenPlainly(t *testing.T) {
	t.Parallel()
	for r := range demo.Mixed(demo.Settings{Start: start}, 500, 0) {
		if bytes.Contains(r.Value, []byte("99999")) || bytes.Contains(r.Value, []byte("00000000")) {
			t.Errorf("got %s, want prices in cents", r.Value)
		}
	}
}

func BenchmarkNext(b *testing.B) {
	day := demo.NewDay(demo.Settings{Start: start})
	b.ReportAllocs()
	for b.Loop() {
		day.Next()
	}
}
