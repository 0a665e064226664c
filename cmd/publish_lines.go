package cmd

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
)

const (
	// longestLine bounds one event.
	longestLine = 16 << 20
	// publishedLines and publishedBytes bound how much is sent, and kept in memory, at once.
	publishedLines = 500
	publishedBytes = 4 << 20
	// readAhead is how much of the input is read at once.
	readAhead = 1 << 20
)

// line is one line of the input, without its end.
type line struct {
	number  int
	value   []byte
	tooLong bool
}

// lines is what was waiting together, or why nothing more can be read.
type lines struct {
	all []line
	err error
}

// readLines reads lines and hands them over as soon as none more is waiting, so that who types or pipes slowly sees each one sent. The
// channel is closed at the end. A read under way outlives the context, for nothing can end a read of standard input.
func readLines(ctx context.Context, in io.Reader, blank bool) <-chan lines {
	ready := make(chan lines)
	go func() {
		defer close(ready)
		reader := bufio.NewReaderSize(in, readAhead)
		for number := 1; ; {
			waiting, next := gather(reader, number, blank)
			select {
			case ready <- waiting:
			case <-ctx.Done():
				return
			}
			if waiting.err != nil {
				return
			}
			number = next
		}
	}()
	return ready
}

// gather reads at least one line and what is waiting behind it, and returns the number of the next one. At the end of the input the error
// is [io.EOF].
func gather(reader *bufio.Reader, number int, blank bool) (waiting lines, next int) {
	for size := 0; len(waiting.all) < publishedLines && size < publishedBytes; number++ {
		one := line{number: number}
		one.value, one.tooLong, waiting.err = readLine(reader)
		ended := errors.Is(waiting.err, io.EOF) && len(one.value) == 0 && !one.tooLong
		if waiting.err != nil && !errors.Is(waiting.err, io.EOF) {
			waiting.err = fmt.Errorf("reading line %d: %w", number, waiting.err)
			return waiting, number
		}
		if !ended && (blank || one.tooLong || len(bytes.TrimSpace(one.value)) > 0) {
			waiting.all = append(waiting.all, one)
			size += len(one.value)
		}
		if waiting.err != nil || reader.Buffered() == 0 {
			return waiting, number + 1
		}
	}
	return waiting, number
}

// readLine reads one line, without its newline. Of a line that is too long nothing is kept.
func readLine(reader *bufio.Reader) (value []byte, tooLong bool, err error) {
	value = []byte{}
	for {
		part, err := reader.ReadSlice('\n')
		whole := err == nil
		if whole {
			part = part[:len(part)-1]
		}
		if tooLong = tooLong || len(value)+len(part) > longestLine; tooLong {
			value = nil
		} else {
			value = append(value, part...)
		}
		if whole || !errors.Is(err, bufio.ErrBufferFull) {
			return value, tooLong, err
		}
	}
}
