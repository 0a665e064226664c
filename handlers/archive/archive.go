// Package archive owns the copy of every record as it came: value, key, headers, timestamp and position, the malformed ones too. It keeps an open
// file for each topic, partition and day, makes compressed objects of days that are over, and reads, checks and drops both.
// It never changes a record.
package archive

import (
	"context"
	"path"
	"strconv"

	"github.com/go-json-experiment/json"

	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/store"
)

// Keep writes one record to the file of its topic, partition and day: the record's timestamp, in UTC.
func Keep(ctx context.Context, r *record.Record) error {
	line, err := json.Marshal(LineOf(r))
	if err != nil {
		return router.Permanent(err)
	}
	file := path.Join(r.Topic, strconv.Itoa(int(r.Partition)), dayOf(r.Timestamp)+openEnding)
	if err := store.Lines(ctx).Append(file, line); err != nil {
		return router.Unavailable(router.Loggable(err))
	}
	return nil
}
