package control_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prantikov/millrace/control"
)

func TestClientTellsAndAsks(t *testing.T) {
	t.Parallel()
	b := setup(t)
	client, _ := b.serve(t, t.TempDir())
	target := control.Target{Consumer: "orders", Topic: "order-events", Partition: 2}
	paused, err := client.Pause(t.Context(), control.PauseRequest{Target: target, For: "30m"})
	if err != nil {
		t.Fatalf("Pause: %v", err)
	}
	if paused.Topic != "eu.order-events" || paused.Seconds != 1800 || time.Until(paused.Until) > 30*time.Minute+time.Second {
		t.Errorf("Pause: got %+v, want half an hour on eu.order-events", paused)
	}
	resumed, err := client.Resume(t.Context(), target)
	if err != nil || len(resumed.Ended) != 1 || resumed.Ended[0].Partition != 2 {
		t.Errorf("Resume: got %+v, %v, want one end", resumed, err)
	}
	wantTold(t, "after both", b.orders.took(), "pause eu.order-events/2", "resume eu.order-events/2")
	keys, err := client.SetConcurrency(t.Context(), "orders", 128)
	if err != nil || keys.Before != 64 || keys.Concurrency != 128 {
		t.Errorf("SetConcurrency: got %+v, %v, want 64 → 128", keys, err)
	}
	status, err := client.Status(t.Context(), true)
	if err != nil || status.Version != "1.2.3" || len(status.Consumers) != 2 || status.Consumers[0].Concurrency != 128 {
		t.Errorf("Status: got %+v, %v, want both consumers", status, err)
	}
	if _, err = client.Resume(t.Context(), target); err == nil || err.Error() != `consumer "orders" on eu.order-events/2 is not paused` {
		t.Errorf("Resume again: got %v, want not paused", err)
	}
	wantCode(t, err, http.StatusConflict)
}

func TestRequestsAreBoundedAndStrict(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	b := setup(t)
	b.serve(t, directory)
	plain := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var dialer net.Dialer
		return dialer.DialContext(ctx, "unix", socket(directory))
	}}}
	tests := []struct {
		name               string
		method, path, body string
		want               int
	}{
		{name: "nothing said but the consumer pauses all of it", method: http.MethodPost, path: "/pause", body: `{"consumer":"orders"}`, want: 200},
		{name: "an unknown field is refused", method: http.MethodPost, path: "/pause", body: `{"consumer":"orders","key":"ord-1"}`, want: 400},
		{name: "two values are refused", method: http.MethodPost, path: "/pause", body: `{"consumer":"orders"}{}`, want: 400},
		{name: "no value names no consumer", method: http.MethodPost, path: "/pause", want: 404},
		{name: "a huge request is refused", method: http.MethodPost, path: "/pause", body: `{"consumer":"` + strings.Repeat("a", 1<<20) + `"}`, want: 400},
		{name: "huge headers are refused", method: http.MethodGet, path: "/status?" + strings.Repeat("a", 1<<20), want: 431},
		{name: "asking does not pause", method: http.MethodGet, path: "/pause", want: 405},
		{name: "there is nothing else", method: http.MethodGet, path: "/metrics", want: 404},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			request, err := http.NewRequestWithContext(t.Context(), test.method, "http://millrace"+test.path, strings.NewReader(test.body))
			if err != nil {
				t.Fatalf("NewRequest: %v", err)
			}
			response, err := plain.Do(request)
			if err != nil {
				t.Fatalf("Do: %v", err)
			}
			defer func() { _ = response.Body.Close() }()
			text, err := io.ReadAll(response.Body)
			if err != nil || response.StatusCode != test.want {
				t.Errorf("got %d %s (%v), want %d", response.StatusCode, text, err, test.want)
			}
		})
	}
	wantTold(t, "after all", b.orders.took(), "pause /-1")
}

func TestAnswerOfAnotherVersionIsNoRefusal(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "unix", socket(directory))
	if err != nil {
		t.Fatalf("Listen: %v", err)
	}
	server := &http.Server{Handler: http.NotFoundHandler(), ReadHeaderTimeout: time.Minute}
	t.Cleanup(func() { _ = server.Close() })
	go func() { _ = server.Serve(listener) }()
	if _, err := control.NewClient(directory).Status(t.Context(), false); err == nil || !strings.Contains(err.Error(), "another version") {
		t.Errorf("got %v, want another version", err)
	}
}
