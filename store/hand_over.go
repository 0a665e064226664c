package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"
)

// File is a file of a consumer's sink as the store knows it.
type File struct {
	// Name is relative to the sink's directory, with slashes; Path is where it is.
	Name, Path string
	// Length is how many bytes of it count: what lies beyond is from a commit that is not finished.
	Length int64
	// Written is when it was last written to.
	Written time.Time
}

// HandOver gives the files of a consumer's sink that were last written before a time to a function, one after another in the order of their
// names, and removes each that the function says it has taken. The function sees a file that commits may go on to write, and its bytes up to
// the length stay as they are. A file that has grown meanwhile is not removed: it comes again at a later call, with what was taken in it. So does
// one that a crash found half way.
//
// A file that the function fails with stays, and the others are given all the same: the error joins what went wrong.
func (s *Store) HandOver(ctx context.Context, consumer, directory string, options Options, before time.Time, take func(File) (taken bool, err error)) error {
	k := s.sink(consumer, directory, options)
	files, err := k.writtenBefore(ctx, before)
	if err != nil {
		return unavailable("handing over files of "+consumer, err)
	}
	var errs []error
	for _, file := range files {
		taken, err := take(file)
		if err == nil && taken {
			s.reach("taken")
			err = k.drop(ctx, file)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("handing over %q: %w", file.Path, err))
		}
		if ctx.Err() != nil {
			return errors.Join(append(errs, context.Cause(ctx))...)
		}
	}
	return errors.Join(errs...)
}

// Files returns what the store knows of the files of a consumer's sink, in the order of their names, those that are not there included: their
// Written is zero. It reads beside whoever writes. The error is one that [Unavailable] knows.
func (s *Store) Files(ctx context.Context, consumer, instance, directory string) ([]File, error) {
	k := &sink{store: s, consumer: consumer, instance: instance, folder: folder{root: directory}}
	var err error
	if k.lengths, err = k.load(ctx); err != nil {
		return nil, unavailable("reading the files of "+consumer, err)
	}
	var files []File
	for name, length := range k.lengths {
		if length == toRemove {
			continue
		}
		file := File{Name: name, Path: k.folder.path(name), Length: length}
		if info, err := os.Stat(file.Path); err == nil {
			file.Written = info.ModTime()
		}
		files = append(files, file)
	}
	slices.SortFunc(files, byName)
	return files, nil
}

func byName(a, b File) int {
	if a.Name < b.Name {
		return -1
	}
	return 1
}

// writtenBefore lists the files that are there and were last written before a time.
func (s *sink) writtenBefore(ctx context.Context, before time.Time) ([]File, error) {
	if err := acquireTurn(ctx, s.turn); err != nil {
		return nil, err
	}
	defer func() { <-s.turn }()
	if err := s.settle(ctx); err != nil {
		return nil, err
	}
	var files []File
	for name, length := range s.lengths {
		info, err := os.Stat(s.folder.path(name))
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, err
		case info.ModTime().Before(before):
			files = append(files, File{Name: name, Path: s.folder.path(name), Length: length, Written: info.ModTime()})
		}
	}
	slices.SortFunc(files, byName)
	return files, nil
}

// drop removes a file unless it has grown since it was handed over.
func (s *sink) drop(ctx context.Context, file File) error {
	if err := acquireTurn(ctx, s.turn); err != nil {
		return err
	}
	defer func() { <-s.turn }()
	if err := s.settle(ctx); err != nil {
		return err
	}
	if length, known := s.lengths[file.Name]; !known || length != file.Length {
		return nil
	}
	return s.remove(ctx, file.Name)
}
