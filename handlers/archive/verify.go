package archive

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/prantikov/millrace/handlers/archive/columns"
	"github.com/prantikov/millrace/record"
)

// Finding is something that is told of an archive.
type Finding struct {
	// Where is a file or a position.
	Where string `json:"where"`
	// What says what there is.
	What string `json:"what"`
	// Wrong is false for what is told and is no fault: offsets that no record has, a day that is just being sealed.
	Wrong bool `json:"wrong"`
}

// Checked is how much was looked at.
type Checked struct {
	Objects int   `json:"objects"`
	Open    int   `json:"openFiles"`
	Records int64 `json:"records"`
}

// Passed is offsets that a consumer passed without reading them: From the first, To the one behind the last.
type Passed struct {
	Topic     string
	Partition int32
	From, To  int64
	Reason    string
}

// Verification is what an archive is held against.
type Verification struct {
	// Folders are the archives of all instances.
	Folders []string
	// Passed explains offsets that are not there.
	Passed []Passed
	// Lengths is how much of each open file counts, by its path, as the store has it; nil when nobody knows.
	Lengths map[string]int64
	// Lost says whether the log has a record between two offsets that the archive does not have; nil asks nobody.
	Lost func(ctx context.Context, from record.Position, to int64) (bool, error)
}

// Verify reads every record of the archives and tells what is wrong: a file that has other bytes than the list says, that is missing, that nobody
// has listed, a line that is no record, is out of its order or of another day, a table with another number of rows, a record that is in two
// places, an open file that has lost lines. It returns an error for what it could not look at.
func Verify(ctx context.Context, v Verification, tell func(Finding)) (Checked, error) {
	c := &check{Verification: v, tell: tell}
	for _, folder := range v.Folders {
		if err := c.folder(ctx, folder); err != nil {
			return c.checked, err
		}
	}
	return c.checked, c.positions(ctx)
}

// check is one verification under way.
type check struct {
	Verification
	tell    func(Finding)
	checked Checked
}

func (c *check) wrong(where, format string, arguments ...any) {
	c.tell(Finding{Where: where, What: fmt.Sprintf(format, arguments...), Wrong: true})
}

func (c *check) note(where, format string, arguments ...any) {
	c.tell(Finding{Where: where, What: fmt.Sprintf(format, arguments...)})
}

// folder checks the files of one archive.
func (c *check) folder(ctx context.Context, folder string) error {
	entries, err := readList(folder)
	if err != nil {
		c.wrong(in(folder, listName), "%v", err)
	}
	names, err := filesBelow(folder)
	if err != nil {
		return err
	}
	for _, entry := range sorted(entries) {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if entry.Removed {
			continue
		}
		c.checked.Objects++
		c.steady(folder, entry)
	}
	for _, name := range names {
		c.file(folder, name, entries)
	}
	return nil
}

// steady checks an object; once more when the list has got another entry of it meanwhile: it was sealed anew with a line that came late, or ended.
// While its open file is there nothing is called wrong, for its files may be new ones that the list does not have yet.
func (c *check) steady(folder string, entry Entry) {
	for {
		var found []Finding
		once := &check{Verification: c.Verification, tell: func(f Finding) { found = append(found, f) }}
		once.object(folder, entry)
		if wrong := slices.IndexFunc(found, func(f Finding) bool { return f.Wrong }); wrong >= 0 {
			// The files come first, then the list, and then the open file goes: so it is asked for before the list.
			sealing := c.beingSealed(folder, entry.Object)
			now, listed := listedNow(folder, entry.Object)
			if listed && now.Removed {
				return
			}
			if listed && (now.NDJSON != entry.NDJSON || now.Parquet != entry.Parquet) {
				entry = now
				continue
			}
			if sealing {
				c.note(found[wrong].Where, "it is being sealed: its open file is still there")
				return
			}
		}
		for _, f := range found {
			c.tell(f)
		}
		return
	}
}

// listedNow is what the list says of an object by now.
func listedNow(folder, object string) (Entry, bool) {
	entries, err := readList(folder)
	entry, listed := entries[object]
	return entry, listed && err == nil
}

// file checks a file that no entry has led to.
func (c *check) file(folder, name string, entries map[string]Entry) {
	path := in(folder, name)
	whole, isLines := strings.CutSuffix(name, lineEnding)
	if !isLines {
		whole, _ = strings.CutSuffix(name, tableEnding)
	}
	entry, listed := entries[whole]
	of, isOpen := parseOpen(name)
	switch {
	case name == listName, listed && !entry.Removed && whole != name:
	case listed && entry.Removed && whole != name:
		c.note(path, "archive.keep has ended it, and it is about to be removed")
	case isOpen:
		c.checked.Open++
		c.openFile(path, of)
	case strings.HasSuffix(name, unfinished):
		c.note(path, "it is being written, or a crash has left it: the next sealing of the day writes over it")
	case strings.HasSuffix(name, lineEnding), strings.HasSuffix(name, tableEnding):
		if c.beingSealed(folder, whole) {
			c.note(path, "it is being sealed: its open file is still there")
			return
		}
		if _, meanwhile := listedNow(folder, whole); meanwhile {
			return
		}
		c.wrong(path, "%s does not have it", listName)
	default:
		c.note(path, "it is no file of the archive")
	}
}

// beingSealed says whether the open file of an object is still there: what became of a crash is made good by the next sealing.
func (c *check) beingSealed(folder, object string) bool {
	o, named := parseObject(object)
	_, err := os.Stat(in(folder, fmt.Sprintf("%s/%d/%s%s", o.Topic, o.Partition, o.Day, openEnding)))
	return named && err == nil
}

// openFile checks the lines of an open file.
func (c *check) openFile(path string, of open) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return // sealed meanwhile
	}
	if err != nil {
		c.wrong(path, "%v", err)
		return
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if length, known := c.Lengths[path]; err == nil && known && info.Size() < length {
		c.wrong(path, "it has %d bytes, and the store knows of %d: lines are lost", info.Size(), length)
	}
	content := newLines(path, file, nil)
	c.lines(content, func(r *record.Record) string {
		if r.Topic != of.topic || r.Partition != of.partition || dayOf(r.Timestamp) != of.day {
			return "the record is of another topic, partition or day"
		}
		return ""
	})
}

// lines reads lines to their end and tells of the first that is wrong, with what a function has against it.
func (c *check) lines(content *lines, against func(*record.Record) string) (count int64, whole bool) {
	for {
		more, err := content.next()
		if err != nil {
			c.wrong(content.name, "%v", err)
			return count, false
		}
		if !more {
			return count, true
		}
		read, err := parseLine(content.text)
		if err != nil {
			c.wrong(content.name, "line %d: %v", content.number, err)
			return count, false
		}
		if why := against(read); why != "" {
			c.wrong(content.name, "line %d: %s", content.number, why)
			return count, false
		}
		count++
	}
}

// object checks an object against its entry.
func (c *check) object(folder string, entry Entry) {
	o, named := parseObject(entry.Object)
	if !named {
		c.wrong(in(folder, listName), "%q is no name of an object", entry.Object)
		return
	}
	path := in(folder, entry.Object+lineEnding)
	if c.sum(entry, path, entry.NDJSON) {
		c.objectLines(folder, o, entry)
	}
	path = in(folder, entry.Object+tableEnding)
	if c.sum(entry, path, entry.Parquet) {
		c.table(path, entry)
	}
}

// sum compares a file's bytes with the list.
func (c *check) sum(entry Entry, path string, want Sum) bool {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		c.wrong(path, "it is missing: %s says that it has %d records, offsets %d to %d", listName, entry.Lines, entry.FirstOffset, entry.LastOffset)
		return false
	}
	if err != nil {
		c.wrong(path, "%v", err)
		return false
	}
	defer func() { _ = file.Close() }()
	sum := sha256.New()
	size, err := io.Copy(sum, file)
	if err != nil {
		c.wrong(path, "%v", err)
		return false
	}
	if got := (Sum{Bytes: size, SHA256: hex.EncodeToString(sum.Sum(nil))}); got == want {
		return true
	}
	c.wrong(path, "its bytes are not those that were written: their SHA-256 is another than %s has", listName)
	return false
}

func (c *check) objectLines(folder string, o Object, entry Entry) {
	content, err := openObject(folder, o)
	if err != nil {
		c.wrong(in(folder, entry.Object+lineEnding), "%v", err)
		return
	}
	defer func() { _ = content.close() }()
	first, last := int64(-1), int64(-1)
	count, whole := c.lines(content, func(r *record.Record) string {
		before := last
		if last = r.Offset; first < 0 {
			first = r.Offset
		}
		switch {
		case r.Topic != o.Topic || r.Partition != o.Partition || dayOf(r.Timestamp) != o.Day || !o.has(r.Offset):
			return "the record is of another object"
		case r.Offset < before:
			return fmt.Sprintf("offset %d comes after %d", r.Offset, before)
		}
		return ""
	})
	if whole && (count != entry.Lines || first != entry.FirstOffset || last != entry.LastOffset) {
		c.wrong(content.name, "it has %d records, offsets %d to %d; %s says %d, %d to %d", count, first, last, listName, entry.Lines, entry.FirstOffset, entry.LastOffset)
	}
}

func (c *check) table(path string, entry Entry) {
	file, err := os.Open(path)
	if err != nil {
		c.wrong(path, "%v", err)
		return
	}
	defer func() { _ = file.Close() }()
	rows, err := columns.Rows(file, entry.Parquet.Bytes)
	switch {
	case err != nil:
		c.wrong(path, "it is no Parquet file that can be read: %v", err)
	case rows != entry.Lines:
		c.wrong(path, "it has %d rows, and the lines are %d", rows, entry.Lines)
	}
}

func byOffset(a, b Passed) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) }

// explanation is why offsets are not there, as far as somebody has noted it for all of them.
func (c *check) explanation(topic string, partition int32, from, to int64) string {
	var reasons []string
	for _, passed := range slices.SortedFunc(slices.Values(c.Passed), byOffset) {
		if passed.Topic == topic && passed.Partition == partition && passed.From <= from && passed.To > from {
			reasons = append(reasons, passed.Reason)
			from = passed.To
		}
	}
	if from < to {
		return ""
	}
	return strings.Join(slices.Compact(reasons), "; ")
}
