package control_test

import (
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/prantikov/millrace/control"
)

func TestSocketIsTheOwnersAloneAndGoesWithTheProcess(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	client, stop := setup(t).serve(t, directory)
	if _, err := client.Status(t.Context(), false); err != nil {
		t.Fatalf("Status: %v", err)
	}
	info, err := os.Lstat(socket(directory))
	if err != nil {
		t.Fatalf("looking at the socket: %v", err)
	}
	if got := info.Mode().Perm(); got != 0o600 && runtime.GOOS != "windows" {
		t.Errorf("mode: got %o, want 600", got)
	}
	stop()
	if _, err := os.Lstat(socket(directory)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after the stop: got %v, want no socket", err)
	}
}

func TestNothingRuns(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	stale(t, directory)
	for _, place := range []string{directory, t.TempDir(), filepath.Join(directory, "not", "there")} {
		_, err := control.NewClient(place).Status(t.Context(), false)
		if !errors.Is(err, control.ErrNotRunning) {
			t.Errorf("got %v, want %v", err, control.ErrNotRunning)
			continue
		}
		if want := `no millrace runs in data directory "` + place + `" (data_dir, --data-dir)`; runtime.GOOS != "windows" && err.Error() != want {
			t.Errorf("got %q, want %q", err, want)
		}
	}
}

// stale leaves a socket as a killed process does.
func stale(t *testing.T, directory string) {
	t.Helper()
	var config net.ListenConfig
	left, err := config.Listen(t.Context(), "unix", socket(directory))
	if err != nil {
		t.Fatalf("Listen: %v", err)
	}
	left.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := left.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	if _, err := os.Lstat(socket(directory)); err != nil {
		t.Fatalf("got no stale socket: %v", err)
	}
}

func TestStaleSocketIsReplaced(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	stale(t, directory)
	client, _ := setup(t).serve(t, directory)
	if _, err := client.Status(t.Context(), false); err != nil {
		t.Errorf("Status: %v", err)
	}
}

func TestDirectoryWithALongPathHasASocketToo(t *testing.T) {
	t.Parallel()
	directory := filepath.Join(t.TempDir(), strings.Repeat("long/", 40))
	if err := os.MkdirAll(directory, 0o700); err != nil {
		t.Fatalf("MkdirAll: %v", err)
	}
	client, stop := setup(t).serve(t, directory)
	if _, err := client.Status(t.Context(), false); err != nil {
		t.Errorf("Status: %v", err)
	}
	if _, err := os.Lstat(socket(directory)); err != nil {
		t.Errorf("got no socket in the directory itself: %v", err)
	}
	stop()
	if _, err := os.Lstat(socket(directory)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after the stop: got %v, want no socket", err)
	}
}

// Ensure a path that no link makes short enough is refused in a sentence that says what to do. It changes the environment, so it is alone.
func TestPathThatStaysTooLongIsRefused(t *testing.T) {
	long := filepath.Join(t.TempDir(), strings.Repeat("long/", 40))
	if err := os.MkdirAll(long, 0o700); err != nil {
		t.Fatalf("MkdirAll: %v", err)
	}
	t.Setenv("TMPDIR", long)
	t.Setenv("TMP", long)
	_, err := control.Listen(t.Context(), long, setup(t).Process, slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "use a data directory with a shorter path (data_dir, --data-dir)") {
		t.Errorf("got %v, want advice", err)
	}
	left, err := os.ReadDir(long)
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: got %v (%v), want nothing", left, err)
	}
}
