package record_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/prantikov/millrace/record"
)

func TestPrintedRecordsHideWhatIsInThem(t *testing.T) {
	t.Parallel()
	r := record.Record{
		Position: record.Position{Topic: "order-events", Partition: 3, Offset: 42}, Key: []byte("secret"), Value: []byte("secret"),
		Headers: []record.Header{{Key: "secret", Value: []byte("secret")}},
	}
	printed := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		printed[verb] = fmt.Sprintf(verb, r)
		printed[verb+" of a pointer"] = fmt.Sprintf(verb, &r)
	}
	for name, handler := range map[string]func(*bytes.Buffer) slog.Handler{
		"text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
		"JSON": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
	} {
		var log bytes.Buffer
		slog.New(handler(&log)).Info("got", "record", r, "pointer", &r, "letter", record.Letter{Record: &r, Class: record.ClassFailed})
		printed["slog as "+name] = log.String()
	}
	for how, got := range printed {
		for _, hidden := range []string{"secret", "115 101", "736563", "c2VjcmV0"} { // as text, as bytes, in hexadecimal, in base64
			if strings.Contains(got, hidden) {
				t.Errorf("%s: got %q, want nothing of key, value and headers", how, got)
			}
		}
		if !strings.Contains(got, "order-events") || !strings.Contains(got, "42") {
			t.Errorf("%s: got %q, want the position in it", how, got)
		}
	}
}
