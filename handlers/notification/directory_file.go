package notification

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
)

// lookEvery is how often a directory's file is looked at, to see whether it is another.
const lookEvery = time.Second

// directoryFile is a directory in a CSV or JSON file, read anew when it has changed. A new one that cannot be read leaves the old one in use,
// with a line in the log.
type directoryFile struct {
	path   string
	set    func(channel string) bool
	logger *slog.Logger

	mutex   sync.Mutex
	looked  time.Time
	info    os.FileInfo
	entries map[party]Recipient
}

func openDirectoryFile(path string, set func(channel string) bool, logger *slog.Logger) (*directoryFile, error) {
	d := &directoryFile{path: path, set: set, logger: logger, looked: time.Now()}
	return d, d.read()
}

// find is the file's [Directory].
func (d *directoryFile) find(_ context.Context, audience Audience, id string) (Recipient, bool, error) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if now := time.Now(); now.Sub(d.looked) >= lookEvery {
		d.looked = now
		d.refresh()
	}
	recipient, found := d.entries[party{audience, id}]
	return recipient, found, nil
}

// refresh reads the file again when it is not the one that was read last, whether that could be read or not.
func (d *directoryFile) refresh() {
	info, err := os.Stat(d.path)
	if err == nil && d.info != nil && os.SameFile(info, d.info) && info.ModTime().Equal(d.info.ModTime()) && info.Size() == d.info.Size() {
		return
	}
	before := len(d.entries)
	if err == nil {
		err = d.read()
	} else if d.info == nil {
		return // it was missing already, and that was said
	} else {
		d.info, err = nil, plain(err)
	}
	if err != nil {
		d.logger.Error("notification.directory.file has changed and cannot be read: the one before stays in use", "file", d.path, "error", err)
		return
	}
	d.logger.Info("notification.directory.file has changed and was read anew", "file", d.path, "entries", len(d.entries), "before", before)
}

// read replaces the entries, or changes none.
func (d *directoryFile) read() error {
	info, err := os.Stat(d.path)
	if err != nil {
		return fmt.Errorf("reading %q: %w", d.path, plain(err))
	}
	d.info = info
	content, err := os.ReadFile(d.path)
	if err != nil {
		return fmt.Errorf("reading %q: %w", d.path, plain(err))
	}
	rows, err := parseDirectory(d.path, content)
	if err != nil {
		return fmt.Errorf("reading %q: %w", d.path, err)
	}
	entries, err := d.index(rows)
	if err != nil {
		return fmt.Errorf("reading %q: %w", d.path, err)
	}
	d.entries = entries
	return nil
}

// directoryRow is one entry of a file; at says where it stands.
type directoryRow struct {
	Audience Audience `json:"audience"`
	ID       string   `json:"id"`
	Recipient
	at string
}

// parseDirectory reads the file by its name: JSON, else CSV. Errors do not quote it.
func parseDirectory(path string, content []byte) ([]directoryRow, error) {
	content = bytes.TrimPrefix(content, []byte("\xef\xbb\xbf"))
	if strings.EqualFold(filepath.Ext(path), ".json") {
		return parseDirectoryJSON(content)
	}
	return parseDirectoryCSV(content)
}

func parseDirectoryJSON(content []byte) ([]directoryRow, error) {
	var rows []directoryRow
	if err := json.Unmarshal(content, &rows, json.RejectUnknownMembers(true)); err != nil {
		return nil, errors.New(`it is no JSON list of {"audience", "id", "channel", "address"}, each a text`)
	}
	for i := range rows {
		rows[i].at = fmt.Sprintf("entry %d", i+1)
	}
	return rows, nil
}

func parseDirectoryCSV(content []byte) ([]directoryRow, error) {
	reader := csv.NewReader(bytes.NewReader(content))
	reader.FieldsPerRecord, reader.TrimLeadingSpace = 4, true
	header, err := reader.Read()
	if err != nil || !slices.Equal(header, []string{"audience", "id", "channel", "address"}) {
		return nil, errors.New("its first line is not audience,id,channel,address")
	}
	var rows []directoryRow
	for {
		fields, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if failed := (*csv.ParseError)(nil); errors.As(err, &failed) {
			return nil, fmt.Errorf("line %d: %w", failed.Line, failed.Err)
		}
		if err != nil {
			return nil, err
		}
		line, _ := reader.FieldPos(0)
		rows = append(rows, directoryRow{Audience: Audience(fields[0]), ID: fields[1], Recipient: Recipient{fields[2], fields[3]}, at: fmt.Sprintf("line %d", line)})
	}
}

// mistakesShown bounds how many mistakes of a file are told: a file of the wrong kind has one in each line.
const mistakesShown = 10

// index checks the entries and finds those that say two things of one.
func (d *directoryFile) index(rows []directoryRow) (map[party]Recipient, error) {
	entries := make(map[party]Recipient, len(rows))
	var mistakes []error
	for _, row := range rows {
		key := party{row.Audience, row.ID}
		_, twice := entries[key]
		err := checkRecipient(row.Recipient, d.set)
		switch {
		case !slices.Contains(audiences(), row.Audience):
			err = errors.New("its audience is none of patient, doctor and pharmacy")
		case row.ID == "":
			err = errors.New("its id is empty")
		case twice:
			err = errors.New("its audience and id stand in the file before")
		}
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("%s: %w", row.at, err))
			continue
		}
		entries[key] = row.Recipient
	}
	if len(mistakes) > mistakesShown {
		mistakes = append(mistakes[:mistakesShown], fmt.Errorf("and %d more", len(mistakes)-mistakesShown))
	}
	return entries, errors.Join(mistakes...)
}
