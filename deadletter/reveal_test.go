package deadletter_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/prantikov/millrace/deadletter"
	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
)

func TestRevealShowsWhatIsHidden(t *testing.T) {
	t.Parallel()
	const event = `{"orderId":"ord-1","patientId":"` + canary + `","more":"` + canary + `"}`
	tests := map[string]struct {
		value     []byte
		headers   []record.Header
		key       string
		wantBody  messages.Body
		wantEvent string
		wantRaw   string
		wantKey   string
	}{
		"an event":                 {[]byte(event), nil, canary, messages.BodyRevealed, event, "", canary},
		"a value that is no event": {[]byte(`{"patientId":"` + canary), nil, "ord-1", messages.BodyRevealed, "", `{"patientId":"` + canary, "ord-1"},
		"a key that is no text":    {[]byte(event), nil, "\x1b[2J" + canary, messages.BodyRevealed, event, "", `"\x1b[2J` + canary + `"`},
		"an event inside a CloudEvent": {[]byte(`{"subject":"x","data":` + event + `}`),
			[]record.Header{header("content-type", "application/cloudevents+json")}, "ord-1", messages.BodyRevealed, event, "", "ord-1"},
		"a tombstone":    {nil, nil, canary, messages.BodyNull, "", "", canary},
		"an empty value": {[]byte{}, nil, "", messages.BodyEmpty, "", "", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source := order(append(test.headers, header("x-patient", canary))...)
			source.Value, source.Key = test.value, []byte(test.key)
			s, noted := shelf{}, 0
			at := s.put(t, letterOf(source, record.ClassMalformed))
			detail, err := browser(s).Reveal(t.Context(), at, func() error { noted++; return nil })
			if err != nil {
				t.Fatal(err)
			}
			if detail.Body != test.wantBody || string(detail.Event) != test.wantEvent || string(detail.Raw) != test.wantRaw || detail.Key != test.wantKey {
				t.Errorf("got %s event %s raw %q key %q, want %s event %s raw %q key %q",
					detail.Body, detail.Event, detail.Raw, detail.Key, test.wantBody, test.wantEvent, test.wantRaw, test.wantKey)
			}
			if got := detail.Headers[len(test.headers)]; got.Value != canary || got.Hidden {
				t.Errorf("got header %+v, want it shown", got)
			}
			if noted != 1 {
				t.Errorf("got %d notes, want 1", noted)
			}
			if _, err := json.Marshal(detail); err != nil {
				t.Errorf("got %v, want a detail that is JSON", err)
			}
		})
	}
}

func TestRevealShowsNothingThatIsNotNoted(t *testing.T) {
	t.Parallel()
	s := shelf{}
	at := s.put(t, letterOf(order(), record.ClassMalformed))
	full := errors.New("no space left")
	detail, err := browser(s).Reveal(t.Context(), at, func() error { return full })
	if !errors.Is(err, full) || detail.Headers != nil || detail.Event != nil || detail.Raw != nil || detail.Key != "" {
		t.Errorf("got %+v and %v, want nothing and the error of the note", detail, err)
	}
}

func TestRevealNotesOnlyWhatIsThere(t *testing.T) {
	t.Parallel()
	s := shelf{}
	s.put(t, letterOf(order(), record.ClassMalformed))
	tests := map[string]struct {
		at   record.Position
		want error
	}{
		"another topic": {record.Position{Topic: "order-events"}, deadletter.ErrNotDeadLetters},
		"no record":     {record.Position{Topic: "order-events-dlt", Partition: 3, Offset: 99}, kafka.ErrNoRecord},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := browser(s).Reveal(t.Context(), test.at, func() error {
				t.Error("got a note, want none of what is not there")
				return nil
			})
			if !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
}
