package archive

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/go-json-experiment/json"
	"github.com/klauspost/compress/zstd"
)

// lines reads lines one after another, each with the offset that stands in it. Its memory is that of the longest line.
type lines struct {
	from  *bufio.Reader
	close func() error
	name  string
	// folder is the archive, and sealed says that it is an object of it.
	folder string
	sealed bool
	number int
	// text is the present line with its newline, good until the next one is read; offset is its offset.
	text   []byte
	offset int64
	long   []byte
}

func newLines(name string, from io.Reader, close func() error) *lines {
	return &lines{from: bufio.NewReaderSize(from, 64<<10), close: close, name: name}
}

// openObject reads the lines of an object.
func openObject(folder string, o Object) (*lines, error) {
	path := in(folder, o.String()+lineEnding)
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	// One goroutine less for each object, of which a read may have many open; an object's window is never larger than what we write.
	decoder, err := zstd.NewReader(file, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	opened := newLines(path, decoder, func() error { decoder.Close(); return file.Close() })
	opened.folder, opened.sealed = folder, true
	return opened, nil
}

// position is what is looked at of each line.
type position struct {
	Offset *int64 `json:"offset"`
}

// next goes on to the next line; false at the end. What follows the last newline is no line.
func (l *lines) next() (bool, error) {
	text, err := l.read()
	if errors.Is(err, io.EOF) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading %q: %w", l.name, err)
	}
	l.number++
	var at position
	// The decoder's own error would quote the line.
	if err := json.Unmarshal(text, &at); err != nil || at.Offset == nil || *at.Offset < 0 {
		return false, fmt.Errorf("reading line %d of %q: %w", l.number, l.name, errNoLine)
	}
	l.text, l.offset = text, *at.Offset
	return true, nil
}

// read is the next line with its newline.
func (l *lines) read() ([]byte, error) {
	text, err := l.from.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		return text, err
	}
	l.long = append(l.long[:0], text...)
	for errors.Is(err, bufio.ErrBufferFull) {
		text, err = l.from.ReadSlice('\n')
		l.long = append(l.long, text...)
	}
	return l.long, err
}
