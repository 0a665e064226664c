// Package privacy owns the pseudonym that stands for a patient where one patient's events must be told apart, with the key behind it, and the
// list of who looked at patient data. It never turns a pseudonym back.
package privacy

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// shortestKey is the least number of bytes of a key: below it a pseudonym could be turned back by trying.
const shortestKey = 32

// Pseudonyms makes pseudonyms with one key. It is safe for concurrent use.
type Pseudonyms struct{ key []byte }

// Open reads the key from a file, or makes one there (0600) when there is no file. The key is the file's content without the white
// space around it. It returns an error for a key of less than 32 bytes. Whoever loses the file cannot tell that old and new pseudonyms
// mean the same patient; whoever gets it can find out by trying which patient one stands for.
func Open(file string) (*Pseudonyms, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		text, err = makeKey(file)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the key of pseudonyms (privacy.key_file): %w", err)
	}
	key := bytes.TrimSpace(text)
	if len(key) < shortestKey {
		return nil, fmt.Errorf("reading the key of pseudonyms (privacy.key_file) %q: it has %d bytes, want at least %d", file, len(key), shortestKey)
	}
	return &Pseudonyms{key: key}, nil
}

// makeKey writes a new key. When another process was faster, its key counts.
func makeKey(file string) ([]byte, error) {
	random := make([]byte, shortestKey)
	if _, err := rand.Read(random); err != nil {
		return nil, err
	}
	text := []byte(hex.EncodeToString(random) + "\n")
	made, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return os.ReadFile(file)
	}
	if err != nil {
		return nil, err
	}
	_, err = made.Write(text)
	return text, errors.Join(err, made.Sync(), made.Close())
}

// Of is the pseudonym of a patient: HMAC-SHA-256 of the patient's id, in hexadecimal.
func (p *Pseudonyms) Of(patient string) string {
	mac := hmac.New(sha256.New, p.key)
	mac.Write([]byte(patient))
	return hex.EncodeToString(mac.Sum(nil))
}
