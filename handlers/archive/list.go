package archive

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/prantikov/millrace/store"
)

// listName is the file that says which objects there are. A line is added for each that is written or removed; the last one of an object counts.
const listName = "objects.jsonl"

// Entry is what the list says of an object.
type Entry struct {
	// Object is its name without the endings.
	Object string `json:"object"`
	// Lines is how many records it has; FirstOffset and LastOffset are of those that are there.
	Lines       int64 `json:"lines"`
	FirstOffset int64 `json:"firstOffset"`
	LastOffset  int64 `json:"lastOffset"`
	// Written is when the last of its lines was.
	Written time.Time `json:"written"`
	// NDJSON and Parquet are its two files.
	NDJSON  Sum `json:"ndjson"`
	Parquet Sum `json:"parquet"`
	// Removed says that archive.keep has ended it: its files are gone, or about to go.
	Removed bool `json:"removed,omitempty"`
}

// Sum is the size and the checksum of a file.
type Sum struct {
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// readList reads the list of a folder; an empty one where there is none. What a crash has left of a line at its end is no line.
func readList(folder string) (map[string]Entry, error) {
	entries := map[string]Entry{}
	content, err := os.ReadFile(in(folder, listName))
	if errors.Is(err, fs.ErrNotExist) {
		return entries, nil
	}
	if err != nil {
		return nil, err
	}
	number := 0
	for text := range bytes.Lines(content) {
		number++
		if !bytes.HasSuffix(text, []byte("\n")) {
			break
		}
		var entry Entry
		if err := json.Unmarshal(text, &entry); err != nil {
			return nil, fmt.Errorf("reading line %d of %q: it is no entry of the list: %w", number, in(folder, listName), err)
		}
		entries[entry.Object] = entry
	}
	return entries, nil
}

// addToList adds an entry, for good when it returns.
func addToList(folder string, entry Entry) error {
	text, err := json.Marshal(entry)
	if err != nil {
		return err
	}
	if err := store.MakeFolders(folder); err != nil {
		return err
	}
	name := in(folder, listName)
	_, err = os.Stat(name)
	made := errors.Is(err, fs.ErrNotExist)
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	end, err := wholeLines(file)
	if err != nil {
		return err
	}
	if err := file.Truncate(end); err != nil {
		return err
	}
	if _, err := file.WriteAt(append(text, '\n'), end); err != nil {
		return err
	}
	if err := file.Sync(); err != nil || !made {
		return err
	}
	return store.SyncFolder(folder)
}

// wholeLines is where the last whole line of the list ends.
func wholeLines(file *os.File) (int64, error) {
	content, err := io.ReadAll(file)
	return int64(bytes.LastIndexByte(content, '\n') + 1), err
}

// sorted are the entries in the order of their names.
func sorted(entries map[string]Entry) []Entry {
	return slices.SortedFunc(maps.Values(entries), func(a, b Entry) int { return strings.Compare(a.Object, b.Object) })
}
