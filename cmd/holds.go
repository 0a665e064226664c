package cmd

import (
	"sync"

	"github.com/prantikov/millrace/record"
)

// holds are the records that wait for something outside: several keys of a partition can, and its alarm ends with the last of them.
// It is safe for concurrent use.
type holds struct {
	mu      sync.Mutex
	records map[heldPartition]map[int64]struct{}
}

type heldPartition struct {
	consumer, topic string
	partition       int32
}

func (h *holds) add(consumer string, at record.Position) {
	key := heldPartition{consumer, at.Topic, at.Partition}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.records == nil {
		h.records = map[heldPartition]map[int64]struct{}{}
	}
	if h.records[key] == nil {
		h.records[key] = map[int64]struct{}{}
	}
	h.records[key][at.Offset] = struct{}{}
}

// remove says whether it was the last one of the partition.
func (h *holds) remove(consumer string, at record.Position) bool {
	key := heldPartition{consumer, at.Topic, at.Partition}
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.records[key], at.Offset)
	if len(h.records[key]) > 0 {
		return false
	}
	delete(h.records, key)
	return true
}

// lose forgets a partition that is somebody else's.
func (h *holds) lose(consumer, topic string, partition int32) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.records, heldPartition{consumer, topic, partition})
}
