//go:build unix

package integration_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// output is what a process has written so far.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(part []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(part)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// process is one run of the program.
type process struct {
	t              testing.TB
	command        *exec.Cmd
	stdout, stderr output
	ended          chan struct{}
	// panics is set for a program whose functions panic on purpose.
	panics bool
}

// start starts the program in a directory of its own, with none of this process's MILLRACE variables. It is killed when the test ends.
func start(t testing.TB, environment []string, arguments ...string) *process {
	t.Helper()
	return startProgram(t, binary, environment, arguments...)
}

// startProgram is start for another program.
func startProgram(t testing.TB, program string, environment []string, arguments ...string) *process {
	t.Helper()
	p := &process{t: t, ended: make(chan struct{})}
	p.command = exec.Command(program, arguments...)
	p.command.Dir = t.TempDir()
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "MILLRACE_") {
			p.command.Env = append(p.command.Env, variable)
		}
	}
	p.command.Env = append(p.command.Env, environment...)
	p.command.Stdout, p.command.Stderr = &p.stdout, &p.stderr
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		_ = p.command.Wait()
	}()
	t.Cleanup(func() {
		p.kill()
		p.wantNoCrash()
	})
	return p
}

// execute runs the program to its end.
func execute(t testing.TB, environment []string, arguments ...string) *process {
	t.Helper()
	p := start(t, environment, arguments...)
	p.wait()
	return p
}

// wantNoCrash fails the test when the process says that it crashed, or that one of its functions did.
func (p *process) wantNoCrash() {
	p.t.Helper()
	if p.panics {
		return
	}
	text := p.stderr.String()
	for _, crash := range []string{"panic", "fatal error", "goroutine "} {
		if at := strings.Index(text, crash); at >= 0 {
			p.t.Errorf("%v: got %q on stderr:\n%s", p.command.Args[1:], crash, text[max(0, at-500):min(len(text), at+2000)])
		}
	}
}

// signal sends the process a signal.
func (p *process) signal(signal syscall.Signal) {
	p.t.Helper()
	if err := p.command.Process.Signal(signal); err != nil {
		p.t.Fatalf("sending %s: %v; stderr:\n%s", signal, err, p.tail())
	}
}

// kill ends the process as kill -9 does, and returns when it is gone.
func (p *process) kill() {
	_ = p.command.Process.Kill()
	<-p.ended
}

func (p *process) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// wait returns the exit status of the process, -1 when a signal ended it.
func (p *process) wait() int {
	p.t.Helper()
	select {
	case <-p.ended:
		return p.command.ProcessState.ExitCode()
	case <-time.After(catchUp() + 2*patience):
		p.t.Fatalf("%v did not end within %s; stderr:\n%s", p.command.Args, catchUp()+2*patience, p.tail())
		return -1
	}
}

// ends fails the test when the process does not end with the status.
func (p *process) ends(status int) *process {
	p.t.Helper()
	if got := p.wait(); got != status {
		p.t.Fatalf("%v: got exit status %d, want %d; stderr:\n%s", p.command.Args[1:], got, status, p.tail())
	}
	return p
}

// tail is the end of stderr.
func (p *process) tail() string {
	text := p.stderr.String()
	if len(text) > 6000 {
		text = "…" + text[len(text)-6000:]
	}
	return text
}

// says waits until stderr has the text.
func (p *process) says(text string) {
	p.t.Helper()
	eventually(p.t, "the process says "+text+", or ends", func() bool { return strings.Contains(p.stderr.String(), text) || !p.running() })
	if !strings.Contains(p.stderr.String(), text) {
		p.t.Fatalf("the process ended without saying %q; stderr:\n%s", text, p.tail())
	}
}

// failsInOneSentence fails the test unless the process ends with status 1 and one line on stderr that has the words and no stack.
func (p *process) failsInOneSentence(words ...string) {
	p.t.Helper()
	p.ends(1)
	last := p.verdict()
	for _, word := range words {
		if !strings.Contains(last, word) {
			p.t.Errorf("got %q, want %q in it", last, word)
		}
	}
	if p.stdout.String() != "" {
		p.t.Errorf("got %q on stdout, want nothing", p.stdout.String())
	}
}

// verdict is what the program said at its end: the lines from "millrace:" on, which are no log lines.
func (p *process) verdict() string {
	p.t.Helper()
	text := p.stderr.String()
	if after, found := strings.CutPrefix(text, "millrace: "); found {
		return strings.TrimSuffix(after, "\n")
	}
	_, after, found := strings.Cut(text, "\nmillrace: ")
	if !found {
		p.t.Fatalf("got no verdict on stderr:\n%s", text)
	}
	return strings.TrimSuffix(after, "\n")
}

// logged returns the attributes of the first log line with the message; nil when there is none yet.
func (p *process) logged(message string) map[string]any {
	for line := range strings.Lines(p.stderr.String()) {
		var attributes map[string]any
		if json.Unmarshal([]byte(line), &attributes) == nil && attributes["msg"] == message {
			return attributes
		}
	}
	return nil
}

// http is the address of the program's metrics and health.
func (p *process) http() string {
	p.t.Helper()
	p.says(`"msg":"running"`)
	address, _ := p.logged("running")["http"].(string)
	if address == "" {
		p.t.Fatalf("got no address in the line of the start; stderr:\n%s", p.tail())
	}
	return address
}

// healthy asks /healthz.
func healthy(t testing.TB, p *process) bool {
	t.Helper()
	status, _ := ask(t, p.http()+"/healthz")
	return status == http.StatusOK
}

// get is what an address answers.
func get(t testing.TB, address string) string {
	t.Helper()
	status, text := ask(t, address)
	if status != http.StatusOK {
		t.Fatalf("%s: got status %d, want 200:\n%s", address, status, text)
	}
	return text
}

func ask(t testing.TB, address string) (status int, text string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatalf("asking %s: %v", address, err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("reading the answer of %s: %v", address, err)
	}
	return response.StatusCode, string(content)
}
