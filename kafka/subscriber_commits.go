package kafka

import (
	"fmt"
	"time"

	"github.com/IBM/sarama"
)

// commitWatch asks the group's coordinator whether what was marked is committed. The client says nothing of a commit that arrived, and of one
// that did not it says so in passing; meanwhile everything looks well, and a restart would repeat all of it.
type commitWatch struct {
	s *session
	// waiting has the first frontier of each partition that is not known to be committed, and since when.
	waiting map[partitionOf]uncommitted
	// known has what is.
	known map[partitionOf]int64
}

type uncommitted struct {
	frontier int64
	since    time.Time
}

// watchCommits looks until the session ends.
func (s *session) watchCommits(sess sarama.ConsumerGroupSession) {
	w := &commitWatch{s: s, waiting: map[partitionOf]uncommitted{}, known: map[partitionOf]int64{}}
	ticker := time.NewTicker(s.m.settings.CommitAlarmAfter / 4)
	defer ticker.Stop()
	for {
		select {
		case <-sess.Context().Done():
			return
		case <-ticker.C:
			w.look()
		}
	}
}

func (w *commitWatch) look() {
	w.note()
	topics := map[string][]int32{}
	for at := range w.waiting {
		topics[at.topic] = append(topics[at.topic], at.partition)
	}
	err := error(nil)
	for topic, partitions := range topics {
		committed, failed := w.s.positions(topic, partitions)
		if failed != nil {
			err = failed
			continue
		}
		for partition, position := range committed {
			w.confirm(partitionOf{topic, partition}, position.offset)
		}
	}
	w.tell(err)
}

// note takes note of the frontiers that moved.
func (w *commitWatch) note() {
	owned := map[partitionOf]bool{}
	for _, p := range w.s.m.claims.positions() {
		at := partitionOf{p.Topic, p.Partition}
		owned[at] = true
		known, begun := w.known[at]
		if !begun {
			known = p.Frontier
			w.known[at] = known
		}
		if _, waits := w.waiting[at]; !waits && p.Frontier > known {
			w.waiting[at] = uncommitted{p.Frontier, time.Now()}
		}
	}
	for at := range w.waiting {
		if !owned[at] {
			delete(w.waiting, at)
		}
	}
}

func (w *commitWatch) confirm(at partitionOf, offset int64) {
	w.known[at] = max(w.known[at], offset)
	if offset >= w.waiting[at].frontier {
		delete(w.waiting, at)
	}
}

// tell begins the alarm when the oldest of what waits is too old, and ends it when nothing is.
func (w *commitWatch) tell(err error) {
	var oldest partitionOf
	for at, waits := range w.waiting {
		if first, any := w.waiting[oldest]; !any || waits.since.Before(first.since) {
			oldest = at
		}
	}
	waits, any := w.waiting[oldest]
	after := w.s.m.settings.CommitAlarmAfter
	switch {
	case !any:
		w.s.m.commits.clear()
	case time.Since(waits.since) > after:
		if err == nil {
			err = fmt.Errorf("the coordinator has %d", w.known[oldest])
		}
		w.s.m.commits.raise(fmt.Sprintf("nothing could be committed for %s, a restart would repeat what was finished: %s/%d is at %d",
			after, oldest.topic, oldest.partition, waits.frontier), w.s.m.needing(err))
	}
}
