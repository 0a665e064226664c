package archive

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"os"
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
