package archive

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/prantikov/millrace/record"
)

// positions looks at the offsets of all archives together: which are there twice, and which are not there.
func (c *check) positions(ctx context.Context) error {
	reader := NewReader(c.Folders...)
	topics, err := reader.Topics()
	if err != nil {
		return err
	}
	for _, topic := range topics {
		f, err := reader.find(Selection{Topic: topic}, true)
		if err == nil {
			err = c.topic(ctx, topic, f)
		}
		if err = errors.Join(err, f.close()); err != nil {
			return err
		}
	}
	return nil
}

func (c *check) topic(ctx context.Context, topic string, f *found) error {
	for _, partition := range slices.Sorted(maps.Keys(f.partitions)) {
		ranges := f.partitions[partition]
		s := &sequence{check: c, last: record.Position{Topic: topic, Partition: partition, Offset: -1}}
		for _, first := range slices.Sorted(maps.Keys(ranges)) {
			if err := s.through(ctx, first, ranges[first]); err != nil {
				return err
			}
		}
		s.end()
	}
	return nil
}

// sequence is the offsets of a partition as they come.
type sequence struct {
	*check
	// last is the last one, and from says where it was.
	last record.Position
	from lines
	// holes is how many offsets nobody has explained, in how many places.
	offsets, holes int64
	// sealing is how many records are in an object and still in its open file; anew is how many offsets have two records.
	sealing, anew int64
}

// through goes through a range. What cannot be read was told of already, and ends the range.
func (s *sequence) through(ctx context.Context, first int64, files *rangeFiles) error {
	var sources []*lines
	defer func() { _ = closeAll(sources) }()
	for _, o := range files.objects {
		if source, err := openObject(o.folder, o.object); err == nil {
			sources = append(sources, source)
		}
	}
	for _, pieces := range files.open {
		sources = append(sources, pieces.of(first)...)
	}
	var asked error
	err := merge(sources, func(from *lines, again bool) error {
		if asked = errors.Join(context.Cause(ctx), s.next(ctx, from, again)); asked != nil {
			return asked
		}
		s.last.Offset, s.from = from.offset, *from
		return nil
	})
	if asked == nil && err != nil {
		return nil
	}
	return asked
}

// next compares a line with the one before it.
func (s *sequence) next(ctx context.Context, from *lines, again bool) error {
	if !again {
		s.checked.Records++
	}
	switch last := s.last.Offset; {
	case again && from.folder == s.from.folder && from.sealed != s.from.sealed:
		s.sealing++
	case again:
		at := s.last
		s.wrong(at.String(), "the record is twice, in %q and in %q", s.from.name, from.name)
	case from.offset == last:
		s.anew++
	case last >= 0 && from.offset > last+1:
		return s.hole(ctx, last+1, from.offset)
	}
	return nil
}

// hole is offsets that are not there, to before an offset.
func (s *sequence) hole(ctx context.Context, from, to int64) error {
	at := s.last
	at.Offset = from
	if why := s.explanation(at.Topic, at.Partition, from, to); why != "" {
		s.note(at.String(), "%d offsets were passed: %s", to-from, why)
		return nil
	}
	if s.Lost != nil {
		lost, err := s.Lost(ctx, at, to)
		if err != nil {
			return err
		}
		if lost {
			s.wrong(at.String(), "the log has records among the %d offsets from here on, and the archive has none of them", to-from)
			return nil
		}
	}
	s.offsets += to - from
	s.holes++
	return nil
}

// end tells what there was of the partition.
func (s *sequence) end() {
	where := fmt.Sprintf("%s/%d", s.last.Topic, s.last.Partition)
	if s.holes > 0 {
		s.note(where, "%d offsets in %d places have no record: markers of transactions, what was aborted, what compaction has taken", s.offsets, s.holes)
	}
	if s.sealing > 0 {
		s.note(where, "%d records are in an object and in its open file: they are being sealed", s.sealing)
	}
	if s.anew > 0 {
		s.note(where, "%d offsets have two different records: the topic was made anew, and its offsets began again", s.anew)
	}
}
