//go:build unix

package integration_test

import (
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

// composed is Millrace as the compose file has it, but for host names and paths.
type composed struct {
	environment []string
	arguments   []string
	// health is the health check without the program.
	health  []string
	metrics string
}

// composedMillrace reads the compose file and puts a broker, a directory and a free port in the place of the containers'.
func composedMillrace(t testing.TB, b *broker) composed {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{"../docker-compose.yml"}, cli.WithEnv(nil))
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	service := project.Services["millrace"]
	metrics := "127.0.0.1:" + freePort(t)
	// What is in neither list is taken as it stands, so a host or a path that is new here fails.
	here := strings.NewReplacer("kafka:19092", b.address, "/data", filepath.Join(t.TempDir(), "data"), "0.0.0.0:7071", metrics)
	c := composed{arguments: service.Command, metrics: metrics}
	for name, value := range service.Environment {
		c.environment = append(c.environment, name+"="+here.Replace(*value))
	}
	c.health = healthArguments(t, service)
	return c
}

func healthArguments(t testing.TB, service types.ServiceConfig) []string {
	t.Helper()
	test := service.HealthCheck.Test
	if len(test) < 3 || test[0] != "CMD" || filepath.Base(test[1]) != filepath.Base(binary) {
		t.Fatalf("healthcheck: got %q, want CMD and the program", test)
	}
	return test[2:]
}

// Ensure the service of the compose file starts, says by its own health check that it works, answers Prometheus, and stops cleanly: no
// engine runs the file here, so the test does.
func TestComposeServiceBecomesHealthy(t *testing.T) {
	t.Parallel()
	b := ownBroker(t)
	b.start(t)
	c := composedMillrace(t, b)
	health := func() *process {
		p := execute(t, c.environment, c.health...)
		p.wait()
		return p
	}
	if before := health(); before.wait() != 1 || strings.Count(before.stderr.String(), "\n") != 1 {
		t.Errorf("before the start: got status %d and %q, want 1 and one line", before.wait(), before.stderr.String())
	}

	run := start(t, c.environment, c.arguments...)
	var said string
	eventually(t, "the health check is ok", func() bool {
		p := health()
		said = p.stdout.String()
		return p.wait() == 0
	})
	if want := "ok: Kafka answers, 8 of 8 consumers are in their groups\n"; said != want {
		t.Errorf("the health check says %q, want %q", said, want)
	}
	if text := get(t, "http://"+c.metrics+"/metrics"); !strings.Contains(text, "\nmillrace_kafka_answers 1\n") {
		t.Errorf("the published address does not say that Kafka answers:\n%s", text)
	}

	run.signal(syscall.SIGTERM)
	run.ends(0)
	if after := health(); after.wait() != 1 {
		t.Errorf("after the stop: got status %d, want 1", after.wait())
	}
}

// Ensure metrics and health can be asked from outside the machine at their own address, by any name, and the http address stays closed to
// that.
func TestMetricsAddressIsForOthers(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, anyBroker(t), nil)
	run := p.start(t, "run", "--metrics-address", "0.0.0.0:0")
	local := run.http()
	metrics, _ := run.logged("running")["metrics"].(string)
	// Where there is IPv6, every address is written as its.
	host, port, err := net.SplitHostPort(strings.TrimPrefix(metrics, "http://"))
	if err != nil || host != "::" && host != "0.0.0.0" {
		t.Fatalf("got the address %q in the line of the start, want every address of the machine", metrics)
	}
	for path, want := range map[string]int{"/metrics": http.StatusOK, "/healthz": http.StatusOK, "/": http.StatusNotFound} {
		if got := askAs(t, "http://127.0.0.1:"+port+path, "millrace-0.millrace.events.svc:7071"); got != want {
			t.Errorf("%s at the metrics address: got status %d, want %d", path, got, want)
		}
	}
	if got := askAs(t, local+"/metrics", "millrace-0.millrace.events.svc:7071"); got != http.StatusForbidden {
		t.Errorf("the http address under another name: got status %d, want %d", got, http.StatusForbidden)
	}
	if text := get(t, local+"/metrics"); !strings.Contains(text, "millrace_build_info") {
		t.Errorf("the http address has no metrics:\n%s", text)
	}
	run.signal(syscall.SIGTERM)
	run.ends(0)
}

// askAs is the status of an answer to a request under a host's name.
func askAs(t testing.TB, address, host string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = host
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatalf("asking %s: %v", address, err)
	}
	defer response.Body.Close()
	return response.StatusCode
}

// Ensure an address for metrics that is no such address, or taken, or an http address that is not this machine's, is one sentence.
func TestWrongAddressesAreOneSentence(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, anyBroker(t), nil)
	taken := p.start(t, "run", "--metrics-address", "127.0.0.1:0")
	taken.http()
	at, _ := taken.logged("running")["metrics"].(string)
	other := newPlatform(t, anyBroker(t), nil)
	for _, test := range []struct {
		name      string
		arguments []string
		words     []string
	}{
		{"metrics address that is taken", []string{"--metrics-address", strings.TrimPrefix(at, "http://")}, []string{"metrics.address", "--metrics-address", "in use"}},
		{"metrics address without a port", []string{"--metrics-address", "0.0.0.0"}, []string{"metrics.address", "host:port"}},
		{"http address of the network", []string{"--http-address", "0.0.0.0:7070"}, []string{"http.address", "this machine only", "metrics.address"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			other.execute(t, slices.Concat([]string{"run"}, test.arguments)...).failsInOneSentence(test.words...)
		})
	}
	taken.signal(syscall.SIGTERM)
	taken.ends(0)
}
