package record

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// The headers of a record on a redrive topic, its last two in this order. Both begin with a position in the form of [Position.String].
const (
	// RedriveLetterHeader is where the dead letter stands that is given back.
	RedriveLetterHeader = "millrace-redrive-letter"
	// RedriveOriginalHeader is where the record stood when its consumer gave it up, and behind a blank its timestamp in milliseconds, where the dead
	// letter has another.
	RedriveOriginalHeader = "millrace-redrive-original"
)

// Redrive is a record that comes back to the consumer that gave it up.
type Redrive struct {
	// Original is the record as the consumer saw it when it failed: position, key, value, headers and timestamp.
	Original *Record
	// Letter is where its dead letter stands.
	Letter Position
	// Written is the dead letter's own timestamp where that is not the record's, and zero where it is. Spring Kafka writes the time of the failure.
	// What comes back has the dead letter's, so that retention treats both alike.
	Written time.Time
}

// On returns the record as it is written to a redrive topic, which has one partition that counts.
func (r Redrive) On(topic string) *Record {
	on := *r.Original
	on.Position = Position{Topic: topic, Offset: -1}
	original := r.Original.Position.String()
	if !r.Written.IsZero() {
		on.Timestamp = r.Written
		original += " " + strconv.FormatInt(r.Original.Timestamp.UnixMilli(), 10)
	}
	on.Headers = append(slices.Clip(slices.Clone(r.Original.Headers)),
		Header{Key: RedriveLetterHeader, Value: []byte(r.Letter.String())},
		Header{Key: RedriveOriginalHeader, Value: []byte(original)})
	return &on
}

// RedriveOf reads what [Redrive.On] wrote; false for any other record. Only the last two headers count, for a producer can write what it
// likes before them.
func RedriveOf(r *Record) (Redrive, bool) {
	own := len(r.Headers) - 2
	if own < 0 || r.Headers[own].Key != RedriveLetterHeader || r.Headers[own+1].Key != RedriveOriginalHeader {
		return Redrive{}, false
	}
	letter, err := ParsePosition(string(r.Headers[own].Value))
	if err != nil {
		return Redrive{}, false
	}
	place, sent, changed := strings.Cut(string(r.Headers[own+1].Value), " ")
	at, err := ParsePosition(place)
	if err != nil {
		return Redrive{}, false
	}
	original := *r
	original.Position, original.Headers = at, r.Headers[:own:own]
	back := Redrive{Original: &original, Letter: letter}
	if changed {
		milliseconds, err := strconv.ParseInt(sent, 10, 64)
		if err != nil {
			return Redrive{}, false
		}
		original.Timestamp, back.Written = time.UnixMilli(milliseconds).UTC(), r.Timestamp
	}
	return back, true
}
