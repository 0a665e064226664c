package archive

import (
	"fmt"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// rangeOffsets is how many offsets of a partition share an object. It is no setting: where an object is cut must be the same at each repeat, or
// what was written once would not be overwritten.
const rangeOffsets = 100_000

// openEnding, lineEnding, tableEnding and unfinished are the endings of open files, of the two files of an object, and of what is being written.
const (
	openEnding  = ".jsonl"
	lineEnding  = ".ndjson.zst"
	tableEnding = ".parquet"
	unfinished  = ".unfinished"
)

// Object names the records of one partition whose timestamps are of one day and whose offsets are of one range. It is two files: its lines, and
// the same as a table.
type Object struct {
	Topic     string
	Partition int32
	// Day is the records' in UTC: 2006-01-02.
	Day string
	// First is the first offset of the range, of which there need be no record.
	First int64
}

// String is the object's name in a folder, without the endings of its files: topic=T/dt=2006-01-02/T+3+00000000000000100000.
func (o Object) String() string {
	return path.Join("topic="+o.Topic, "dt="+o.Day, fmt.Sprintf("%s+%d+%020d", o.Topic, o.Partition, o.First))
}

// parseObject reads what [Object.String] writes.
func parseObject(name string) (Object, bool) {
	parts := strings.Split(path.Base(name), "+")
	if len(parts) != 3 {
		return Object{}, false
	}
	partition, errPartition := strconv.ParseInt(parts[1], 10, 32)
	first, errFirst := strconv.ParseInt(parts[2], 10, 64)
	day, _ := strings.CutPrefix(path.Base(path.Dir(name)), "dt=")
	o := Object{Topic: parts[0], Partition: int32(partition), Day: day, First: first}
	return o, errPartition == nil && errFirst == nil && first%rangeOffsets == 0 && o.String() == name
}

func (o Object) has(offset int64) bool { return offset >= o.First && offset < o.First+rangeOffsets }

// rangeOf is the first offset of the range that an offset is in.
func rangeOf(offset int64) int64 { return offset - offset%rangeOffsets }

// dayOf is the day of a record's timestamp.
func dayOf(at time.Time) string { return at.UTC().Format(time.DateOnly) }

// open is an open file: the records of a partition and a day that are in no object yet, or were not when they came.
type open struct {
	topic     string
	partition int32
	day       string
}

// parseOpen reads the name of an open file, relative to the folder and with slashes.
func parseOpen(name string) (open, bool) {
	parts := strings.Split(name, "/")
	if len(parts) != 3 {
		return open{}, false
	}
	partition, err := strconv.ParseInt(parts[1], 10, 32)
	day, found := strings.CutSuffix(parts[2], openEnding)
	return open{topic: parts[0], partition: int32(partition), day: day}, err == nil && found && !strings.HasPrefix(parts[0], "topic=")
}

// over says whether the day has ended. One that lies beyond the calendar's years, which a wrong clock gives, never has.
func (f open) over(now time.Time) bool {
	day, err := time.Parse(time.DateOnly, f.day)
	return err == nil && !now.UTC().Before(day.AddDate(0, 0, 1))
}

func (f open) object(first int64) Object {
	return Object{Topic: f.topic, Partition: f.partition, Day: f.day, First: first}
}

// in is where a file of the folder is.
func in(folder, name string) string { return filepath.Join(folder, filepath.FromSlash(name)) }
