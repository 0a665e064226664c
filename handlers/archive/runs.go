package archive

import (
	"io"
	"maps"
	"os"
	"slices"
)

// runs are the pieces of an open file in which the offsets ascend within one range, by the first offset of the range. A partition's offsets only
// ascend, so a range has one, but where a topic was made anew and its offsets began again.
type runs struct {
	// folder is the archive that the file is in.
	folder string
	file   *os.File
	length int64
	pieces map[int64][]run
}

// run is bytes of an open file.
type run struct{ from, to int64 }

// findRuns reads an open file up to a length; a negative one is that of its last whole line.
func findRuns(folder string, file *os.File, length int64) (*runs, error) {
	found := &runs{folder: folder, file: file, pieces: map[int64][]run{}}
	var content io.Reader = file
	if length >= 0 {
		content = io.NewSectionReader(file, 0, length)
	}
	var last, present int64 = -1, -1
	in := newLines(file.Name(), content, nil)
	for {
		more, err := in.next()
		if err != nil || !more {
			return found, err
		}
		end := found.length + int64(len(in.text))
		if first := rangeOf(in.offset); first != present || in.offset <= last {
			found.pieces[first] = append(found.pieces[first], run{from: found.length, to: end})
			present = first
		} else {
			pieces := found.pieces[first]
			pieces[len(pieces)-1].to = end
		}
		last, found.length = in.offset, end
	}
}

// ranges are the first offsets of the ranges that the file has lines of, in ascending order.
func (r *runs) ranges() []int64 { return slices.Sorted(maps.Keys(r.pieces)) }

// of are the pieces of a range, to be read side by side.
func (r *runs) of(first int64) []*lines {
	var pieces []*lines
	for _, piece := range r.pieces[first] {
		part := newLines(r.file.Name(), io.NewSectionReader(r.file, piece.from, piece.to-piece.from), nil)
		part.folder = r.folder
		pieces = append(pieces, part)
	}
	return pieces
}
