package deadletter

import (
	"encoding/json"
	"time"

	"github.com/prantikov/millrace/record"
)

// Entry is what the headers of a dead letter say, as far as they can be believed. Nothing of it comes from the value or the key.
type Entry struct {
	// Position is where the dead letter stands.
	record.Position
	Family Family
	// Consumer gave the record up. For another family it is what comes nearest: Spring's consumer group, Connect's connector, the
	// share group, Watermill's handler; empty when the family has none.
	Consumer string
	// Group is the consumer group, Handler the function; both may be empty.
	Group, Handler string
	// Class is [Foreign] unless we wrote the dead letter.
	Class record.Class
	// Attempts counts the tries; 0 when it is not known.
	Attempts int
	// Original is where the record was first, before any dead-letter topic. Its topic is empty, its partition or offset -1 when not known.
	Original record.Position
	// FirstFailure and FailedAt are when the first try failed and when the record was given up; zero when not known.
	FirstFailure, FailedAt time.Time
	// Redriven is the earlier dead letter of the same record and consumer, which was given back before this one was written; its topic is empty
	// for none.
	Redriven record.Position
	// State is how far the letter is on its way home; empty from [Parse], which sees the letter alone.
	State State
	// Times is which time its consumer gave the record up with this letter: 1 for the first; 0 from [Parse].
	Times int

	// written is the dead letter's own timestamp.
	written time.Time
}

// When is when the record was given up or, where that is not known, the timestamp of the dead letter.
func (e Entry) When() time.Time {
	if e.FailedAt.IsZero() {
		return e.written
	}
	return e.FailedAt
}

// MarshalJSON writes the form that scripts rely on. A failedAt that is not known is null, as are numbers that are not known -1
// (attempts 0).
func (e Entry) MarshalJSON() ([]byte, error) {
	line := struct {
		Topic             string       `json:"topic"`
		Partition         int32        `json:"partition"`
		Offset            int64        `json:"offset"`
		Consumer          string       `json:"consumer"`
		Class             record.Class `json:"class"`
		Attempts          int          `json:"attempts"`
		OriginalTopic     string       `json:"originalTopic"`
		OriginalPartition int32        `json:"originalPartition"`
		OriginalOffset    int64        `json:"originalOffset"`
		FailedAt          *time.Time   `json:"failedAt"`
		State             State        `json:"state,omitempty"`
		Times             int          `json:"times,omitempty"`
		Redriven          string       `json:"redriven,omitempty"`
	}{
		e.Topic, e.Partition, e.Offset, e.Consumer, e.Class, e.Attempts,
		e.Original.Topic, e.Original.Partition, e.Original.Offset, nil, e.State, e.Times, "",
	}
	if e.Redriven.Topic != "" {
		line.Redriven = e.Redriven.String()
	}
	if !e.FailedAt.IsZero() {
		failedAt := e.FailedAt.UTC()
		line.FailedAt = &failedAt
	}
	return json.Marshal(line)
}
