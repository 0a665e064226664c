package deadletter

import (
	"encoding/binary"
	"strconv"
	"time"

	"github.com/prantikov/millrace/record"
)

// What Spring Kafka calls the two kinds of failure. Java filters on dead letters compare with them.
const (
	deserializationException   = "org.springframework.kafka.support.serializer.DeserializationException"
	listenerExecutionException = "org.springframework.kafka.listener.ListenerExecutionFailedException"
	// ourExceptionPrefix and a class are the cause that Java listeners see.
	ourExceptionPrefix = "millrace."
)

// ownHeaders returns the headers that the record keeps: all, in their order. A record that is itself a dead letter keeps where it came from and
// loses what the earlier failure was, as with Spring, for the new one replaces it.
//
// Whether it is one is told by its topic, which nobody can put into a header.
func ownHeaders(r *record.Record, suffix string) []record.Header {
	if _, again := sourceOf(r.Topic, suffix); !again {
		return r.Headers
	}
	kept := make([]record.Header, 0, len(r.Headers))
	for _, header := range r.Headers {
		if !describesFailure(header.Key) {
			kept = append(kept, header)
		}
	}
	return kept
}

// failureHeaders returns what we append, in the order of [ourBlock], and where the record had come back, the dead letter that it came from. No value is nil: a Java listener's required parameter refuses null.
func failureHeaders(letter record.Letter) []record.Header {
	r := letter.Record
	explanation, _ := Explain(letter.Class)
	exception, cause := listenerExecutionException, ourExceptionPrefix+string(letter.Class)
	if explanation.Decoding {
		exception, cause = deserializationException, deserializationException
	}
	headers := []record.Header{
		text(springException, exception),
		text(springExceptionCause, cause),
		text(springMessage, explanation.Meaning),
		text(springTopic, r.Topic),
		{Key: springPartition, Value: binary.BigEndian.AppendUint32(nil, uint32(r.Partition))},
		long(springOffset, r.Offset),
		long(springTimestamp, milliseconds(r.Timestamp)),
		text(springTimestampType, "CreateTime"),
		text(springGroup, letter.Group),
		text(ClassHeader, string(letter.Class)),
		text(ConsumerHeader, letter.Consumer),
		text(HandlerHeader, letter.Handler),
		text(AttemptsHeader, strconv.Itoa(letter.Attempts.Made)),
		text(FirstFailureHeader, timeText(letter.Attempts.FirstFailure)),
		text(FailedAtHeader, timeText(letter.FailedAt)),
	}
	if letter.Redriven.Topic != "" {
		// Behind the others, where no producer's header can stand.
		headers = append(headers, text(record.RedriveLetterHeader, letter.Redriven.String()))
	}
	return headers
}

func text(key, value string) record.Header { return record.Header{Key: key, Value: []byte(value)} }

func long(key string, value int64) record.Header {
	return record.Header{Key: key, Value: binary.BigEndian.AppendUint64(nil, uint64(value))}
}

// milliseconds is Kafka's timestamp, -1 for none.
func milliseconds(t time.Time) int64 {
	if t.IsZero() {
		return -1
	}
	return t.UnixMilli()
}
