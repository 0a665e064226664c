package control

import (
	"fmt"
	"strconv"
	"time"

	"github.com/prantikov/millrace/observe"
)

// Limits of what may be asked for.
const (
	DefaultPause = time.Hour
	LongestPause = 24 * time.Hour
	MostKeys     = 100_000
)

// Target is what a pause covers.
type Target struct {
	Consumer string `json:"consumer"`
	// Topic is a topic's name on the brokers, or its own; empty for all topics.
	Topic string `json:"topic"`
	// Partition is negative for all partitions.
	Partition int32 `json:"partition"`
}

// String names the target in a sentence.
func (t Target) String() string {
	switch {
	case t.Topic == "":
		return fmt.Sprintf("consumer %q", t.Consumer)
	case t.Partition < 0:
		return fmt.Sprintf("consumer %q on %s", t.Consumer, t.Topic)
	default:
		return fmt.Sprintf("consumer %q on %s/%d", t.Consumer, t.Topic, t.Partition)
	}
}

// place is the target without its consumer.
func (t Target) place() string {
	switch {
	case t.Topic == "":
		return "all topics"
	case t.Partition < 0:
		return t.Topic
	default:
		return t.Topic + "/" + strconv.Itoa(int(t.Partition))
	}
}

// covers says whether everything of the other target is this one's.
func (t Target) covers(other Target) bool {
	return t.Consumer == other.Consumer && (t.Topic == "" || t.Topic == other.Topic) && (t.Partition < 0 || t.Partition == other.Partition)
}

// PauseRequest asks for a pause.
type PauseRequest struct {
	Target
	// For is how long, as Go writes a duration: 30m.
	For string `json:"for"`
}

// Paused is a pause that lasts.
type Paused struct {
	Target
	Until   time.Time `json:"until"`
	Seconds int       `json:"seconds"`
	// Replaced says that the target was paused already, and ends at another time now.
	Replaced bool `json:"replaced"`
}

// Resumed are the pauses that were ended.
type Resumed struct {
	Ended []Target `json:"ended"`
}

// Keys is how many keys of a consumer are worked on side by side.
type Keys struct {
	Consumer    string `json:"consumer"`
	Concurrency int    `json:"concurrency"`
	// Before is what it was; it is 0 in a request.
	Before int `json:"before"`
}

// States of a consumer and of a partition.
const (
	StateRunning = "running"
	StatePaused  = "paused"
	StateHeld    = "held"
	StateWaiting = "waiting"
	StateFull    = "full"
	StateStopped = "stopped"
)

// Status is how a process is.
type Status struct {
	Version   string           `json:"version"`
	At        time.Time        `json:"at"`
	Consumers []ConsumerStatus `json:"consumers"`
	Alarms    []observe.Alarm  `json:"alarms"`
}

// ConsumerStatus is how a consumer is. A negative number is not known.
type ConsumerStatus struct {
	Consumer string `json:"consumer"`
	// State is running, paused (all that it owns), held (some of it, by something outside), waiting (for partitions) or stopped (for good).
	State string `json:"state"`
	// Reason says more: why it is held or stopped, and which part of a running one is paused or full.
	Reason string `json:"reason"`
	// PausedUntil is there when the state is paused.
	PausedUntil *time.Time `json:"pausedUntil,omitempty"`
	// PerSecond is how many records were finished each second of the last ten.
	PerSecond float64 `json:"perSecond"`
	Measures
	// DeadLetters are those of the last hour, to the minute.
	DeadLetters int64 `json:"deadLetters"`
	// Concurrency is how many keys are worked on side by side: 1 where records go one after another, 0 where the engine does not know.
	Concurrency int `json:"concurrency"`
	// Partitions are those that it owns, when they are asked for.
	Partitions []PartitionStatus `json:"partitions,omitempty"`
}

// Measures are what is counted of a partition and added up for a consumer. A negative number is not known.
type Measures struct {
	// Lag counts the records that are not finished.
	Lag int64 `json:"lag"`
	// OldestSeconds is the age, by its timestamp, of the oldest of them; 0 when there is none.
	OldestSeconds float64 `json:"oldestSeconds"`
	// InFlight counts those of them that are being worked on, WaitingKeys the keys that wait for a retry.
	InFlight    int `json:"inFlight"`
	WaitingKeys int `json:"waitingKeys"`
}

// PartitionStatus is how a partition is that a consumer owns.
type PartitionStatus struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	// State is running, paused, held or full.
	State       string     `json:"state"`
	Reason      string     `json:"reason"`
	PausedUntil *time.Time `json:"pausedUntil,omitempty"`
	// Frontier is the lowest offset that is not finished.
	Frontier int64 `json:"frontier"`
	Measures
}
