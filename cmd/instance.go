package cmd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/uuid"
)

// instanceOf is the name of a data directory among those of other processes. It is made at the first start and stays in the directory, for a
// store that is shared knows by it how much of each file in there counts. Who copies the directory leaves this file out.
func instanceOf(directory string) (string, error) {
	path := filepath.Join(directory, "instance")
	name, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		name = []byte(uuid.NewString() + "\n")
		err = os.WriteFile(path, name, 0o600)
	}
	if err != nil {
		return "", fmt.Errorf("naming the data directory %q: %w", directory, err)
	}
	if text := strings.TrimSpace(string(name)); text != "" {
		return text, nil
	}
	return "", fmt.Errorf("naming the data directory %q: %q is empty: remove it, and its files are taken for those of a new instance", directory, path)
}

// instanceKnown is the instance of the data directory, for who reads beside it: empty where it has no name.
func (s *session) instanceKnown() (string, error) {
	name, err := os.ReadFile(filepath.Join(s.settings.DataDir, "instance"))
	if !s.sharedStore() || errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return strings.TrimSpace(string(name)), err
}
