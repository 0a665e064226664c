package observe_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prantikov/millrace/observe"
)

// startServer runs a server until the test ends and returns its address and its health, whose clock the test sets.
func startServer(t *testing.T) (string, *observe.Health, *time.Time) {
	t.Helper()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	health := observe.NewHealth(observe.HealthSettings{Now: func() time.Time { return now }})
	listener, err := observe.Listen(t.Context(), "http.address", "127.0.0.1:0", true)
	if err != nil {
		t.Fatalf("Listen: %v", err)
	}
	metrics := observe.NewMetrics("test")
	metrics.Show(health)
	server := observe.NewServer(listener, metrics, health, slog.New(slog.DiscardHandler))
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return server.Address(), health, &now
}

// ask sends a request and returns the status and the body.
func ask(t *testing.T, method, address, path, host string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, "http://"+address+path, http.NoBody)
	if err != nil {
		t.Fatalf("NewRequest: %v", err)
	}
	if host != "" {
		request.Host = host
	}
	// A connection that is kept, or dialled to spare, would hold up the server's end.
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(request)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return answer.StatusCode, strings.TrimSpace(string(body))
}

func TestServerAnswers(t *testing.T) {
	t.Parallel()
	address, health, now := startServer(t)
	health.Expect("orders", "orders")

	steps := []struct {
		name, path string
		before     func()
		wantStatus int
		wantBody   string
	}{
		{"alive before Kafka answers", "/healthz", func() {}, 200, `{"status":"ok","kafka":"away"}`},
		{"not ready before Kafka answers", "/readyz", func() {}, 503,
			`{"status":"not ready","kafka":"away","consumers":[{"consumer":"orders","group":"orders","joined":false}]}`},
		{"ready with its group", "/readyz", func() { health.Kafka(true); health.Joined("orders", true) }, 200,
			`{"status":"ready","kafka":"answers","consumers":[{"consumer":"orders","group":"orders","joined":true}]}`},
		{"held is shown", "/healthz", func() {
			health.Progress("orders", "order-events", 4, 20, 1, time.Time{})
			health.Hold("orders", "order-events", 4, "dead letter cannot be written")
			*now = now.Add(2 * time.Minute)
		}, 200, `{"status":"ok","kafka":"answers","held":[{"consumer":"orders","topic":"order-events","partition":4,"reason":"dead letter cannot be written","seconds":120}]}`},
		{"stuck fails", "/healthz", func() {
			health.Release("orders", "order-events", 4, "dead letter cannot be written")
			*now = now.Add(time.Minute)
		}, 503, `{"status":"stuck","kafka":"answers","stuck":[{"consumer":"orders","topic":"order-events","partition":4,"frontier":20,"waiting":1,"seconds":60}]}`},
	}
	for _, step := range steps {
		step.before()
		status, body := ask(t, http.MethodGet, address, step.path, "")
		if status != step.wantStatus || body != step.wantBody {
			t.Errorf("%s: got %d %s, want %d %s", step.name, status, body, step.wantStatus, step.wantBody)
		}
	}
	if status, body := ask(t, http.MethodGet, address, "/metrics", ""); status != 200 || !strings.Contains(body, "millrace_kafka_answers 1") {
		t.Errorf("/metrics: got %d %s", status, body)
	}
}

func TestServerRefuses(t *testing.T) {
	t.Parallel()
	address, _, _ := startServer(t)
	cases := []struct {
		name, method, path, host string
		want                     int
	}{
		{"localhost is answered", "GET", "/healthz", "localhost:7070", 200},
		{"upper case localhost is answered", "GET", "/healthz", "LOCALHOST", 200},
		{"loopback of IPv6 is answered", "GET", "/healthz", "[::1]:7070", 200},
		{"another name on loopback is refused", "GET", "/metrics", "evil.example", 403},
		{"a name that begins like loopback is refused", "GET", "/metrics", "127.0.0.1.evil.example:80", 403},
		{"another address is refused", "GET", "/metrics", "192.168.1.4", 403},
		{"another method is refused", "POST", "/healthz", "", 405},
		{"another path is not found", "GET", "/debug/pprof/", "", 404},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got, body := ask(t, c.method, address, c.path, c.host); got != c.want {
				t.Errorf("got %d %s, want %d", got, body, c.want)
			}
		})
	}
}

func TestListen(t *testing.T) {
	t.Parallel()
	taken, err := observe.Listen(t.Context(), "http.address", "127.0.0.1:0", true)
	if err != nil {
		t.Fatalf("Listen: %v", err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	address := taken.Addr().String()

	t.Run("a default that is taken gives the next free port", func(t *testing.T) {
		t.Parallel()
		next, err := observe.Listen(t.Context(), "http.address", address, false)
		if err != nil {
			t.Fatalf("Listen: %v", err)
		}
		t.Cleanup(func() { _ = next.Close() })
		first, _ := taken.Addr().(*net.TCPAddr)
		second, _ := next.Addr().(*net.TCPAddr)
		if second.Port <= first.Port || !second.IP.Equal(first.IP) {
			t.Errorf("got %s after %s", second, first)
		}
	})
	t.Run("a set one that is taken is refused by its setting's name", func(t *testing.T) {
		t.Parallel()
		_, err := observe.Listen(t.Context(), "metrics.address", address, true)
		if err == nil {
			t.Fatal("got no error, want one")
		}
		for _, want := range []string{"metrics.address", "--metrics-address", address} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %s in it", err, want)
			}
		}
	})
	t.Run("an address that is none is refused though it is the default", func(t *testing.T) {
		t.Parallel()
		if _, err := observe.Listen(t.Context(), "http.address", "nowhere", false); err == nil {
			t.Error("got no error, want one")
		}
	})
}
