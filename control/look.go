package control

import (
	"context"
	"math"
	"sync"
	"time"
)

// readAtOnce bounds how many partitions one status reads side by side, one record of each.
const readAtOnce = 8

// look is one look at the brokers, for one status. A consumer that takes nothing, because it is paused or its window is full, is not told
// how the log grows, and has not seen the timestamp of what it did not take.
type look struct {
	ctx  context.Context
	log  Log
	ends map[string]map[int32]int64
}

func newLook(ctx context.Context, log Log) *look {
	return &look{ctx: ctx, log: log, ends: map[string]map[int32]int64{}}
}

// sighting is a position as it is now.
type sighting struct {
	Position
	// lag counts what is not finished, oldest is the timestamp of the oldest of it, where it is known.
	lag    int64
	oldest time.Time
	known  bool
}

// at completes the positions of one consumer.
func (l *look) at(positions []Position) []sighting {
	sightings := make([]sighting, len(positions))
	reading := make(chan struct{}, readAtOnce)
	var readers sync.WaitGroup
	for i, position := range positions {
		position.HighWater = max(position.HighWater, l.end(position.Topic, position.Partition))
		sightings[i] = sighting{Position: position, lag: max(position.HighWater-position.Next, 0) + int64(position.Pending)}
		reading <- struct{}{}
		readers.Go(func() {
			l.age(&sightings[i])
			<-reading
		})
	}
	readers.Wait()
	return sightings
}

// end is where the brokers say that a partition ends, 0 when they do not.
func (l *look) end(topic string, partition int32) int64 {
	ends, asked := l.ends[topic]
	if !asked {
		// What an error leaves is empty, and not asked for again.
		ends, _ = l.log.Ends(l.ctx, topic)
		l.ends[topic] = ends
	}
	return ends[partition]
}

// age finds the timestamp of the oldest record that is not finished.
func (l *look) age(s *sighting) {
	switch {
	case s.lag == 0:
		s.known = true
	case s.Pending > 0:
		s.oldest, s.known = s.Oldest, !s.Oldest.IsZero()
	default:
		first, found, err := l.log.First(l.ctx, s.Topic, s.Partition, s.Next, s.HighWater)
		s.oldest, s.known = first, found && !first.IsZero()
		if err == nil && !found {
			// What looked like lag are markers of transactions, or holes.
			s.lag = 0
		}
	}
}

// seconds is the age of the oldest record that is not finished, 0 when there is none and negative when it is not known.
func (s sighting) seconds() float64 {
	switch {
	case s.lag == 0:
		return 0
	case !s.known:
		return -1
	default:
		// A producer's clock may be ahead of ours.
		return max(0, math.Round(time.Since(s.oldest).Seconds()*10)/10)
	}
}
