package archive

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/prantikov/millrace/record"
)

// Reader reads archives, those of several instances as one: sealed days and open ones. It reads beside whoever writes, and changes nothing.
//
//	reader := archive.NewReader("data/archive")
//	for r, err := range reader.Records(ctx, archive.Selection{Topic: "order-events"}) {
//		…
//	}
//
// What is not committed yet in an open file may be among what it reads: those are records of the log too.
type Reader struct{ folders []string }

// NewReader reads the archives in these folders: <data_dir>/archive of each instance.
func NewReader(folders ...string) *Reader { return &Reader{folders: folders} }

// Selection is what to read of a topic.
type Selection struct {
	// Topic is its name on the brokers.
	Topic string
	// Partitions restricts the read; nil reads all.
	Partitions []int32
	// FromDay and ToDay are the first and the last day of the records' timestamps, in UTC (2006-01-02). Default: all.
	FromDay, ToDay string
	// From begins each partition at an offset; To ends it before one. Zero To: at the end.
	From, To int64
}

func (s Selection) takes(topic string, partition int32, day string) bool {
	return topic == s.Topic && (s.Partitions == nil || slices.Contains(s.Partitions, partition)) &&
		day >= s.FromDay && (s.ToDay == "" || day <= s.ToDay)
}

func (s Selection) takesRange(first int64) bool {
	return first+rangeOffsets > s.From && (s.To == 0 || first < s.To)
}

// Topics lists the topics that there are records of.
func (r *Reader) Topics() ([]string, error) {
	topics := map[string]bool{}
	for _, folder := range r.folders {
		opened, err := openFiles(folder)
		if err != nil {
			return nil, err
		}
		for _, f := range opened {
			topics[f.topic] = true
		}
		objects, err := objectsIn(folder)
		if err != nil {
			return nil, err
		}
		for _, o := range objects {
			topics[o.Topic] = true
		}
	}
	return slices.Sorted(maps.Keys(topics)), nil
}

// Records returns the records of the selection: the partitions one after another in ascending order, each in the order of its offsets. A record that
// is in two files comes once; two different ones with one offset, which a topic that was made anew has, both come. It ends with an error as the
// last pair where a file is damaged. Its memory does not grow with the archive.
func (r *Reader) Records(ctx context.Context, selection Selection) iter.Seq2[*record.Record, error] {
	return func(yield func(*record.Record, error) bool) {
		found, err := r.find(selection, false)
		if err == nil {
			err = found.each(ctx, selection, func(read *record.Record) bool { return yield(read, nil) })
		}
		if err = errors.Join(err, found.close()); err != nil && !errors.Is(err, errEnough) {
			yield(nil, err)
		}
	}
}

// errEnough says that whoever reads has broken off.
var errEnough = errors.New("enough")

// found is what a read has to look at: by partition and first offset of a range.
type found struct {
	partitions map[int32]map[int64]*rangeFiles
	opened     []*os.File
	// damaged takes what can be read of an open file, for who has told of the rest.
	damaged bool
}

// rangeFiles is where the records of a range are.
type rangeFiles struct {
	objects []placed
	open    []*runs
}

// placed is an object in its folder.
type placed struct {
	folder string
	object Object
}

func (f *found) at(partition int32, first int64) *rangeFiles {
	if f.partitions[partition] == nil {
		f.partitions[partition] = map[int64]*rangeFiles{}
	}
	if f.partitions[partition][first] == nil {
		f.partitions[partition][first] = &rangeFiles{}
	}
	return f.partitions[partition][first]
}

func (f *found) close() error {
	var errs []error
	for _, file := range f.opened {
		errs = append(errs, file.Close())
	}
	return errors.Join(errs...)
}

// find opens the open files and only then lists the objects: a day that is sealed in between is in both, and nothing is missed.
func (r *Reader) find(selection Selection, damaged bool) (*found, error) {
	f := &found{damaged: damaged, partitions: map[int32]map[int64]*rangeFiles{}}
	for _, folder := range r.folders {
		opened, err := openFiles(folder)
		if err != nil {
			return f, err
		}
		for name, of := range opened {
			if err := f.addOpen(folder, name, of, selection); err != nil {
				return f, err
			}
		}
		objects, err := objectsIn(folder)
		if err != nil {
			return f, err
		}
		for _, o := range objects {
			if selection.takes(o.Topic, o.Partition, o.Day) && selection.takesRange(o.First) {
				at := f.at(o.Partition, o.First)
				at.objects = append(at.objects, placed{folder, o})
			}
		}
	}
	return f, nil
}

func (f *found) addOpen(folder, name string, of open, selection Selection) error {
	if !selection.takes(of.topic, of.partition, of.day) {
		return nil
	}
	file, err := os.Open(in(folder, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it was sealed meanwhile
	}
	if err != nil {
		return err
	}
	f.opened = append(f.opened, file)
	pieces, err := findRuns(folder, file, -1)
	if err != nil && !f.damaged {
		return err
	}
	for _, first := range pieces.ranges() {
		if selection.takesRange(first) {
			at := f.at(of.partition, first)
			at.open = append(at.open, pieces)
		}
	}
	return nil
}

// each gives the records to a function until it says no.
func (f *found) each(ctx context.Context, selection Selection, give func(*record.Record) bool) error {
	for _, partition := range slices.Sorted(maps.Keys(f.partitions)) {
		ranges := f.partitions[partition]
		for _, first := range slices.Sorted(maps.Keys(ranges)) {
			if err := ranges[first].each(ctx, first, selection, give); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *rangeFiles) each(ctx context.Context, first int64, selection Selection, give func(*record.Record) bool) (err error) {
	var sources []*lines
	defer func() { err = errors.Join(err, closeAll(sources)) }()
	for _, o := range r.objects {
		source, err := openObject(o.folder, o.object)
		if err != nil {
			return err
		}
		sources = append(sources, source)
	}
	for _, pieces := range r.open {
		sources = append(sources, pieces.of(first)...)
	}
	return merge(sources, func(from *lines, again bool) error {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		offset := from.offset
		if again || offset < selection.From || selection.To != 0 && offset >= selection.To {
			return nil
		}
		read, err := parseLine(from.text)
		if err != nil {
			return fmt.Errorf("reading %s at offset %d: %w", selection.Topic, offset, err)
		}
		if !give(read) {
			return errEnough
		}
		return nil
	})
}

// parseLine is the record of a line. The error does not quote it.
func parseLine(text []byte) (*record.Record, error) {
	var line Line
	if err := json.Unmarshal(text, &line); err != nil {
		return nil, errNoLine
	}
	return line.Record(), nil
}

var errNoLine = errors.New("it is no line of the archive")

// openFiles are the open files of a folder, by name.
func openFiles(folder string) (map[string]open, error) {
	names, err := filesBelow(folder)
	opened := map[string]open{}
	for _, name := range names {
		if of, ok := parseOpen(name); ok {
			opened[name] = of
		}
	}
	return opened, err
}

// objectsIn are the objects of a folder that have their lines, in the order of their names.
func objectsIn(folder string) ([]Object, error) {
	names, err := filesBelow(folder)
	var objects []Object
	for _, name := range names {
		if whole, ok := strings.CutSuffix(name, lineEnding); ok {
			if o, ok := parseObject(whole); ok {
				objects = append(objects, o)
			}
		}
	}
	return objects, err
}

// filesBelow are the names of all files of a folder, relative to it, with slashes and in order; none where there is no folder.
func filesBelow(folder string) ([]string, error) {
	var names []string
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // nothing there yet, or sealed or removed meanwhile
		case err != nil:
			return err
		case entry.Type().IsRegular():
			name, err := filepath.Rel(folder, path)
			names = append(names, filepath.ToSlash(name))
			return err
		}
		return nil
	})
	return names, err
}
