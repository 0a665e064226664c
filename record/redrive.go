package record

import "slices"

// The headers of a record on a redrive topic, its last two in this order. Both are positions in the form of [Position.String].
const (
	// RedriveLetterHeader is where the dead letter stands that is given back.
	RedriveLetterHeader = "millrace-redrive-letter"
	// RedriveOriginalHeader is where the record stood when its consumer gave it up.
	RedriveOriginalHeader = "millrace-redrive-original"
)

// Redrive is a record that comes back to the consumer that gave it up.
type Redrive struct {
	// Original is the record as the consumer saw it when it failed: position, key, value, headers and timestamp.
	Original *Record
	// Letter is where its dead letter stands.
	Letter Position
}

// On returns the record as it is written to a redrive topic.
func (r Redrive) On(topic string) *Record {
	on := *r.Original
	on.Position = Position{Topic: topic, Partition: -1, Offset: -1}
	on.Headers = append(slices.Clip(slices.Clone(r.Original.Headers)),
		Header{Key: RedriveLetterHeader, Value: []byte(r.Letter.String())},
		Header{Key: RedriveOriginalHeader, Value: []byte(r.Original.Position.String())})
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
	at, err := ParsePosition(string(r.Headers[own+1].Value))
	if err != nil {
		return Redrive{}, false
	}
	original := *r
	original.Position, original.Headers = at, r.Headers[:own:own]
	return Redrive{Original: &original, Letter: letter}, true
}
