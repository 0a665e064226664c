package kafka

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/prantikov/millrace/progress"
)

const (
	// besideMark opens what is committed beside a position, before its version. No other program's metadata begins with it.
	besideMark = "millrace/"
	// besideVersion is the form that is written. A version that writes another comes at least one release after one that reads it.
	besideVersion = 1
)

// errForeign is the error of metadata that says nothing to us: another program's, or ours of another position.
var errForeign = errors.New("it is not of this position, or another program's")

// besidePosition is what is committed beside a frontier: the done set above it, for whoever of us takes the partition next. Other clients take no
// notice of it and commit their own in its place, so that a position that has it was committed by one of us, also when the set is empty. Where
// a start or a gap put the group has none before a claim is there.
//
// It names the frontier, for metadata is copied: a tool that mirrors a group into another cluster moves its positions and leaves the metadata
// as it was, and a set that says nothing of where it belongs would pass records there that nobody has handled.
func besidePosition(frontier int64, done progress.DoneSet) string {
	mark := markOf(frontier)
	if done.Empty() {
		return mark
	}
	text, _ := done.Fitting(progress.MaxText - len(mark) - 1)
	return mark + " " + string(text)
}

// markOf opens what one of us commits beside a position.
func markOf(position int64) string {
	return fmt.Sprintf("%s%d %d", besideMark, besideVersion, position)
}

// ours says whether one of us has committed the position.
func (c committed) ours() bool {
	mark := markOf(c.offset)
	return c.metadata == mark || strings.HasPrefix(c.metadata, mark+" ")
}

// done is the done set that was committed beside the position. The error is [progress.ErrNewer] for that of a newer program, and another one for
// metadata that says nothing to us.
func (c committed) done() (done progress.DoneSet, err error) {
	if c.metadata == "" {
		return done, nil
	}
	rest, ours := strings.CutPrefix(c.metadata, besideMark)
	if !ours {
		return done, errForeign
	}
	number, rest, _ := strings.Cut(rest, " ")
	if version, err := strconv.ParseUint(number, 10, 16); err == nil && version > besideVersion {
		return done, fmt.Errorf("reading metadata of version %d: %w", version, progress.ErrNewer)
	}
	position, text, _ := strings.Cut(rest, " ")
	if number != strconv.Itoa(besideVersion) || position != strconv.FormatInt(c.offset, 10) {
		return done, errForeign
	}
	if err := done.UnmarshalText([]byte(text)); err != nil {
		return progress.DoneSet{}, err
	}
	done.Trim(c.offset)
	return done, nil
}

// above is the same set, and none where it cannot be told.
func (c committed) above() progress.DoneSet {
	done, err := c.done()
	if err != nil {
		return progress.DoneSet{}
	}
	return done
}
