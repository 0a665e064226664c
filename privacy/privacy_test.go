package privacy_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/prantikov/millrace/privacy"
)

func TestPseudonymIsTheSameAfterARestart(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "privacy.key")
	first, err := privacy.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	second, err := privacy.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	if first.Of("p-1") != second.Of("p-1") {
		t.Error("the pseudonym changed with the same key file")
	}
	if first.Of("p-1") == first.Of("p-2") {
		t.Error("two patients have one pseudonym")
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o600 {
		t.Errorf("the key file has mode %o, want 600", got)
	}
}

func TestPseudonymIsHMACWithTheFilesContent(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "privacy.key")
	if err := os.WriteFile(file, []byte("00000000000000000000000000000000\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	pseudonyms, err := privacy.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	// printf p-1 | openssl dgst -sha256 -hmac 00000000000000000000000000000000
	if got, want := pseudonyms.Of("p-1"), "67287b9f33d6a8f0645345a9efa1e1831f3a0e71020216dafbc7cdc210871111"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestShortKeyIsRefused(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "privacy.key")
	if err := os.WriteFile(file, []byte("short\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := privacy.Open(file); err == nil {
		t.Error("a key of 5 bytes was taken")
	}
}
