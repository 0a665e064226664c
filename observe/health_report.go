package observe

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Liveness is what /healthz answers.
type Liveness struct {
	// Status is ok, or stuck when work waits that does not move.
	Status string `json:"status"`
	// Kafka is answers or away. It is shown only: to start this process anew would not bring Kafka back.
	Kafka string  `json:"kafka"`
	Stuck []Stuck `json:"stuck,omitempty"`
	Held  []Held  `json:"held,omitempty"`
}

// Stuck is a partition whose frontier stands although records wait and nothing outside is to blame.
type Stuck struct {
	Consumer  string `json:"consumer"`
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Frontier  int64  `json:"frontier"`
	Waiting   int    `json:"waiting"`
	// Seconds is how long the frontier has stood.
	Seconds int `json:"seconds"`
}

// Held is a partition, or a whole consumer (no topic, partition -1), that waits for something outside or that an operator has paused.
type Held struct {
	Consumer  string `json:"consumer"`
	Topic     string `json:"topic,omitempty"`
	Partition int32  `json:"partition"`
	Reason    string `json:"reason"`
	Seconds   int    `json:"seconds"`
}

// Readiness is what /readyz answers.
type Readiness struct {
	// Status is ready or not ready.
	Status    string          `json:"status"`
	Kafka     string          `json:"kafka"`
	Consumers []ConsumerReady `json:"consumers"`
}

// ConsumerReady says whether a consumer is a member of its group.
type ConsumerReady struct {
	Consumer string `json:"consumer"`
	Group    string `json:"group"`
	Joined   bool   `json:"joined"`
	// Reason is why the consumer is held as a whole; empty when it is not.
	Reason string `json:"reason,omitempty"`
}

// Live returns what /healthz shows.
func (h *Health) Live() Liveness {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	now := h.now()
	live := Liveness{Status: "ok", Kafka: h.kafkaWord()}
	for _, key := range sortedKeys(h.partitions) {
		if h.stuck(key, now) {
			state := h.partitions[key]
			live.Status = "stuck"
			live.Stuck = append(live.Stuck, Stuck{key.consumer, key.topic, key.partition, state.frontier, state.waiting, seconds(now.Sub(state.standing))})
		}
	}
	live.Held = append(h.heldRows(now), h.pausedRows(now)...)
	sortHeld(live.Held)
	return live
}

// stuck says whether the partition's frontier stands although records wait and nothing outside is to blame.
func (h *Health) stuck(key partitionKey, now time.Time) bool {
	state := h.partitions[key]
	return state.waiting > 0 && now.Sub(state.standing) >= h.stuckAfter && !h.held(key)
}

// sortHeld puts what is held into the order in which it is shown.
func sortHeld(rows []Held) {
	slices.SortFunc(rows, func(a, b Held) int {
		x, y := partitionKey{a.Consumer, a.Topic, a.Partition}, partitionKey{b.Consumer, b.Topic, b.Partition}
		if order := compareKeys(x, y); order != 0 {
			return order
		}
		return strings.Compare(a.Reason, b.Reason)
	})
}

// heldRows are the holds as /healthz shows them.
func (h *Health) heldRows(now time.Time) []Held {
	var rows []Held
	for key, holds := range h.holds {
		for reason := range maps.Keys(holds) {
			rows = append(rows, Held{key.consumer, key.topic, key.partition, reason, seconds(now.Sub(holds[reason]))})
		}
	}
	return rows
}

// Held returns the holds alone, without the pauses of an operator.
func (h *Health) Held() []Held {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	rows := h.heldRows(h.now())
	sortHeld(rows)
	return rows
}

// Ready returns what /readyz shows.
func (h *Health) Ready() Readiness {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	ready := Readiness{Status: "ready", Kafka: h.kafkaWord(), Consumers: []ConsumerReady{}}
	for _, consumer := range slices.Sorted(maps.Keys(h.groups)) {
		known := h.groups[consumer]
		ready.Consumers = append(ready.Consumers, ConsumerReady{consumer, known.group, known.joined, h.heldAsAWhole(consumer)})
		if !known.joined {
			ready.Status = "not ready"
		}
	}
	if !h.kafka {
		ready.Status = "not ready"
	}
	return ready
}

// heldAsAWhole is why a consumer takes nothing at all.
func (h *Health) heldAsAWhole(consumer string) string {
	return strings.Join(slices.Sorted(maps.Keys(h.holds[wholeConsumer(consumer)])), "; ")
}

func (h *Health) kafkaWord() string {
	if h.kafka {
		return "answers"
	}
	return "away"
}

func seconds(d time.Duration) int { return int(d / time.Second) }

func (h *Health) serveLive(w http.ResponseWriter, _ *http.Request) {
	live := h.Live()
	answer(w, live.Status == "ok", live)
}

func (h *Health) serveReady(w http.ResponseWriter, _ *http.Request) {
	ready := h.Ready()
	answer(w, ready.Status == "ready", ready)
}

func answer(w http.ResponseWriter, good bool, body any) {
	w.Header().Set("Content-Type", "application/json")
	if !good {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	// The client is gone when this fails: nobody is left to be told.
	_ = json.NewEncoder(w).Encode(body)
}
