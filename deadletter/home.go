package deadletter

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/prantikov/millrace/record"
)

// Home is where a consumer's dead letters go back to.
type Home struct {
	Consumer, Group string
	// Topic is its redrive topic on the brokers.
	Topic string
	// Takes are the topics on the brokers that it takes; empty for a consumer that is not enabled.
	Takes []string
}

// takes says whether the consumer takes a topic.
func (h Home) takes(topic string) bool { return slices.Contains(h.Takes, topic) }

// homeOf finds the home of a letter's consumer: ours by its name, that of a Spring listener by its group.
func (b *Browser) homeOf(e Entry) (Home, bool) {
	at := slices.IndexFunc(b.homes, func(home Home) bool {
		if e.Family == FamilyMillrace {
			return home.Consumer == e.Consumer
		}
		return e.spring() && e.Group != "" && home.Group == e.Group
	})
	if at < 0 {
		return Home{}, false
	}
	return b.homes[at], true
}

// named is the home of a consumer by its name.
func (b *Browser) named(consumer string) (Home, bool) {
	at := slices.IndexFunc(b.homes, func(home Home) bool { return home.Consumer == consumer })
	if at < 0 {
		return Home{}, false
	}
	return b.homes[at], true
}

// spring says whether Spring Kafka wrote the letter.
func (e Entry) spring() bool { return e.Family == FamilySpring || e.Family == FamilySpringRetry }

// nameless says whether Spring Kafka wrote the letter without the group's name, as an application can have it.
func (e Entry) nameless() bool { return e.spring() && e.Group == "" }

// comingBack is the record as its consumer saw it when it gave it up: the dead letter without what was appended, at the position that this says
// and that the consumer takes.
func comingBack(r *record.Record, takes func(topic string) bool) (record.Redrive, bool) {
	original := *r
	back := record.Redrive{Original: &original, Letter: r.Position}
	if begin, ok := findBlock(r.Headers); ok {
		hops := springHops(r.Headers[begin : begin+len(ourBlock())])
		original.Headers = r.Headers[:begin:begin]
		return back, place(&original, hops, takes)
	}
	original.Headers = slices.DeleteFunc(slices.Clone(r.Headers), func(header record.Header) bool {
		family, ok := familyOf(header.Key)
		return ok && (family == FamilySpring || family == FamilySpringRetry)
	})
	// Spring Kafka writes a letter with the time of the failure. The record's own is in a header.
	if sent, ok := springTime(r); ok && !sent.Equal(r.Timestamp) {
		original.Timestamp, back.Written = sent, r.Timestamp
	}
	return back, place(&original, springHops(r.Headers), takes)
}

// place puts the record at the latest of the positions where a consumer failed that takes its topic: one that Spring's retry topics sent on
// stands on none of ours in between.
func place(r *record.Record, hops []hop, takes func(topic string) bool) bool {
	for _, hop := range slices.Backward(hops) {
		if at := hop.position; takes(at.Topic) && at.Partition >= 0 && at.Offset >= 0 {
			r.Position = at
			return true
		}
	}
	return false
}

// springTime is the timestamp of the record that a Spring letter was made of.
func springTime(r *record.Record) (time.Time, bool) {
	for _, name := range []string{springTimestamp, "kafka_original-timestamp"} {
		if value, ok := r.Header(name); ok && len(value) == 8 {
			if milliseconds := int64(binary.BigEndian.Uint64(value)); milliseconds >= 0 {
				return time.UnixMilli(milliseconds).UTC(), true
			}
		}
	}
	return time.Time{}, false
}
