package kafka

import (
	"context"

	"github.com/prantikov/millrace/progress"
)

// Finished returns what says of each record of the topic whether the group has finished it: the group's position has passed it, or it is in the
// done set that a consumer of ours committed beside the position. It is as of the call, and at most kafka.commit_interval behind.
func (r *Reader) Finished(ctx context.Context, group, topic string) (func(partition int32, offset int64) bool, error) {
	positions, err := r.positions(ctx, group, topic)
	if err != nil {
		return nil, err
	}
	above := make(map[int32]progress.DoneSet, len(positions))
	for partition, at := range positions {
		above[partition] = at.above()
	}
	return func(partition int32, offset int64) bool {
		at, known := positions[partition]
		done := above[partition]
		return known && (offset < at.offset || done.Contains(offset))
	}, nil
}
