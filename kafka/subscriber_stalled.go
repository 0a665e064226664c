package kafka

import (
	"context"
	"maps"
	"time"

	"github.com/IBM/sarama"

	"github.com/prantikov/millrace/record"
)

// watchdog looks for partitions of a session that stand still although their logs go on: a consumer of the client that has stopped without
// a word, or a batch that it cannot read and that fails the fetches of all partitions of a broker.
//
// It asks the leaders for the ends, because the client learns of an end only from a fetch that brings something. An end that is ahead is
// no proof either: markers of transactions count in it and are never delivered. So a fetch of that partition alone decides.
type watchdog struct {
	s *session
	// seen is how far each partition was, and since when.
	seen map[partitionOf]standing
}

// standing is a partition that did not move.
type standing struct {
	next  int64
	since time.Time
	// quiet is the end before which nothing is to be delivered from next on; 0 when nobody has looked.
	quiet int64
}

type partitionOf struct {
	topic     string
	partition int32
}

// watchStalled looks until the session ends, now and then and when a fetch failed as it does because of a batch.
func (s *session) watchStalled(sess sarama.ConsumerGroupSession) {
	w := &watchdog{s: s, seen: map[partitionOf]standing{}}
	every := min(s.m.settings.StalledAfter/4, 5*time.Second)
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-sess.Context().Done():
			return
		case err := <-s.m.suspicion:
			if !w.look(sess.Context(), true) && sess.Context().Err() == nil {
				s.m.trouble.raise("cannot read from Kafka, trying again", s.m.needing(err))
			}
		case <-ticker.C:
			w.look(sess.Context(), false)
		}
	}
}

// look looks at the partitions that did not move for a while, or with a suspicion at all of them, and says whether it found what holds them
// up; then it ends the session. With a suspicion a partition with records is none that stalls: its next fetch may bring them.
func (w *watchdog) look(ctx context.Context, suspicion bool) bool {
	candidates := w.behind(w.still(suspicion))
	if len(candidates) == 0 {
		return false
	}
	reader, err := readAlone(ctx, w.s.m.settings.Kafka)
	if err != nil {
		w.s.m.settings.Logger.Debug("looking at partitions that stand still", "error", err)
		return false
	}
	defer reader.close()
	var stalled []partitionOf
	unreadables := 0
	for at, end := range candidates {
		if ctx.Err() != nil {
			return false
		}
		found, bad, err := reader.waiting(ctx, record.Position{Topic: at.topic, Partition: at.partition, Offset: w.seen[at].next}, end, suspicion)
		switch {
		case err != nil:
			w.s.m.settings.Logger.Debug("looking at a partition that stands still", "topic", at.topic, "partition", at.partition, "error", err)
		case bad != nil:
			unreadables++
			w.s.m.unread.add(at, bad)
		case found:
			stalled = append(stalled, at)
		default:
			now := w.seen[at]
			now.quiet = end
			w.seen[at] = now
		}
	}
	switch {
	case unreadables > 0:
		// What else stands still may share its fetches with the batch.
		w.s.end()
		return true
	case !suspicion && len(stalled) > 0:
		for _, at := range stalled {
			w.s.m.stalled.raise(at, w.seen[at].next)
		}
		w.s.m.rebuild.Store(true)
		w.s.end()
		return true
	}
	return false
}

// still are the partitions of which nothing was delivered for a while, or with a suspicion all, with the offsets that are next.
func (w *watchdog) still(suspicion bool) map[partitionOf]int64 {
	now, still, seen := time.Now(), map[partitionOf]int64{}, map[partitionOf]standing{}
	for _, p := range w.s.m.claims.standing() {
		at := partitionOf{p.Topic, p.Partition}
		w.s.m.stalled.at(at, p.Next)
		last, known := w.seen[at]
		if !known || last.next != p.Next || p.waits {
			last = standing{next: p.Next, since: now}
		}
		seen[at] = last
		if suspicion || now.Sub(last.since) >= w.s.m.settings.StalledAfter {
			still[at] = p.Next
		}
	}
	w.seen = seen
	return still
}

// behind are those of the partitions whose logs go on, with their ends, but for those of which that is known to mean nothing.
func (w *watchdog) behind(still map[partitionOf]int64) map[partitionOf]int64 {
	ends := w.s.ends(still)
	maps.DeleteFunc(ends, func(at partitionOf, end int64) bool { return end <= still[at] || end <= w.seen[at].quiet })
	return ends
}

// ends asks the leaders for the ends of what may be read. A partition without an answer is not in it.
func (s *session) ends(partitions map[partitionOf]int64) map[partitionOf]int64 {
	requests := map[*sarama.Broker]*sarama.OffsetRequest{}
	for at := range partitions {
		leader, err := s.client.Leader(at.topic, at.partition)
		if err != nil {
			continue
		}
		if requests[leader] == nil {
			requests[leader] = sarama.NewOffsetRequest(s.client.Config().Version)
			requests[leader].IsolationLevel = sarama.ReadCommitted
		}
		requests[leader].AddBlock(at.topic, at.partition, sarama.OffsetNewest, 1)
	}
	ends := map[partitionOf]int64{}
	for leader, request := range requests {
		answer, err := leader.GetAvailableOffsets(request)
		if err != nil {
			s.m.settings.Logger.Debug("asking for the ends of logs", "broker", leader.Addr(), "error", err)
			continue
		}
		for at := range partitions {
			if block := answer.GetBlock(at.topic, at.partition); block != nil && block.Err == sarama.ErrNoError {
				ends[at] = block.Offset
			}
		}
	}
	return ends
}

// standingAt is how far a claim is; waits is true for one that could go on by itself.
type standingAt struct {
	PartitionPosition
	waits bool
}

// standing is how far the claims are that get their records from the group's fetches.
func (cs *claims) standing() []standingAt {
	all := cs.all()
	positions := make([]standingAt, 0, len(all))
	for _, c := range all {
		if _, own := c.source.(*ownSource); !own {
			p := c.position()
			positions = append(positions, standingAt{p, p.Paused || p.Full || len(c.source.Messages()) > 0})
		}
	}
	return positions
}
