//go:build unix

package integration_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// patience bounds every wait of these tests. It is long, for a machine may be busy; no test asserts how long something took.
const patience = 90 * time.Second

// binary is the program under test, journal and careless are those with consumers of the tests' own. TestMain builds all of them once.
var binary, journal, careless string

// TestMain is a broker or a program that kills itself when it is told to be one; else it builds the program and runs the tests.
func TestMain(m *testing.M) {
	if folder := os.Getenv(effectsFolder); folder != "" {
		os.Exit(beEffectsProgram(folder))
	}
	if directory := os.Getenv(brokerDirectory); directory != "" {
		os.Exit(beBroker(directory))
	}
	flag.Parse()
	code, err := testsWithBinary(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(code)
}

func testsWithBinary(m *testing.M) (code int, err error) {
	// Most of a test's time goes by in waiting for a group's session to end, so more of them fit than there are processors.
	if err := flag.Set("test.parallel", "5"); err != nil {
		return 1, err
	}
	directory, err := os.MkdirTemp("", "millrace-integration-")
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(directory)) }()
	binary, journal, careless = filepath.Join(directory, "millrace"), filepath.Join(directory, "journal"), filepath.Join(directory, "careless")
	build := exec.Command("go", "build", "-o", directory, "./cmd/millrace", "./integration/journal", "./integration/careless")
	build.Dir = ".."
	if output, err := build.CombinedOutput(); err != nil {
		return 1, fmt.Errorf("building the program: %w\n%s", err, output)
	}
	defer endShared()
	return m.Run(), nil
}

// soak says whether the long forms of the tests are asked for.
func soak() bool { return os.Getenv("MILLRACE_SOAK") != "" }

// outage is how long a fault lasts.
func outage() time.Duration {
	if soak() {
		return time.Minute
	}
	return 15 * time.Second
}

// catchUp is how long a run may take to the end of a log; a soak has filled it with much more than one run can do.
func catchUp() time.Duration {
	if soak() {
		return 20 * time.Minute
	}
	return 5 * time.Minute
}

// eventually asks until the answer is true, and fails the test when it is not within the patience.
func eventually(t testing.TB, what string, ask func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if !until(ctx, ask) {
		t.Fatalf("%s: not within %s", what, patience)
	}
}

// throughout looks again and again for the length of a fault, and fails the test when what must hold does not.
func throughout(t testing.TB, length time.Duration, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), length)
	defer cancel()
	if until(ctx, func() bool { return !holds() }) {
		t.Fatalf("%s: it did not hold all along", what)
	}
}

// until asks until the answer is true or the context ends.
func until(ctx context.Context, ask func() bool) bool {
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for !ask() {
		select {
		case <-ctx.Done():
			return false
		case <-again.C:
		}
	}
	return true
}
