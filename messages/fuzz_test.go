package messages_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/prantikov/millrace/messages"
)

// FuzzDecode holds that any bytes are decoded or refused with one of the classes, and that what is decoded is written and read again
// as the same event.
func FuzzDecode(f *testing.F) {
	for _, declared := range messages.Types() {
		for _, action := range declared.Actions() {
			f.Add(declared.Sample(action))
		}
	}
	for _, seed := range []string{
		"", "null", "{}", "[]", "\ufeff{}", `{"a":1,"a":2}`, `{"orderId":1,"action":"SHIPPED","items":[null,{"quantity":"3.0","price":1E7}],"orderDate":[2024,12,25,10,30]}`,
		`{"appointmentId":"x","action":"created","date":20082,"time":[10,30],"reason":true}`, "\x00\x00\x00\x00\x01{}", `{"data":{}}`,
	} {
		f.Add([]byte(seed))
	}
	classes := []string{"tombstone", "empty_value", "malformed", "invalid_value", "missing_field", "unknown_action"}
	f.Fuzz(func(t *testing.T, value []byte) {
		payload, err := messages.Payload(value, "")
		if err != nil {
			t.Fatalf("got %v, want none without a content type", err)
		}
		for _, declared := range messages.Types() {
			if masked := messages.Masked(declared, value); masked != nil && !json.Valid(masked) {
				t.Errorf("got %q, want JSON", masked)
			}
			decoded, err := declared.Decode(payload)
			if err != nil {
				var refused *messages.Error
				if !errors.As(err, &refused) || !slices.Contains(classes, refused.Class) {
					t.Errorf("got %v, want one of the classes", err)
				}
				continue
			}
			if !utf8.Valid(payload) || decoded.EntityID == "" || !slices.Contains(declared.Actions(), decoded.Action) {
				t.Errorf("got entity %q, action %q of %q, want both and valid UTF-8", decoded.EntityID, decoded.Action, payload)
			}
			if decoded.Check() == nil {
				checkRoundTrip(t, declared, decoded.Body)
			}
		}
	})
}

// checkRoundTrip holds that an event is written, read and written again with the same bytes.
func checkRoundTrip(t *testing.T, declared messages.Type, body any) {
	t.Helper()
	first := encoded(t, body)
	again, err := declared.Decode(first)
	if err != nil {
		t.Fatalf("got %v for %s, want it read", err, first)
	}
	if got := encoded(t, again.Body); !bytes.Equal(got, first) || again.Normalised {
		t.Errorf("got %s, want %s", got, first)
	}
}

// FuzzDate holds that a text that is read as a date or a date-time is written as one that means the same, and that the two agree on
// the day.
func FuzzDate(f *testing.F) {
	for _, seed := range []string{
		"", " ", "2024-12-25", "2024-12-25T10:30", "2024-12-25t10:30:05.123456789Z", "+12345-01-01", "-0044-03-15", "2024-02-30",
		"2024-12-25T24:00:00", "2024-12-25T10:30:00+01:00", "+", "-", "2024-12-2", "24-12-25", "２０24-12-25",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		date, errDate := messages.ParseDate(text)
		if errDate == nil {
			if again, err := messages.ParseDate(date.String()); err != nil || again != date {
				t.Errorf("got %s and %v, want %s", again, err, date)
			}
		}
		dateTime, err := messages.ParseDateTime(text)
		if err != nil {
			return
		}
		if again, err := messages.ParseDateTime(dateTime.String()); err != nil || again != dateTime {
			t.Errorf("got %s and %v, want %s", again, err, dateTime)
		}
		if errDate != nil || dateTime.Date() != date {
			t.Errorf("got %s and %v, want the day of %s", date, errDate, dateTime)
		}
	})
}
