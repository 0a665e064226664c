package store

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/prantikov/millrace/progress"
	"github.com/prantikov/millrace/record"
)

// frontier is what the store knows of one consumer's progress with one partition. It is the durable counterpart of
// [progress.Partition]: it sees records only as units of work begin with them, so it closes a hole in the offsets only where no record
// can be waiting unseen behind another that is not finished.
type frontier struct {
	// lowest is the lowest offset that is not known to be finished.
	lowest int64
	// done is what is finished above it.
	done progress.DoneSet
	// open has the offsets that were seen and are not finished, in order.
	open []int64
}

func (f frontier) clone() frontier {
	return frontier{lowest: f.lowest, done: f.done.Clone(), open: slices.Clone(f.open)}
}

func (f frontier) finished(offset int64) bool {
	return offset >= 0 && (offset < f.lowest || f.done.Contains(offset))
}

// arrive takes note of the records of a unit of work, which are in the order of the log.
//
// A record that was not seen yet can only wait behind one of its key that is not finished and not among these. So up to the lowest such
// one, what is between these records is not in the log; and when there is none below the first of them, nothing below that is missing.
func (f *frontier) arrive(records []*record.Record) {
	first := records[0].Offset
	if first < 0 {
		return
	}
	parked := f.lowestParked(records)
	if parked > first {
		f.lowest = max(f.lowest, first)
	}
	for i, r := range records {
		if i > 0 && r.Offset < parked {
			f.done.AddRun(progress.Run{From: records[i-1].Offset + 1, To: r.Offset})
		}
		if !f.finished(r.Offset) {
			if at, seen := slices.BinarySearch(f.open, r.Offset); !seen {
				f.open = slices.Insert(f.open, at, r.Offset)
			}
		}
	}
	f.advance()
}

// lowestParked is the lowest offset that is open and not among these records.
func (f *frontier) lowestParked(records []*record.Record) int64 {
	for _, offset := range f.open {
		_, here := slices.BinarySearchFunc(records, offset, func(r *record.Record, offset int64) int {
			return int(min(max(r.Offset-offset, -1), 1))
		})
		if !here {
			return offset
		}
	}
	return math.MaxInt64
}

// finish takes note of finished records.
func (f *frontier) finish(offsets []int64) {
	for _, offset := range offsets {
		if offset >= f.lowest {
			f.done.Add(offset)
		}
	}
	f.advance()
	f.open = slices.DeleteFunc(f.open, f.finished)
}

func (f *frontier) advance() {
	if f.done.Contains(f.lowest) {
		f.done.Trim(f.lowest)
		f.lowest = f.done.Runs()[0].To
	}
	f.done.Trim(f.lowest)
}

// restore takes over what the row says, which is later than what is known here, or what is known here was never written.
func (f *frontier) restore(lowest int64, done progress.DoneSet) {
	f.lowest, f.done = lowest, done
	f.advance()
	f.open = slices.DeleteFunc(f.open, f.finished)
}

// runsPerText is so few runs that their text is never longer than [progress.MaxText], whatever the offsets.
const runsPerText = 128

// writeDone is the text of a done set of any size: texts of [progress.DoneSet] with a space between, nearly always one.
func writeDone(done progress.DoneSet) (string, error) {
	var texts []string
	for runs := range slices.Chunk(done.Runs(), runsPerText) {
		var part progress.DoneSet
		for _, run := range runs {
			part.AddRun(run)
		}
		text, err := part.MarshalText()
		if err != nil {
			return "", err
		}
		texts = append(texts, string(text))
	}
	return strings.Join(texts, " "), nil
}

func readDone(text string) (progress.DoneSet, error) {
	var done progress.DoneSet
	for _, text := range strings.Fields(text) {
		var part progress.DoneSet
		if err := part.UnmarshalText([]byte(text)); err != nil {
			return done, fmt.Errorf("reading the done set of a progress row: %w", err)
		}
		for _, run := range part.Runs() {
			done.AddRun(run)
		}
	}
	return done, nil
}
