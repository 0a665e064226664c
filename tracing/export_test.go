package tracing_test

import (
	"bytes"
	"context"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/tracing"
	"github.com/prantikov/millrace/tracing/tracingtest"
)

// log is a log that several goroutines write to.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *log) count(part string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), part)
}

// eventually asks until the answer is true.
func eventually(t *testing.T, what string, ask func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for !ask() {
		select {
		case <-ctx.Done():
			t.Fatalf("%s: not within a minute", what)
		case <-again.C:
		}
	}
}

// Ensure spans that a collector does not take are counted, told once, and come no later: the next ones do.
func TestSpansThatAreRefusedAreCounted(t *testing.T) {
	t.Parallel()
	collector, counted, logged := tracingtest.Start(t), &counts{}, &log{}
	traced := open(t, tracing.Settings{Endpoint: collector.URL(), SampleRatio: 1, Count: counted.add, Logger: slog.New(slog.NewTextHandler(logged, nil))})
	collector.Away(true)
	for round := range 2 {
		try(t, traced, order(), 1, router.Tried{})
		eventually(t, "the span is refused", func() bool { return counted.all()[tracing.Refused] == round+1 })
	}
	collector.Away(false)
	try(t, traced, order(), 1, router.Tried{})
	eventually(t, "the next is exported", func() bool { return counted.all()[tracing.Exported] == 1 })
	if err := traced.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := logged.count("cannot be exported"); got != 1 {
		t.Errorf("got %d lines of the outage, want one", got)
	}
	if got := logged.count("exported again"); got != 1 {
		t.Errorf("got %d lines of its end, want one", got)
	}
	if got := len(collector.Spans()); got != 1 {
		t.Errorf("got %d spans, want 1", got)
	}
}

// Ensure nobody waits for a collector that hangs: what does not fit into memory is dropped and counted, one by one.
func TestSpansThatDoNotFitAreCounted(t *testing.T) {
	t.Parallel()
	const fit, more = 4096, 250
	hangs := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hangs }))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(hangs) }) // before the server's, which waits for it
	counted := &counts{}
	traced := open(t, tracing.Settings{Endpoint: server.URL, SampleRatio: 1, Count: counted.add})
	for range fit + more {
		try(t, traced, order(), 1, router.Tried{})
	}
	if got, want := counted.all(), map[tracing.End]int{tracing.Overflowed: more}; !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := traced.Close(ended); err == nil || !strings.Contains(err.Error(), "tracing.endpoint") {
		t.Errorf("got %v of an end that nobody waits for, want an error that names the setting", err)
	}
}

func TestEndpointThatIsNone(t *testing.T) {
	t.Parallel()
	for _, endpoint := range []string{"", "collector", "http://", "://x"} {
		if _, err := tracing.Open(t.Context(), tracing.Settings{Endpoint: endpoint}); err == nil || !strings.Contains(err.Error(), "tracing.endpoint") {
			t.Errorf("%q: got %v, want an error that names the setting", endpoint, err)
		}
	}
}

// Ensure a collector that is away is no reason not to start.
func TestOpenDoesNotConnect(t *testing.T) {
	t.Parallel()
	traced := open(t, tracing.Settings{Endpoint: "http://127.0.0.1:1", SampleRatio: 1})
	if err := traced.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
