package examples_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/prantikov/millrace/kafka/kafkatest"
)

// outsider is the go.mod of a module that knows this one by its path alone.
const outsider = `module example.com/loyalty

go 1.26

require github.com/prantikov/millrace v0.0.0

replace github.com/prantikov/millrace => `

// program is an example that was built, and what it is run with.
type program struct {
	path        string
	directory   string // where it is run
	environment []string
}

// build builds an example of this module.
func build(t *testing.T, name string) program {
	t.Helper()
	built := program{path: executable(t, name), directory: t.TempDir()}
	run(t, ".", os.Environ(), "go", "build", "-o", built.path, "./"+name)
	return built
}

// buildOutside builds the example as somebody else would: copied to an empty folder, as a module of its own.
func buildOutside(t *testing.T, name string) program {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	module := t.TempDir()
	sources, err := filepath.Glob(filepath.Join(name, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, source := range sources {
		if !strings.HasSuffix(source, "_test.go") {
			copyFile(t, source, filepath.Join(module, filepath.Base(source)))
		}
	}
	copyFile(t, filepath.Join(root, "go.sum"), filepath.Join(module, "go.sum"))
	if err := os.WriteFile(filepath.Join(module, "go.mod"), []byte(outsider+root+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	built := program{path: executable(t, name), directory: t.TempDir()}
	// Its go.mod is completed from the one that it replaces; a workspace around here is not its.
	run(t, module, append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off"), "go", "build", "-buildvcs=false", "-o", built.path, ".")
	return built
}

func executable(t *testing.T, name string) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	return filepath.Join(t.TempDir(), name)
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, content, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// run runs a command that must succeed, and returns what it printed.
func run(t *testing.T, directory string, environment []string, name string, arguments ...string) string {
	t.Helper()
	out, logged, err := try(t, directory, environment, name, arguments...)
	if err != nil {
		t.Fatalf("running %s %s: %v\n%s", filepath.Base(name), strings.Join(arguments, " "), err, logged)
	}
	return out
}

func try(t *testing.T, directory string, environment []string, name string, arguments ...string) (out, logged string, err error) {
	t.Helper()
	var stdout, stderr strings.Builder
	command := exec.CommandContext(t.Context(), name, arguments...)
	command.Dir, command.Env, command.Stdout, command.Stderr = directory, environment, &stdout, &stderr
	err = command.Run()
	return stdout.String(), stderr.String(), err
}

// run runs a command of the program, without the settings of who runs the tests.
func (p program) run(t *testing.T, arguments ...string) string {
	t.Helper()
	return run(t, p.directory, p.variables(), p.path, arguments...)
}

// refused is what a command says that must not succeed.
func (p program) refused(t *testing.T, arguments ...string) string {
	t.Helper()
	_, logged, err := try(t, p.directory, p.variables(), p.path, arguments...)
	if err == nil {
		t.Fatalf("running %s: got success, want a refusal", strings.Join(arguments, " "))
	}
	return logged
}

func (p program) variables() []string {
	others := slices.DeleteFunc(os.Environ(), func(variable string) bool { return strings.HasPrefix(variable, "MILLRACE_") })
	return append(others, append([]string{"MILLRACE_HTTP_ADDRESS=127.0.0.1:0"}, p.environment...)...)
}

// configure writes the configuration that the program finds where it is run.
func (p program) configure(t *testing.T, yaml string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(p.directory, "config.yaml"), []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
}

// outcome is what demo --once prints.
type outcome struct {
	Published int
	Consumers map[string]struct{ Done, Retried, DeadLettered, Skipped int }
	Lost      int
}

func (p program) demo(t *testing.T, arguments ...string) outcome {
	t.Helper()
	var result outcome
	// The day is always the same, one with deliveries among its first events.
	read(t, p.run(t, append([]string{"demo", "--once", "-o", "json", "--seed", "1"}, arguments...)...), &result)
	return result
}

func read(t *testing.T, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("reading %q: %v", text, err)
	}
}

// Ensure a service without a router sends what other clients read: the event with its key and its headers.
func TestProducer(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Cluster(t).ListenAddrs()[0]
	kafkatest.CreateTopic(t, broker, "order-events", 6)
	printed := build(t, "producer").run(t, broker)
	if !regexp.MustCompile(`^partition [0-5] offset 0\n$`).MatchString(printed) {
		t.Errorf("got %q, want the partition and offset 0", printed)
	}
	r := kafkatest.Consume(t, broker, "order-events", 1)[0]
	if got := string(r.Key); got != "ord-1" {
		t.Errorf("got key %q, want ord-1", got)
	}
	var event struct{ OrderID, Status, Action string }
	read(t, string(r.Value), &event)
	if event.OrderID != "ord-1" || event.Status != "shipped" || event.Action != "shipped" {
		t.Errorf("got %+v, want the order ord-1 with status and action shipped", event)
	}
	for name, want := range map[string]string{
		"content-type": "application/json", "ce_specversion": "1.0", "ce_type": "millrace.OrderEvent.shipped", "ce_subject": "Order/ord-1",
	} {
		if got, _ := r.Header(name); string(got) != want {
			t.Errorf("header %s: got %q, want %q", name, got, want)
		}
	}
}

// Ensure the examples are as short as they are said to be.
func TestExamplesAreShort(t *testing.T) {
	t.Parallel()
	for file, most := range map[string]int{"loyalty/main.go": 40, "producer/main.go": 25} {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		lines := 0
		for line := range strings.Lines(string(content)) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "//") {
				lines++
			}
		}
		if lines >= most {
			t.Errorf("%s: got %d lines of code, want under %d", file, lines, most)
		}
	}
}
