package observe

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// HealthSettings says when waiting work counts as stuck.
type HealthSettings struct {
	// StuckAfter is how long a frontier may stand while records wait. Zero means 60 s.
	StuckAfter time.Duration
	// LongestTry is the longest that a healthy record can hold its partition: its retries' total time and the timeout of the last try.
	// StuckAfter is never less than this and 10 s.
	LongestTry time.Duration
	// Now is the clock. Nil means [time.Now].
	Now func() time.Time
}

// Health keeps what /healthz and /readyz answer from. It is told what happens and asks nobody, so that an answer takes no time and
// cannot hang. Its methods may be called from any goroutine; each costs one uncontended lock, so call them per batch, not per record.
type Health struct {
	stuckAfter time.Duration
	now        func() time.Time

	mutex      sync.Mutex
	kafka      bool
	kafkaSince time.Time
	groups     map[string]*membership
	partitions map[partitionKey]*partitionState
	holds      map[partitionKey]map[string]time.Time
	pauses     map[partitionKey]pauseTime
}

type membership struct {
	group  string
	joined bool
}

type partitionKey struct {
	consumer, topic string
	partition       int32
}

// wholeConsumer is the key under which holds of all of a consumer's partitions are kept.
func wholeConsumer(consumer string) partitionKey { return partitionKey{consumer, "", -1} }

type partitionState struct {
	frontier int64
	waiting  int
	oldest   time.Time
	// standing is since when the frontier stands with records waiting and nothing outside to blame.
	standing time.Time
}

// NewHealth returns a health that knows no consumer and has not heard of Kafka yet: alive and not ready.
func NewHealth(settings HealthSettings) *Health {
	h := &Health{
		now:        settings.Now,
		groups:     map[string]*membership{},
		partitions: map[partitionKey]*partitionState{},
		holds:      map[partitionKey]map[string]time.Time{},
		pauses:     map[partitionKey]pauseTime{},
	}
	if h.now == nil {
		h.now = time.Now
	}
	h.stuckAfter = settings.StuckAfter
	if h.stuckAfter <= 0 {
		h.stuckAfter = time.Minute
	}
	h.stuckAfter = max(h.stuckAfter, settings.LongestTry+10*time.Second)
	h.kafkaSince = h.now()
	return h
}

// Expect makes the process ready only when this consumer is a member of its group.
func (h *Health) Expect(consumer, group string) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.groups[consumer] = &membership{group: group}
}

// Joined says whether the consumer is a member of its group. A consumer that has left loses its partitions and their holds.
func (h *Health) Joined(consumer string, joined bool) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if known := h.groups[consumer]; known != nil {
		known.joined = joined
	}
	if joined {
		return
	}
	maps.DeleteFunc(h.partitions, func(key partitionKey, _ *partitionState) bool { return key.consumer == consumer })
	maps.DeleteFunc(h.holds, func(key partitionKey, _ map[string]time.Time) bool { return key.consumer == consumer })
}

// Kafka says whether the brokers answer. While they do not, nothing counts as stuck.
func (h *Health) Kafka(answers bool) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if h.kafka == answers {
		return
	}
	h.kafka, h.kafkaSince = answers, h.now()
	h.restart(func(partitionKey) bool { return true })
}

// Progress says where a consumer stands on a partition: the lowest offset that it has not finished, how many delivered records it has
// not finished, and the timestamp of the oldest of them (zero when that is not known). Call it after each change, or regularly.
func (h *Health) Progress(consumer, topic string, partition int32, frontier int64, waiting int, oldest time.Time) {
	key := partitionKey{consumer, topic, partition}
	h.mutex.Lock()
	defer h.mutex.Unlock()
	known := h.partitions[key]
	if known == nil {
		known = &partitionState{standing: h.now()}
		h.partitions[key] = known
	}
	if known.frontier != frontier || known.waiting == 0 {
		known.standing = h.now()
	}
	known.frontier, known.waiting, known.oldest = frontier, waiting, oldest
}

// Lost forgets a partition that another member has taken, with its holds.
func (h *Health) Lost(consumer, topic string, partition int32) {
	key := partitionKey{consumer, topic, partition}
	h.mutex.Lock()
	defer h.mutex.Unlock()
	delete(h.partitions, key)
	delete(h.holds, key)
}

// Hold says that a partition waits for something outside, for example "dead letter cannot be written". It is shown and does not count
// as stuck. An empty topic, or a partition of -1, holds all partitions of the consumer. Several reasons may hold at once.
func (h *Health) Hold(consumer, topic string, partition int32, reason string) {
	key := holdKey(consumer, topic, partition)
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if h.holds[key] == nil {
		h.holds[key] = map[string]time.Time{}
	}
	if _, held := h.holds[key][reason]; !held {
		h.holds[key][reason] = h.now()
	}
}

// Release ends what [Health.Hold] began. From now on the partition is expected to move.
func (h *Health) Release(consumer, topic string, partition int32, reason string) {
	key := holdKey(consumer, topic, partition)
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if _, held := h.holds[key][reason]; !held {
		return
	}
	delete(h.holds[key], reason)
	if len(h.holds[key]) == 0 {
		delete(h.holds, key)
	}
	h.restart(func(p partitionKey) bool { return p == key || key == wholeConsumer(p.consumer) })
}

// ReleaseAll ends everything that [Health.Hold] began on a partition.
func (h *Health) ReleaseAll(consumer, topic string, partition int32) {
	key := holdKey(consumer, topic, partition)
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if len(h.holds[key]) == 0 {
		return
	}
	delete(h.holds, key)
	h.restart(func(p partitionKey) bool { return p == key })
}

func holdKey(consumer, topic string, partition int32) partitionKey {
	if topic == "" || partition < 0 {
		return wholeConsumer(consumer)
	}
	return partitionKey{consumer, topic, partition}
}

// restart gives partitions their full time again, for what they waited for is back.
func (h *Health) restart(which func(partitionKey) bool) {
	for key, state := range h.partitions {
		if which(key) {
			state.standing = h.now()
		}
	}
}

// held says whether something outside, or an operator, holds the partition.
func (h *Health) held(key partitionKey) bool {
	return !h.kafka || len(h.holds[key]) > 0 || len(h.holds[wholeConsumer(key.consumer)]) > 0 || h.paused(key)
}

// sortedKeys returns keys in the order in which they are shown.
func sortedKeys[V any](of map[partitionKey]V) []partitionKey {
	return slices.SortedFunc(maps.Keys(of), compareKeys)
}

func compareKeys(a, b partitionKey) int {
	return cmp.Or(strings.Compare(a.consumer, b.consumer), strings.Compare(a.topic, b.topic), cmp.Compare(a.partition, b.partition))
}
