package archive

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// draft is a file that is being written, under a name of its own, with the checksum of what it has.
type draft struct {
	file  *os.File
	name  string
	sum   hash.Hash
	bytes int64
}

// newDraft begins a file, over what a crash has left of it.
func newDraft(name string) (*draft, error) {
	file, err := os.OpenFile(name+unfinished, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	return &draft{file: file, name: name, sum: sha256.New()}, nil
}

// Write implements io.Writer.
func (d *draft) Write(bytes []byte) (int, error) {
	n, err := d.file.Write(bytes)
	d.sum.Write(bytes[:n])
	d.bytes += int64(n)
	return n, err
}

// settle writes the file to the disk.
func (d *draft) settle() (Sum, error) {
	err := errors.Join(d.file.Sync(), d.file.Close())
	return Sum{Bytes: d.bytes, SHA256: hex.EncodeToString(d.sum.Sum(nil))}, err
}

// abandon removes what was written.
func (d *draft) abandon() {
	_ = d.file.Close()
	_ = os.Remove(d.name + unfinished)
}

// makeFolder makes a folder and those above it for their owner alone, and writes the name of each that it made to the disk.
func makeFolder(path string) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := makeFolder(filepath.Dir(path)); err != nil {
		return err
	}
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// syncFolder writes the names in a folder to the disk. Windows has no such call, and does not need it.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
