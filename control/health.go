package control

import (
	"fmt"
	"strings"

	"github.com/prantikov/millrace/observe"
)

// Health is what a process says of its health: what /healthz and /readyz say, in one answer.
type Health struct {
	Live  observe.Liveness  `json:"live"`
	Ready observe.Readiness `json:"ready"`
}

// Well says whether the process is alive, which means that no partition is stuck, and with ready also whether its work can begin: Kafka answers
// and every consumer is in its group.
func (h Health) Well(ready bool) bool {
	return len(h.Live.Stuck) == 0 && (!ready || h.Ready.Status == "ready")
}

// Line says the same in one line.
func (h Health) Line(ready bool) string {
	switch {
	case len(h.Live.Stuck) > 0:
		return "stuck: " + stuckText(h.Live.Stuck)
	case !h.Well(ready):
		return "not ready: " + h.state()
	default:
		return "ok: " + h.state()
	}
}

// stuckText names the first partition that is stuck, and how many more there are.
func stuckText(stuck []observe.Stuck) string {
	first := stuck[0]
	text := fmt.Sprintf("%s on %s/%d stands at offset %d for %d s while records wait: %d", first.Consumer, first.Topic, first.Partition, first.Frontier,
		first.Seconds, first.Waiting)
	if more := len(stuck) - 1; more > 0 {
		text += fmt.Sprintf(", and so do %d more partitions", more)
	}
	return text
}

// state is how the process stands to what is outside.
func (h Health) state() string {
	missing := []string{}
	for _, consumer := range h.Ready.Consumers {
		if !consumer.Joined {
			missing = append(missing, consumer.Consumer)
		}
	}
	parts := []string{"Kafka answers"}
	if h.Ready.Kafka != "answers" {
		parts[0] = "Kafka is away"
	}
	all := len(h.Ready.Consumers)
	joined := fmt.Sprintf("%d of %d consumers are in their groups", all-len(missing), all)
	if len(missing) > 0 {
		joined += " (not " + strings.Join(missing, ", ") + ")"
	}
	parts = append(parts, joined)
	if held := heldPlaces(h.Live.Held); held > 0 {
		parts = append(parts, fmt.Sprintf("%d held or paused", held))
	}
	return strings.Join(parts, ", ")
}

// heldPlaces counts what is held: a place may have several reasons.
func heldPlaces(held []observe.Held) int {
	places := map[Target]bool{}
	for _, one := range held {
		places[Target{one.Consumer, one.Topic, one.Partition}] = true
	}
	return len(places)
}

// health is what the process says of its health.
func (p *Process) health() Health { return Health{p.Health.Live(), p.Health.Ready()} }
