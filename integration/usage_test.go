//go:build unix

package integration_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Ensure a server that lost its setting does not look healthy on a broker of its own.
func TestRunWithoutBrokersIsAUsageError(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"run", "lag", "topics plan", "topics apply", "dlq list", "publish order-events"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			data := filepath.Join(t.TempDir(), "data")
			p := execute(t, nil, append(strings.Fields(command), "--data-dir", data)...).ends(2)
			for _, want := range []string{"--brokers", "--dev"} {
				if !strings.Contains(p.verdict(), want) {
					t.Errorf("got %q, want %s in it", p.verdict(), want)
				}
			}
			if _, err := os.Stat(filepath.Join(data, "broker")); err == nil {
				t.Error("got a broker's directory, want none")
			}
		})
	}
}

// Ensure bad settings are all told at once, before anything is made.
func TestBadSettingsAreAllToldAtOnce(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, &broker{address: "127.0.0.1:1"}, settings{
		"kafka":     settings{"session_timeout": "1s", "producer": settings{"acks": "1"}, "isolation_level": "read_uncommitted"},
		"consumers": settings{"orders": settings{"retry": settings{"tries": 0}}, "nobody": settings{"enabled": false}},
		"colour":    "red",
	})
	run := p.execute(t, "run").ends(1)
	for _, want := range []string{
		"kafka.session_timeout", "kafka.producer.acks", "kafka.isolation_level", "consumers.orders.retry.tries", "nobody", "colour",
	} {
		if !strings.Contains(run.verdict(), want) {
			t.Errorf("got %q, want %s in it", run.verdict(), want)
		}
	}
	if _, err := os.Stat(p.data); err == nil {
		t.Error("got a data directory, want none before the settings are good")
	}
}

// Ensure an address that somebody chose is taken or refused.
func TestChosenHTTPAddressThatIsTakenIsAnError(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	p := newPlatform(t, anyBroker(t), nil)
	p.execute(t, "run", "--http-address", taken.Addr().String()).failsInOneSentence("http.address", "--http-address", taken.Addr().String(), "in use")
}

// Ensure a second process on the machine just starts, and says where.
func TestDefaultHTTPAddressThatIsTakenMovesOn(t *testing.T) {
	t.Parallel()
	const standard = "127.0.0.1:7070"
	// When it cannot be opened, somebody has it already, which is as good.
	if taken, err := net.Listen("tcp", standard); err == nil {
		defer taken.Close()
	}
	p := newPlatform(t, anyBroker(t), nil)
	run := start(t, []string{"MILLRACE_HTTP_ADDRESS="}, "run", "--brokers", p.broker.address, "--config", p.withoutHTTP(t), "--data-dir", p.data)
	address := run.http()
	if !strings.HasPrefix(address, "http://127.0.0.1:70") && !strings.HasPrefix(address, "http://127.0.0.1:71") || strings.HasSuffix(address, standard) {
		t.Errorf("got %s, want one of the next ports after %s", address, standard)
	}
	if !healthy(t, run) {
		t.Errorf("got no health at %s", address)
	}
	run.signal(syscall.SIGTERM)
	run.ends(0)
}
