package state

import (
	"context"
	"iter"
	"math"
	"sort"

	"github.com/prantikov/millrace/record"
)

// window is records of several partitions that belong together in time.
type window struct {
	// partitions has the records of each, in their order.
	partitions [][]timed
	// mixed says that a key may be in more than one of them.
	mixed bool
}

// timed is a record with its place among those of other partitions: the latest timestamp of its own up to it, so that a partition keeps its order
// whatever its timestamps say.
type timed struct {
	*record.Record
	at int64
}

// reading is one partition on its way.
type reading struct {
	chunks <-chan chunk
	hand   []timed
	latest int64
	// elsewhere says that a key of this partition had its place in another one.
	elsewhere bool
	// more says that the partition may have records beyond those at hand.
	more bool
}

// fill waits for the next records when none are at hand.
func (r *reading) fill(ctx context.Context) error {
	if len(r.hand) > 0 || !r.more {
		return nil
	}
	select {
	case next, more := <-r.chunks:
		if next.err != nil {
			return next.err
		}
		r.more, r.elsewhere = more, r.elsewhere || next.elsewhere
		r.hand = make([]timed, len(next.records))
		for i, one := range next.records {
			r.latest = max(r.latest, one.Timestamp.UnixMilli())
			r.hand[i] = timed{one, r.latest}
		}
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// take takes what is at hand up to a time.
func (r *reading) take(until int64) []timed {
	count := sort.Search(len(r.hand), func(i int) bool { return r.hand[i].at > until })
	taken := r.hand[:count]
	r.hand = r.hand[count:]
	return taken
}

// merge returns the records of a topic's partitions in windows: each partition in its own order, and a record of one partition in no later window
// than one of another that is younger. An entity that is in several partitions, as after some were added, comes in the order of time. Memory is
// bounded by the number of partitions.
func merge(ctx context.Context, log Log, topic string, spans []span) iter.Seq2[window, error] {
	return func(yield func(window, error) bool) {
		partitions, err := log.Partitions(ctx, topic)
		if err != nil {
			yield(window{}, err)
			return
		}
		ctx, cancel := context.WithCancel(ctx)
		readings := make([]*reading, len(spans))
		for i, s := range spans {
			chunks := make(chan chunk, 1)
			go s.read(ctx, log, topic, len(partitions), chunks)
			readings[i] = &reading{chunks: chunks, latest: math.MinInt64, more: true}
		}
		defer func() {
			cancel()
			for _, r := range readings {
				for range r.chunks {
				}
			}
		}()
		for {
			next, err := nextWindow(ctx, readings)
			if err != nil {
				yield(window{}, err)
				return
			}
			if next.partitions == nil || !yield(next, nil) {
				return
			}
		}
	}
}

// nextWindow reaches as far as the partition whose records at hand end first. It is empty at the end.
func nextWindow(ctx context.Context, readings []*reading) (window, error) {
	next, until, any := window{}, int64(math.MaxInt64), false
	for _, r := range readings {
		if err := r.fill(ctx); err != nil {
			return window{}, err
		}
		if len(r.hand) == 0 {
			continue
		}
		any, next.mixed = true, next.mixed || r.elsewhere
		if r.more {
			until = min(until, r.hand[len(r.hand)-1].at)
		}
	}
	if !any {
		return window{}, nil
	}
	next.partitions = make([][]timed, len(readings))
	for i, r := range readings {
		next.partitions[i] = r.take(until)
	}
	return next, nil
}
