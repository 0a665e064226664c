package archive

import (
	"errors"
	"io/fs"
	"os"
	"time"
)

// RemoveObjects removes the objects of a folder whose last line was written before a time, and says how many. The list keeps their names. What a
// kill leaves of that is finished before the next one, or before the next day is sealed.
func RemoveObjects(folder string, before time.Time) (int, error) {
	entries, err := readList(folder)
	if err != nil {
		return 0, err
	}
	removed := 0
	for _, entry := range sorted(entries) {
		if entry.Removed || !entry.Written.Before(before) {
			continue
		}
		entry.Removed = true
		if err := addToList(folder, entry); err != nil {
			return removed, err
		}
		removed++
	}
	return removed, finishRemovals(folder)
}

// finishRemovals removes the files of what the list calls removed.
func finishRemovals(folder string) error {
	entries, err := readList(folder)
	if err != nil {
		return err
	}
	for _, entry := range sorted(entries) {
		if _, named := parseObject(entry.Object); !named || !entry.Removed {
			continue
		}
		for _, ending := range []string{lineEnding, tableEnding} {
			if err := os.Remove(in(folder, entry.Object+ending)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}
