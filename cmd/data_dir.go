package cmd

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// makeDataDir makes the data directory for its owner alone.
func makeDataDir(directory string) error {
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return fmt.Errorf("making the data directory %q (data_dir, --data-dir): %w", directory, err)
	}
	if err := os.Chmod(directory, 0o700); err != nil {
		return fmt.Errorf("closing the data directory %q (data_dir, --data-dir) to others: %w", directory, err)
	}
	return nil
}

// errInUse is in the error of a data directory that another process has.
var errInUse = errors.New("in use by another millrace run")

// lockDataDir takes the data directory for this process. The lock is the operating system's, so a killed process leaves none behind. The
// function that is returned frees it.
func lockDataDir(directory string) (func(), error) {
	if err := makeDataDir(directory); err != nil {
		return nil, err
	}
	lock := flock.New(filepath.Join(directory, "lock"), flock.SetPermissions(0o600))
	taken, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("locking the data directory %q (data_dir, --data-dir): %w", directory, err)
	}
	if !taken {
		return nil, fmt.Errorf("the data directory %q (data_dir, --data-dir) is %w: stop it, or give this one a directory of its own", directory, errInUse)
	}
	return func() { _ = lock.Close() }, nil
}
