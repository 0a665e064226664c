package observe_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/prantikov/millrace/observe"
)

func TestWatermillNeverLogsAMessage(t *testing.T) {
	t.Parallel()
	const canary = "canary-patient"
	failed := message.NewMessage("orders/1/2", message.Payload(canary))
	failed.Metadata.Set("key", canary)
	leaks := watermill.LogFields{
		"not_sent_message": fmt.Sprintf("%#v", message.Messages{failed}) + canary,
		"payload":          failed.Payload,
		"metadata":         failed.Metadata,
		"message":          failed,
		"messages":         message.Messages{failed},
		"text":             canary,
	}
	var out bytes.Buffer
	logger, err := observe.Logger(&out, "debug", "json", false)
	if err != nil {
		t.Fatalf("Logger: %v", err)
	}
	adapter := observe.Watermill(logger).With(leaks)
	adapter.Error("Cannot publish messages", errors.New("broker away"), leaks.Add(watermill.LogFields{"handler_name": "orders/order-events", "retry_no": 2}))
	adapter.Info("Starting handler", leaks)
	adapter.Debug("Received", leaks)

	if strings.Contains(out.String(), canary) {
		t.Errorf("got the payload in the log: %s", out.String())
	}
	for _, want := range []string{`"handler_name":"orders/order-events"`, `"retry_no":2`, `"error":"broker away"`, `"level":"ERROR"`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("got %s, want %s in it", out.String(), want)
		}
	}
}

func TestWatermillLevels(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, level string
		want        int
	}{
		{"at info only errors are written", "info", 1},
		{"at debug info and debug too, trace never", "debug", 3},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			logger, err := observe.Logger(&out, c.level, "json", false)
			if err != nil {
				t.Fatalf("Logger: %v", err)
			}
			adapter := observe.Watermill(logger)
			adapter.Error("e", nil, nil)
			adapter.Info("i", nil)
			adapter.Debug("d", nil)
			adapter.Trace("t", nil)
			if got := strings.Count(out.String(), "\n"); got != c.want {
				t.Errorf("got %d lines, want %d: %s", got, c.want, out.String())
			}
		})
	}
}

func TestWatermillPanicHasItsStackInAField(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	logger, err := observe.Logger(&out, "info", "json", false)
	if err != nil {
		t.Fatalf("Logger: %v", err)
	}
	observe.Watermill(logger).Error("Panic recovered in handler. Stack: goroutine 1\nmain.main()", errors.New("boom"), nil)
	for _, want := range []string{`"msg":"Panic recovered in handler."`, `"stack":"goroutine 1\nmain.main()"`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("got %s, want %s in it", out.String(), want)
		}
	}
}

// loud fails the test when it is formatted.
type loud struct{ t *testing.T }

func (l loud) String() string {
	l.t.Error("got a value formatted, want none below debug")
	return ""
}

func TestSaramaIsSilentUnlessDebug(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	quiet, err := observe.Logger(&out, "info", "json", false)
	if err != nil {
		t.Fatalf("Logger: %v", err)
	}
	silent := observe.Sarama(quiet)
	silent.Print(loud{t})
	silent.Printf("%s", loud{t})
	silent.Println(loud{t})
	if out.Len() != 0 {
		t.Errorf("got %s, want nothing", out.String())
	}

	verbose, err := observe.Logger(&out, "debug", "json", false)
	if err != nil {
		t.Fatalf("Logger: %v", err)
	}
	talking := observe.Sarama(verbose)
	talking.Print("closing ", 1)
	talking.Printf("client/metadata %s\n", "fetching")
	talking.Println("connected", 3)
	for _, want := range []string{`"text":"closing 1"`, `"text":"client/metadata fetching"`, `"text":"connected 3"`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("got %s, want %s in it", out.String(), want)
		}
	}
}

func BenchmarkWatermillTraceBelowLevel(b *testing.B) {
	logger, err := observe.Logger(&bytes.Buffer{}, "info", "json", false)
	if err != nil {
		b.Fatal(err)
	}
	adapter := observe.Watermill(logger)
	fields := watermill.LogFields{"message_uuid": "orders/1/2"}
	b.ReportAllocs()
	for b.Loop() {
		adapter.Trace("Received message", fields)
	}
}
