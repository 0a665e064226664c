package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
)

// lineSet is what a unit of work appends to files.
type lineSet struct {
	// waiting has the bytes to append, by file.
	waiting map[string][]byte
}

func (s *lineSet) clean() bool { return len(s.waiting) == 0 }

// LineSet is the files of a consumer with a file sink, within a unit of work.
type LineSet struct {
	work *Work
	err  error
}

// Lines returns the consumer's files within the unit of work that the context carries.
func Lines(ctx context.Context) *LineSet {
	work, err := workOf(ctx)
	switch {
	case err != nil:
	case work.unit == nil:
		err = errFold
	case work.unit.sink == nil:
		err = errors.New("the consumer has no file sink")
	}
	return &LineSet{work: work, err: err}
}

// Append adds a line, to which it gives its newline, to a file. The file is named relative to the sink's directory, with slashes. The
// line is in the file, for good, when the unit of work is committed.
//
// It returns an error for a name that leads out of the directory, a line that has a newline in it, and a context without an open unit of
// work or whose consumer has no files.
func (s *LineSet) Append(file string, line []byte) error {
	if s.err != nil {
		return fmt.Errorf("appending to %q: %w", file, s.err)
	}
	if local := filepath.FromSlash(file); !filepath.IsLocal(local) || local != filepath.Clean(local) || local == "." {
		return fmt.Errorf("appending to %q: it is not a file in the sink's directory", file)
	}
	if bytes.IndexByte(line, '\n') >= 0 {
		return fmt.Errorf("appending to %q: a newline is in the line", file)
	}
	set := &s.work.lines
	if set.waiting == nil {
		set.waiting = map[string][]byte{}
	}
	before := len(set.waiting[file])
	set.waiting[file] = append(append(set.waiting[file], line...), '\n')
	s.work.journal = append(s.work.journal, func() {
		if before == 0 {
			delete(set.waiting, file)
		} else {
			set.waiting[file] = set.waiting[file][:before]
		}
	})
	return nil
}
