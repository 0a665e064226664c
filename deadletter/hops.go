package deadletter

import (
	"strings"

	"github.com/prantikov/millrace/record"
)

// hop is one failure of a record's life, as Spring's original-* headers tell it. Each failure appends them again.
type hop struct {
	position record.Position
	family   Family
}

// springHops returns the failures in the order in which they were written. In each, the topic comes first.
func springHops(headers []record.Header) []hop {
	var hops []hop
	for _, header := range headers {
		family, field := FamilySpring, strings.TrimPrefix(header.Key, "kafka_dlt-original-")
		if field == header.Key {
			family, field = FamilySpringRetry, strings.TrimPrefix(header.Key, "kafka_original-")
		}
		switch {
		case field == header.Key:
			continue
		case field == "topic":
			hops = append(hops, hop{position: record.Position{Topic: topicName(header.Value), Partition: -1, Offset: -1}, family: family})
		case len(hops) > 0 && hops[len(hops)-1].family == family:
			hops[len(hops)-1].fill(field, header.Value)
		}
	}
	return hops
}

func (h *hop) fill(field string, value []byte) {
	switch field {
	case "partition":
		if partition, ok := binaryNumber(value, maxPartition); ok {
			h.position.Partition = int32(partition)
		}
	case "offset":
		if offset, ok := binaryNumber(value, maxOffset); ok {
			h.position.Offset = offset
		}
	}
}

// origin returns where a record was first. The last failure is the one that we saw ourselves. An earlier one is believed only when the
// later one's topic holds its dead letters: any producer can put original-* headers into a record.
func origin(topic string, hops []hop) record.Position {
	latest := hops[len(hops)-1].position
	suffix := strings.TrimPrefix(topic, latest.Topic)
	for i := len(hops) - 2; i >= 0; i-- {
		source, ok := sourceOf(latest.Topic, suffix)
		if !ok || source != hops[i].position.Topic {
			break
		}
		latest = hops[i].position
	}
	return latest
}
