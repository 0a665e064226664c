package observe

import "time"

// Pause says that an operator has stopped a consumer's intake: of all its topics (empty topic), of a topic (partition -1), or of one
// partition. It is shown among what is held, and what it covers does not count as stuck. It outlives the loss of a partition, for it
// covers those that come. Until is when it ends by itself, which [Health.Resume] has to be told all the same.
func (h *Health) Pause(consumer, topic string, partition int32, until time.Time) {
	key := pauseKey(consumer, topic, partition)
	h.mutex.Lock()
	defer h.mutex.Unlock()
	begun := h.now()
	if known, paused := h.pauses[key]; paused {
		begun = known.begun
	}
	h.pauses[key] = pauseTime{begun, until}
}

// Resume ends what [Health.Pause] began. From now on what it covered is expected to move.
func (h *Health) Resume(consumer, topic string, partition int32) {
	key := pauseKey(consumer, topic, partition)
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if _, paused := h.pauses[key]; !paused {
		return
	}
	delete(h.pauses, key)
	h.restart(func(p partitionKey) bool { return key.covers(p) })
}

// pauseTime is when a pause began and will end.
type pauseTime struct{ begun, until time.Time }

func pauseKey(consumer, topic string, partition int32) partitionKey {
	if topic == "" {
		partition = -1
	}
	return partitionKey{consumer, topic, max(partition, -1)}
}

// covers says whether a pause under this key is one of the partition too.
func (k partitionKey) covers(p partitionKey) bool {
	return k.consumer == p.consumer && (k.topic == "" || k.topic == p.topic) && (k.partition < 0 || k.partition == p.partition)
}

// paused says whether an operator's pause covers the partition.
func (h *Health) paused(key partitionKey) bool {
	for pause := range h.pauses {
		if pause.covers(key) {
			return true
		}
	}
	return false
}

// pausedRows are the pauses as /healthz shows them.
func (h *Health) pausedRows(now time.Time) []Held {
	var rows []Held
	for key, times := range h.pauses {
		reason := "paused by an operator until " + times.until.UTC().Format(time.RFC3339)
		rows = append(rows, Held{key.consumer, key.topic, key.partition, reason, seconds(now.Sub(times.begun))})
	}
	return rows
}
