package archive

import (
	"bytes"
	"cmp"
	"errors"
	"slices"
)

// merge gives the lines of several sources, each in ascending order of its offsets, in one such order; those of one offset in the order of their
// bytes, so that what comes does not depend on which source has which. A line that was given already comes again with again set: it is in two
// sources. Two records with one offset, which a topic that was made anew has, are different lines. What give gets is good until it returns.
func merge(sources []*lines, give func(from *lines, again bool) error) error {
	var open []*lines
	for _, source := range sources {
		more, err := source.next()
		if err != nil {
			return err
		}
		if more {
			open = append(open, source)
		}
	}
	var last []byte
	for len(open) > 0 {
		from := slices.MinFunc(open, func(a, b *lines) int { return cmp.Or(cmp.Compare(a.offset, b.offset), bytes.Compare(a.text, b.text)) })
		again := bytes.Equal(from.text, last)
		if err := give(from, again); err != nil {
			return err
		}
		last = append(last[:0], from.text...)
		more, err := from.next()
		if err != nil {
			return err
		}
		if !more {
			open = slices.DeleteFunc(open, func(source *lines) bool { return source == from })
		}
	}
	return nil
}

// closeAll closes the sources.
func closeAll(sources []*lines) error {
	var errs []error
	for _, source := range sources {
		if source.close != nil {
			errs = append(errs, source.close())
		}
	}
	return errors.Join(errs...)
}
