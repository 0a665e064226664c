package control_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prantikov/millrace/control"
	"github.com/prantikov/millrace/observe"
)

// Ensure what is said of a process's health is one line, and well only what is.
func TestHealthInOneLine(t *testing.T) {
	t.Parallel()
	ready := observe.Readiness{Status: "ready", Kafka: "answers", Consumers: []observe.ConsumerReady{
		{Consumer: "archive", Group: "archive", Joined: true}, {Consumer: "orders", Group: "orders", Joined: true},
	}}
	joining := observe.Readiness{Status: "not ready", Kafka: "answers", Consumers: []observe.ConsumerReady{
		{Consumer: "archive", Group: "archive", Joined: true}, {Consumer: "orders", Group: "orders"},
	}}
	away := observe.Readiness{Status: "not ready", Kafka: "away", Consumers: ready.Consumers}
	held := observe.Liveness{Status: "ok", Held: []observe.Held{
		{Consumer: "orders", Topic: "order-events", Reason: "the pharmacy is away"}, {Consumer: "orders", Topic: "order-events", Reason: "the store is away"},
	}}
	one := observe.Liveness{Status: "stuck", Stuck: []observe.Stuck{
		{Consumer: "orders", Topic: "order-events", Partition: 4, Frontier: 20, Waiting: 7, Seconds: 75},
	}}
	two := observe.Liveness{Status: "stuck", Stuck: append(one.Stuck, observe.Stuck{Consumer: "archive", Topic: "order-events", Partition: 1})}
	tests := []struct {
		name   string
		health control.Health
		ready  bool // whether it must be ready too
		well   bool
		line   string
	}{
		{"all is well", control.Health{Ready: ready}, true, true, "ok: Kafka answers, 2 of 2 consumers are in their groups"},
		{"what is held is said once, whatever reasons it has", control.Health{Live: held, Ready: ready}, true, true, "ok: Kafka answers, 2 of 2 consumers are in their groups, 1 held or paused"},
		{"a consumer that joins is alive", control.Health{Ready: joining}, false, true, "ok: Kafka answers, 1 of 2 consumers are in their groups (not orders)"},
		{"a consumer that joins is not ready", control.Health{Ready: joining}, true, false, "not ready: Kafka answers, 1 of 2 consumers are in their groups (not orders)"},
		{"without Kafka it is alive", control.Health{Ready: away}, false, true, "ok: Kafka is away, 2 of 2 consumers are in their groups"},
		{"without Kafka it is not ready", control.Health{Ready: away}, true, false, "not ready: Kafka is away, 2 of 2 consumers are in their groups"},
		{"stuck is not alive", control.Health{Live: one, Ready: ready}, false, false, "stuck: orders on order-events/4 stands at offset 20 for 75 s while records wait: 7"},
		{
			"of many that are stuck the first is named", control.Health{Live: two, Ready: ready}, true, false,
			"stuck: orders on order-events/4 stands at offset 20 for 75 s while records wait: 7, and so do 1 more partitions",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := test.health.Well(test.ready); got != test.well {
				t.Errorf("well: got %t, want %t", got, test.well)
			}
			if got := test.health.Line(test.ready); got != test.line {
				t.Errorf("line: got %q, want %q", got, test.line)
			}
		})
	}
}

func TestClientAsksForHealth(t *testing.T) {
	t.Parallel()
	b := setup(t)
	client, stop := b.serve(t, t.TempDir())
	b.Health.Expect("orders", "orders")
	health, err := client.Health(t.Context())
	if want := "ok: Kafka answers, 0 of 1 consumers are in their groups (not orders)"; err != nil || health.Line(false) != want {
		t.Errorf("Health: got %q, %v, want %q", health.Line(false), err, want)
	}
	stop()
	if _, err := client.Health(t.Context()); !errors.Is(err, control.ErrNotRunning) {
		t.Errorf("Health after the end: got %v, want %v", err, control.ErrNotRunning)
	}
}

// Ensure a process can be asked at its address, and what answers there and is none is not taken for a healthy one.
func TestAskHealth(t *testing.T) {
	t.Parallel()
	const away = `{"status":"not ready","kafka":"away","consumers":[{"consumer":"orders","group":"orders","joined":false}]}`
	tests := []struct {
		name        string
		live, ready string // what it answers, with the status in front
		line        string // empty for an error
		words       string // of the error
	}{
		{name: "alive and not ready", live: `200{"status":"ok","kafka":"away"}`, ready: "503" + away, line: "not ready: Kafka is away, 0 of 1 consumers are in their groups (not orders)"},
		{name: "another program is no millrace", live: "200<html>", ready: "200<html>", words: "no millrace"},
		{name: "other JSON is no millrace", live: "200{}", ready: "200{}", words: "no millrace"},
		{name: "not found is no millrace", live: "404{}", ready: "404{}", words: "no millrace"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				answer := map[string]string{"/healthz": test.live, "/readyz": test.ready}[r.URL.Path]
				w.WriteHeader(map[string]int{"200": 200, "404": 404, "503": 503}[answer[:3]])
				_, _ = w.Write([]byte(answer[3:]))
			}))
			t.Cleanup(server.Close)
			_, port, _ := strings.Cut(strings.TrimPrefix(server.URL, "http://"), ":")
			for _, host := range []string{"127.0.0.1", "", "0.0.0.0"} {
				health, err := control.AskHealth(t.Context(), host+":"+port)
				switch {
				case test.line != "" && (err != nil || health.Line(true) != test.line):
					t.Errorf("host %q: got %q, %v, want %q", host, health.Line(true), err, test.line)
				case test.line == "" && (err == nil || !strings.Contains(err.Error(), test.words)):
					t.Errorf("host %q: got %v, want %q in it", host, err, test.words)
				}
			}
		})
	}
	for _, address := range []string{"127.0.0.1:1", "nowhere"} {
		if _, err := control.AskHealth(t.Context(), address); err == nil || !strings.Contains(err.Error(), address) {
			t.Errorf("%s: got %v, want the address in it", address, err)
		}
	}
}
