package cmd

import (
	"io"
	"time"
)

// NewProgressLine is the line that long commands show beside their data.
func NewProgressLine(out io.Writer, terminal bool, what string, total int64) (at func(int64), end func()) {
	line := &progressLine{out: out, terminal: terminal, what: what, total: total, began: time.Now(), shown: time.Now(), first: -1}
	return line.at, line.end
}
