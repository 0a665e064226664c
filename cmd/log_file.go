package cmd

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// logFile is a log that is kept in memory until it is known which file it belongs into. Its zero value is ready.
type logFile struct {
	mu     sync.Mutex
	before bytes.Buffer
	file   *os.File
}

// Write implements [io.Writer].
func (l *logFile) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return l.before.Write(line)
	}
	return l.file.Write(line)
}

// open gives the log its file in the data directory.
func (l *logFile) open(dataDir string) error {
	if err := makeDataDir(dataDir); err != nil {
		return err
	}
	file, err := os.OpenFile(filepath.Join(dataDir, "demo.log"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("opening the log: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.file = file
	_, err = l.before.WriteTo(file)
	return err
}

// close ends the log. What never got a file goes to the fallback.
func (l *logFile) close(fallback io.Writer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		_, _ = l.before.WriteTo(fallback)
		return
	}
	_ = l.file.Close()
}
