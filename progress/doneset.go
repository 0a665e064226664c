package progress

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// MaxText bounds the text of a [DoneSet], in bytes: what a broker takes as the metadata of a committed offset by default
// (offset.metadata.max.bytes).
const MaxText = 4096

// textVersion opens the text of a set, so that metadata that another tool committed is not read as one. A version that writes another
// comes at least one release after one that reads it, for both are there while an upgrade rolls.
const textVersion = "1:"

var (
	// ErrTooLarge is the error of a set whose text would be longer than [MaxText].
	ErrTooLarge = errors.New("more than 4096 bytes")
	// ErrNewer is in the error of a text that a later version of this package wrote: nothing of it can be told.
	ErrNewer = errors.New("a later version wrote it")
)

// Run is the offsets from From up to, and without, To.
type Run struct {
	From, To int64
}

// DoneSet is a set of offsets, kept as runs. Its zero value is empty and ready; it is a value that one goroutine changes at a time.
// A copy shares its runs, so copy with [DoneSet.Clone] what both sides go on changing.
type DoneSet struct {
	// runs are in order, not empty, and neither overlap nor touch.
	runs []Run
}

// Add puts one offset into the set.
func (s *DoneSet) Add(offset int64) { s.AddRun(Run{From: offset, To: offset + 1}) }

// AddRun puts all offsets of a run into the set. An empty run changes nothing.
func (s *DoneSet) AddRun(run Run) {
	if run.From >= run.To {
		return
	}
	if last := len(s.runs) - 1; last < 0 || run.From > s.runs[last].To {
		s.runs = append(s.runs, run)
		return
	}
	first := sort.Search(len(s.runs), func(i int) bool { return s.runs[i].To >= run.From })
	end := first
	for end < len(s.runs) && s.runs[end].From <= run.To {
		run.From, run.To = min(run.From, s.runs[end].From), max(run.To, s.runs[end].To)
		end++
	}
	s.runs = slices.Replace(s.runs, first, end, run)
}

// Contains says whether the offset is in the set.
func (s DoneSet) Contains(offset int64) bool {
	i := sort.Search(len(s.runs), func(i int) bool { return s.runs[i].To > offset })
	return i < len(s.runs) && s.runs[i].From <= offset
}

// Trim drops all offsets below the given one.
func (s *DoneSet) Trim(below int64) {
	first := sort.Search(len(s.runs), func(i int) bool { return s.runs[i].To > below })
	s.runs = slices.Delete(s.runs, 0, first)
	if len(s.runs) > 0 {
		s.runs[0].From = max(s.runs[0].From, below)
	}
}

// Missing returns the runs of the offsets within the given one that are not in the set, in order.
func (s DoneSet) Missing(within Run) []Run {
	var missing []Run
	for _, run := range s.runs {
		if run.From > within.From && within.From < within.To {
			missing = append(missing, Run{From: within.From, To: min(run.From, within.To)})
		}
		within.From = max(within.From, run.To)
	}
	if within.From < within.To {
		missing = append(missing, within)
	}
	return missing
}

// Runs returns the runs of the set, in order. They are a copy.
func (s DoneSet) Runs() []Run { return slices.Clone(s.runs) }

// Clone returns a set of its own with the same offsets.
func (s DoneSet) Clone() DoneSet { return DoneSet{runs: slices.Clone(s.runs)} }

// Empty says whether nothing is in the set.
func (s DoneSet) Empty() bool { return len(s.runs) == 0 }

// Equal says whether both sets have the same offsets.
func (s DoneSet) Equal(other DoneSet) bool { return slices.Equal(s.runs, other.runs) }

// String shows the set for people: 5-7,9.
func (s DoneSet) String() string {
	var text strings.Builder
	for i, run := range s.runs {
		if i > 0 {
			text.WriteByte(',')
		}
		if run.To == run.From+1 {
			fmt.Fprintf(&text, "%d", run.From)
		} else {
			fmt.Fprintf(&text, "%d-%d", run.From, run.To-1)
		}
	}
	return text.String()
}

// MarshalText writes the set as printable ASCII that [DoneSet.UnmarshalText] reads: a version, then base64 of the gaps and lengths of
// the runs. An empty set is the empty text. It returns [ErrTooLarge] when that is longer than [MaxText].
func (s DoneSet) MarshalText() ([]byte, error) {
	if s.Empty() {
		return []byte{}, nil
	}
	var raw []byte
	end := int64(0)
	for _, run := range s.runs {
		raw = binary.AppendUvarint(raw, uint64(run.From-end))
		raw = binary.AppendUvarint(raw, uint64(run.To-run.From))
		end = run.To
	}
	text := base64.RawURLEncoding.AppendEncode([]byte(textVersion), raw)
	if len(text) > MaxText {
		return nil, fmt.Errorf("writing done set of %d runs: %w", len(s.runs), ErrTooLarge)
	}
	return text, nil
}

// Fitting is [DoneSet.MarshalText] of as many of the lowest runs as fit into so many bytes, at most [MaxText]. Whole is false when some were
// left out: whoever reads the text then does again what they say.
func (s DoneSet) Fitting(bytes int) (text []byte, whole bool) {
	most := len(s.runs)
	for {
		text, err := DoneSet{runs: s.runs[:most]}.MarshalText()
		if err == nil && len(text) <= bytes || most == 0 {
			return text, most == len(s.runs)
		}
		most -= most/8 + 1
	}
}

// UnmarshalText reads what [DoneSet.MarshalText] wrote. It returns an error for every other text, [ErrNewer] for that of a later version, and
// leaves the set as it was then.
func (s *DoneSet) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		s.runs = nil
		return nil
	}
	encoded, ok := strings.CutPrefix(string(text), textVersion)
	if version, newer := laterVersion(string(text)); newer {
		return fmt.Errorf("reading done set of version %d: %w", version, ErrNewer)
	}
	if !ok || len(text) > MaxText {
		return fmt.Errorf("reading done set: want %d bytes or fewer that begin with %q", MaxText, textVersion)
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return fmt.Errorf("reading done set: %w", err)
	}
	runs, err := readRuns(raw)
	if err != nil {
		return fmt.Errorf("reading done set: %w", err)
	}
	s.runs = runs
	return nil
}

// laterVersion says whether a text is one of ours, of a version after this one.
func laterVersion(text string) (version uint64, later bool) {
	number, _, found := strings.Cut(text, ":")
	version, err := strconv.ParseUint(number, 10, 16)
	return version, found && err == nil && version > 1 && number[0] != '0'
}

func readRuns(raw []byte) ([]Run, error) {
	var runs []Run
	end := int64(0)
	for len(raw) > 0 {
		gap, n := binary.Uvarint(raw)
		length, m := binary.Uvarint(raw[max(n, 0):])
		if n <= 0 || m <= 0 {
			return nil, errors.New("truncated run")
		}
		raw = raw[n+m:]
		room := uint64(math.MaxInt64 - end)
		if gap > room || length > room-gap || length == 0 || (gap == 0 && len(runs) > 0) {
			return nil, errors.New("run out of range")
		}
		run := Run{From: end + int64(gap), To: end + int64(gap) + int64(length)}
		runs, end = append(runs, run), run.To
	}
	return runs, nil
}
