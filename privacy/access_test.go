package privacy_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prantikov/millrace/privacy"
)

// accesses reads the list, line by line.
func accesses(t *testing.T, directory string) []privacy.Access {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(directory, privacy.AccessFile))
	if err != nil {
		t.Fatal(err)
	}
	var all []privacy.Access
	for line := range strings.Lines(string(text)) {
		var access privacy.Access
		if json.Unmarshal([]byte(line), &access) == nil {
			all = append(all, access)
		}
	}
	return all
}

func TestAccessIsNotedWithWhoAndWhy(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	before := time.Now()
	for _, reason := range []string{"ticket 4711", "two\nlines, \"quoted\""} {
		if err := privacy.NoteAccess(directory, "order-events-dlt/0/3", reason); err != nil {
			t.Fatal(err)
		}
	}
	noted := accesses(t, directory)
	if len(noted) != 2 || noted[0].Reason != "ticket 4711" || noted[1].Reason != "two\nlines, \"quoted\"" {
		t.Fatalf("got %+v, want two accesses with their reasons", noted)
	}
	for _, access := range noted {
		if access.Position != "order-events-dlt/0/3" || access.User == "" || access.UserID == "" || access.Time.Before(before.Add(-time.Second)) || access.Time.After(time.Now()) {
			t.Errorf("got %+v, want the position, the user and the time", access)
		}
	}
}

func TestAccessesAreTheOwnersAlone(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	name := filepath.Join(directory, privacy.AccessFile)
	// Somebody has opened it to others.
	if err := os.WriteFile(name, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := privacy.NoteAccess(directory, "t/0/0", "because"); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o600 && runtime.GOOS != "windows" {
		t.Errorf("got mode %o, want 600", got)
	}
}

func TestAccessAfterATornLineHasALineOfItsOwn(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	if err := os.WriteFile(filepath.Join(directory, privacy.AccessFile), []byte(`{"time":"2026-`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := privacy.NoteAccess(directory, "t/0/0", "because"); err != nil {
		t.Fatal(err)
	}
	if got := accesses(t, directory); len(got) != 1 || got[0].Reason != "because" {
		t.Errorf("got %+v, want the one access", got)
	}
}

func TestAccessesSideBySideAreAllNoted(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if err := privacy.NoteAccess(directory, "t/0/0", "because"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := len(accesses(t, directory)); got != 20 {
		t.Errorf("got %d accesses, want 20", got)
	}
}

func TestAccessThatCannotBeNotedIsAnError(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	// Not even root writes into a directory of that name.
	if err := os.Mkdir(filepath.Join(directory, privacy.AccessFile), 0o700); err != nil {
		t.Fatal(err)
	}
	err := privacy.NoteAccess(directory, "t/0/0", "because")
	if err == nil || !strings.Contains(err.Error(), privacy.AccessFile) || !strings.Contains(err.Error(), "data_dir") {
		t.Errorf("got %v, want an error that names the file and the setting", err)
	}
}
