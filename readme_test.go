package millrace_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// moved is where the commands that move a listener are run.
const moved = "cmd's scripts of moving, with a listener"

// elsewhere are commands of the README that are run by something else than TestREADMECommands, and where.
var elsewhere = map[string]string{
	"go test ./...": "this very run",
	"millrace topics plan --brokers localhost:9092":                                               "integration and cmd's scripts, with the brokers of the test",
	"millrace run --brokers localhost:9092":                                                       "integration, with the brokers of the test",
	"millrace topics plan":                                                                        moved,
	"millrace run --consumers orders --data-dir dry":                                              moved,
	"millrace compare --group healthcare-platform --group healthcare-platform-orders --within 1m": moved,
	"millrace run --consumers orders":                                                             moved,
	"millrace pause orders":                                                                       moved,
	"millrace status":                                                                             moved,
}

// Ensure every command of the README works in the order in which it stands there, with one data directory, as a reader would type them.
func TestREADMECommands(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	binary := buildProgram(t, directory)
	service := filepath.Join(directory, "order-service", "src", "main", "resources")
	if err := os.CopyFS(service, os.DirFS(filepath.Join("config", "testdata", "spring", "local"))); err != nil {
		t.Fatal(err)
	}
	if ran := runDocumented(t, "README.md", directory, binary, elsewhere); ran < 7 {
		t.Errorf("ran %d commands of the README, want all of them", ran)
	}
}

// buildProgram builds the program into a directory.
func buildProgram(t *testing.T, directory string) string {
	t.Helper()
	binary := filepath.Join(directory, "millrace")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./cmd/millrace").CombinedOutput(); err != nil {
		t.Fatalf("building the binary: %v\n%s", err, out)
	}
	return binary
}

// runDocumented runs the commands of a page in their order, but those that are run elsewhere, and returns how many they were.
func runDocumented(t *testing.T, page, directory, binary string, elsewhere map[string]string) int {
	t.Helper()
	ran := 0
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(readFile(t, page), -1) {
		for line := range strings.Lines(block[1]) {
			line = strings.TrimSpace(line)
			if elsewhere[line] != "" {
				continue
			}
			words := strings.Fields(strings.Replace(line, "go run ./cmd/millrace", "millrace", 1))
			if words[0] != "millrace" {
				t.Errorf("%s: command %q is run by no test: run it here or say in the table where it is", page, line)
				continue
			}
			if words[len(words)-1] == "demo" {
				words = append(words, "--for", "3s")
			}
			if out := runProgram(t, directory, binary, words[1:]...); out == "" && words[1] != "run" {
				t.Errorf("%s: command %q printed nothing", page, line)
			}
			ran++
		}
	}
	return ran
}

// runProgram runs a command that must end well, with none of this process's MILLRACE variables, and returns what it prints.
func runProgram(t *testing.T, directory, binary string, arguments ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), binary, arguments...)
	command.Dir = directory
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "MILLRACE_") {
			command.Env = append(command.Env, variable)
		}
	}
	var out, errout bytes.Buffer
	command.Stdout, command.Stderr = &out, &errout
	if err := command.Run(); err != nil {
		t.Errorf("millrace %s: %v\n%s", strings.Join(arguments, " "), err, errout.String())
	}
	return out.String()
}

// Ensure the code that the README shows is the code of the examples, which run.
func TestREADMEShowsTheExamples(t *testing.T) {
	t.Parallel()
	readme := readFile(t, "README.md")
	for _, file := range []string{"examples/loyalty/main.go", "examples/producer/main.go"} {
		code := readFile(t, file)
		_, code, _ = strings.Cut(code, "package main")
		if !strings.Contains(readme, "```go\npackage main"+code+"```") {
			t.Errorf("README.md does not show %s as it is", file)
		}
	}
}
