package deadletter

import (
	"github.com/prantikov/millrace/record"
)

// Parse reads the headers of a dead letter, of any family that we know. It returns false when the record has none of them; the entry then
// has the position alone, and is as foreign as that of any other program.
//
// Who wrote the dead letter appended its headers last, so the last header of a family decides. What stands before was part of the record
// when it failed: a producer can write there what it likes, and it is believed only where the dead-letter topics bear it out.
func Parse(r *record.Record) (Entry, bool) {
	e := Entry{
		Position: r.Position, Family: FamilyNone, Class: Foreign,
		Original: record.Position{Partition: -1, Offset: -1}, written: r.Timestamp,
	}
	if block, ok := findBlock(r.Headers); ok {
		e.readOurs(r, block)
		return e, true
	}
	last, ok := lastFamily(r.Headers)
	if !ok {
		return e, false
	}
	e.Family = last
	switch last {
	case FamilySpring, FamilySpringRetry:
		e.readSpring(r)
	default:
		e.readText(r)
	}
	return e, true
}

// findBlock returns where the headers begin that our [Writer] appended. They are ours when they are complete, in our order, and no other
// program's follow.
func findBlock(headers []record.Header) (begin int, ok bool) {
	names := ourBlock()
	end := len(headers)
	for ; end > 0; end-- {
		if headers[end-1].Key == FailedAtHeader {
			break
		}
		if _, foreign := familyOf(headers[end-1].Key); foreign {
			return 0, false
		}
	}
	begin = end - len(names)
	if begin < 0 {
		return 0, false
	}
	for i, name := range names {
		if headers[begin+i].Key != name {
			return 0, false
		}
	}
	return begin, true
}

func lastFamily(headers []record.Header) (Family, bool) {
	for i := len(headers) - 1; i >= 0; i-- {
		if family, ok := familyOf(headers[i].Key); ok {
			return family, true
		}
	}
	return FamilyNone, false
}

// readOurs takes the block of ours from its place, never by name: the same names may stand before it.
func (e *Entry) readOurs(r *record.Record, begin int) {
	block := map[string][]byte{}
	for _, header := range r.Headers[begin : begin+len(ourBlock())] {
		block[header.Key] = header.Value
	}
	e.Family = FamilyMillrace
	if class := name(block[ClassHeader]); class != "" {
		e.Class = record.Class(class)
	}
	e.Consumer, e.Handler = name(block[ConsumerHeader]), name(block[HandlerHeader])
	if attempts, ok := decimal(block[AttemptsHeader], maxAttempts); ok {
		e.Attempts = int(attempts)
	}
	e.FirstFailure, e.FailedAt = moment(block[FirstFailureHeader]), moment(block[FailedAtHeader])
	e.Group = name(block[springGroup])
	end := begin + len(ourBlock())
	e.Original = origin(r.Topic, springHops(r.Headers[:end]))
	if end < len(r.Headers) && r.Headers[end].Key == record.RedriveLetterHeader {
		e.Redriven, _ = record.ParsePosition(string(r.Headers[end].Value))
	}
}

// readSpring reads both of Spring Kafka's families. They share the group's header, and a dead letter of a retry topic may have both.
func (e *Entry) readSpring(r *record.Record) {
	hops := springHops(r.Headers)
	e.FailedAt = r.Timestamp // Spring Kafka sets it to the time of the failure.
	if len(hops) > 0 {
		e.Original = hops[0].position
		e.Family = hops[len(hops)-1].family
	}
	if group, ok := r.Header(springGroup); ok {
		e.Group = name(group)
		e.Consumer = e.Group
	}
	if e.Family != FamilySpringRetry {
		return
	}
	if value, ok := r.Header("retry_topic-attempts"); ok {
		// The header counts the delivery that is to come.
		if attempts, ok := binaryNumber(value, maxAttempts); ok && attempts > 0 {
			e.Attempts = int(attempts) - 1
		}
	}
}

// readText reads the families whose values are all text. Each header is written once; with a repeat the last one is the latest failure's.
func (e *Entry) readText(r *record.Record) {
	get := func(key string) []byte {
		value, _ := r.Header(key)
		return value
	}
	prefix := ""
	switch e.Family {
	case FamilyConnect:
		prefix = "__connect.errors."
		e.Consumer = name(get(prefix + "connector.name"))
	case FamilyStreams:
		prefix = "__streams.errors."
	case FamilyShareGroup:
		prefix = "__dlq.errors."
		e.Group = name(get(prefix + "group"))
		e.Consumer = e.Group
		if count, ok := decimal(get(prefix+"delivery.count"), maxAttempts); ok {
			e.Attempts = int(count)
		}
	case FamilyWatermill:
		e.Handler = name(get("handler_poisoned"))
		e.Consumer = e.Handler
		e.Original.Topic = topicName(get("topic_poisoned"))
		e.FailedAt = r.Timestamp // It publishes a new message, so this is when it was given up.
		return
	}
	e.Original.Topic = topicName(get(prefix + "topic"))
	if partition, ok := decimal(get(prefix+"partition"), maxPartition); ok {
		e.Original.Partition = int32(partition)
	}
	if offset, ok := decimal(get(prefix+"offset"), maxOffset); ok {
		e.Original.Offset = offset
	}
}
