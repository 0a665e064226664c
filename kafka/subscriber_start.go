package kafka

import (
	"errors"
	"fmt"
	"time"

	"github.com/IBM/sarama"
)

// Start is where a group begins that has no committed position on any partition of a topic. Its zero value is [Earliest].
type Start struct {
	latest bool
	// at is zero but for a start at a time.
	at time.Time
}

// Earliest returns the start at the first record that the log still has.
func Earliest() Start { return Start{} }

// Latest returns the start at the end of the log: only what is written from then on.
func Latest() Start { return Start{latest: true} }

// StartAt returns the start at the first record that is not older than t; at the end of a partition that has none.
func StartAt(t time.Time) Start { return Start{at: t} }

// ParseStart reads earliest, latest or an RFC 3339 time; the empty text is earliest. It returns an error that quotes any other text.
func ParseStart(text string) (Start, error) {
	switch text {
	case "", "earliest":
		return Earliest(), nil
	case "latest":
		return Latest(), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return Start{}, fmt.Errorf("reading start %q: want earliest, latest or a time such as 2026-01-31T08:00:00Z", text)
	}
	return StartAt(at), nil
}

// String is what [ParseStart] reads.
func (s Start) String() string {
	switch {
	case s.latest:
		return "latest"
	case !s.at.IsZero():
		return s.at.Format(time.RFC3339Nano)
	default:
		return "earliest"
	}
}

// offset asks the brokers where the start is in one partition.
func (s Start) offset(client sarama.Client, topic string, partition int32) (int64, error) {
	switch {
	case s.latest:
		return client.GetOffset(topic, partition, sarama.OffsetNewest)
	case s.at.IsZero():
		return client.GetOffset(topic, partition, sarama.OffsetOldest)
	}
	offset, err := client.GetOffset(topic, partition, s.at.UnixMilli())
	if err == nil && offset >= 0 {
		return offset, nil
	}
	if err != nil && !errors.Is(err, sarama.ErrOffsetOutOfRange) {
		return 0, err
	}
	// No record is as young as that.
	return client.GetOffset(topic, partition, sarama.OffsetNewest)
}
