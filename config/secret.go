package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"strings"
)

// hidden is what stands wherever a secret would be printed.
const hidden = "***"

// maxSecretBytes bounds a secret's file: more than any key or password, less than a file named by mistake.
const maxSecretBytes = 64 << 10

// Secret is a value that prints as *** whatever it is printed with: fmt with any verb, JSON, slog. The zero value is no secret. Copies are
// cheap and safe for concurrent use. A field of this type named token in a plugin's settings takes its value from the environment or,
// as token_file, from a file; never from the configuration file itself or a flag, which others can read.
type Secret struct {
	value string
	// file is where it was read; empty for one of the environment.
	file string
}

// NewSecret wraps a value.
func NewSecret(value string) Secret { return Secret{value: value} }

// Current reads the secret again where it comes from a file, so that one that was changed there is used from then on; where the file has none, and
// for a secret of the environment, it is what it was. It is for who uses it anew from time to time, such as at each login.
func (s Secret) Current() string {
	if s.file == "" {
		return s.value
	}
	fresh, _, err := readSecret(s.file)
	if err != nil {
		return s.value
	}
	return fresh.value
}

// Reveal returns the value, for the one place that needs it.
func (s Secret) Reveal() string { return s.value }

// IsSet says that there is a value.
func (s Secret) IsSet() bool { return s.value != "" }

// String returns ***.
func (Secret) String() string { return hidden }

// Format writes *** for every verb.
func (Secret) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, hidden) }

// MarshalJSON returns "***".
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }

// MarshalText returns ***, for YAML and for keys of maps.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// LogValue returns ***.
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// Sections is the plugins' part of the files. Only a plugin knows which of its values are secret, so none is ever printed.
type Sections map[string]any

// Format writes *** for every verb.
func (Sections) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, hidden) }

// MarshalJSON returns "***".
func (Sections) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }

// LogValue returns ***.
func (Sections) LogValue() slog.Value { return slog.StringValue(hidden) }

// readSecret returns what is in a secret's file, without the line end that editors leave, and whether others than its owner and group may
// read it.
func readSecret(path string) (secret Secret, open bool, err error) {
	file, err := os.Open(path)
	if err != nil {
		return Secret{}, false, plainPathError(err)
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return Secret{}, false, plainPathError(err)
	}
	data, err := io.ReadAll(io.LimitReader(file, maxSecretBytes+1))
	if err != nil {
		return Secret{}, false, plainPathError(err)
	}
	value := strings.TrimRight(string(data), "\r\n")
	switch {
	case len(data) > maxSecretBytes:
		return Secret{}, false, errors.New("it is larger than 64 KiB")
	case value == "":
		return Secret{}, false, errors.New("it is empty")
	}
	return Secret{value: value, file: path}, info.Mode().Perm()&0o004 != 0, nil
}

// plainPathError drops the operation and the path, which the sentence around it has already.
func plainPathError(err error) error {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return pathError.Err
	}
	return err
}
