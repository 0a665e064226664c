package store

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
)

// folder is a directory of files that are written at a given length. It keeps the last used ones open. One goroutine uses it at a time.
type folder struct {
	root  string
	limit int
	// opened is in the order of use, the last used at the end.
	opened []openedFile
}

type openedFile struct {
	name string
	file *os.File
}

func (f *folder) path(name string) string { return filepath.Join(f.root, filepath.FromSlash(name)) }

// size is a file's length on the disk. A file that was replaced, as programs that rotate logs do, is no longer the one that is open.
func (f *folder) size(name string) (int64, error) {
	info, err := os.Stat(f.path(name))
	if err != nil {
		return 0, errors.Join(err, f.drop(name))
	}
	if i := f.index(name); i >= 0 {
		open, err := f.opened[i].file.Stat()
		if err != nil || !os.SameFile(info, open) {
			return info.Size(), errors.Join(err, f.drop(name))
		}
	}
	return info.Size(), nil
}

// write puts the bytes into the file from the given length on, and returns when they are on the disk, the file's name included.
func (f *folder) write(name string, length int64, lines []byte) error {
	file, err := f.open(name)
	if err != nil {
		return err
	}
	if _, err := file.WriteAt(lines, length); err != nil {
		return errors.Join(err, f.drop(name))
	}
	if err := file.Sync(); err != nil {
		return errors.Join(err, f.drop(name))
	}
	return nil
}

// cut shortens the file to the length and returns by how much. A file that is shorter, or not there, stays as it is.
func (f *folder) cut(name string, length int64) (int64, error) {
	info, err := os.Stat(f.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil || info.Size() <= length {
		return 0, err
	}
	// Truncated by its path: an open handle may be the broken one.
	return info.Size() - length, os.Truncate(f.path(name), length)
}

// wholeLines is the length of the first size bytes of the file without what comes after their last newline.
func (f *folder) wholeLines(name string, size int64) (int64, error) {
	if size == 0 {
		return 0, nil
	}
	file, err := os.Open(f.path(name))
	if err != nil {
		return 0, err
	}
	defer func() { _ = file.Close() }()
	block := make([]byte, 64<<10)
	for end := size; end > 0; {
		start := max(0, end-int64(len(block)))
		part := block[:end-start]
		if _, err := file.ReadAt(part, start); err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		if last := bytes.LastIndexByte(part, '\n'); last >= 0 {
			return start + int64(last) + 1, nil
		}
		end = start
	}
	return 0, nil
}

func (f *folder) index(name string) int {
	return slices.IndexFunc(f.opened, func(o openedFile) bool { return o.name == name })
}

// open returns the file, which it makes where it is missing.
func (f *folder) open(name string) (*os.File, error) {
	if i := f.index(name); i >= 0 {
		used := f.opened[i]
		f.opened = append(slices.Delete(f.opened, i, i+1), used)
		return used.file, nil
	}
	if len(f.opened) >= f.limit {
		if err := f.drop(f.opened[0].name); err != nil {
			return nil, err
		}
	}
	path := f.path(name)
	_, err := os.Stat(path)
	missing := errors.Is(err, fs.ErrNotExist)
	if missing {
		if err := MakeFolders(filepath.Dir(path)); err != nil {
			return nil, err
		}
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if missing {
		if err := SyncFolder(filepath.Dir(path)); err != nil {
			return nil, errors.Join(err, file.Close())
		}
	}
	f.opened = append(f.opened, openedFile{name: name, file: file})
	return file, nil
}

// drop closes a file.
func (f *folder) drop(name string) error {
	i := f.index(name)
	if i < 0 {
		return nil
	}
	file := f.opened[i].file
	f.opened = slices.Delete(f.opened, i, i+1)
	return file.Close()
}

func (f *folder) close() error {
	var errs []error
	for _, opened := range f.opened {
		errs = append(errs, opened.file.Close())
	}
	f.opened = nil
	return errors.Join(errs...)
}

// MakeFolders makes a folder and those above it, for their owner alone, and writes the name of each that it made to the disk.
func MakeFolders(path string) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := MakeFolders(filepath.Dir(path)); err != nil {
		return err
	}
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return SyncFolder(filepath.Dir(path))
}

// SyncFolder writes the names in a folder to the disk. Windows has no such call, and does not need it.
func SyncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
