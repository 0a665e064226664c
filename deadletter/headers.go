package deadletter

import (
	"slices"
	"strings"
)

// Spring Kafka's headers of a dead letter. Java listeners bind them by these names, the numbers in binary, so both must be exact.
const (
	springPrefix          = "kafka_dlt-"
	springException       = "kafka_dlt-exception-fqcn"
	springExceptionCause  = "kafka_dlt-exception-cause-fqcn"
	springMessage         = "kafka_dlt-exception-message"
	springTopic           = "kafka_dlt-original-topic"
	springPartition       = "kafka_dlt-original-partition"
	springOffset          = "kafka_dlt-original-offset"
	springTimestamp       = "kafka_dlt-original-timestamp"
	springTimestampType   = "kafka_dlt-original-timestamp-type"
	springGroup           = "kafka_dlt-original-consumer-group"
	springExceptionPrefix = "kafka_dlt-exception-"
)

// Our own headers of a dead letter. All of them are text.
const (
	// ClassHeader has the [record.Class].
	ClassHeader = "millrace-class"
	// ConsumerHeader names the consumer that gave the record up.
	ConsumerHeader = "millrace-consumer"
	// HandlerHeader names its function, or is empty when none was reached.
	HandlerHeader = "millrace-handler"
	// AttemptsHeader counts the tries, in decimal.
	AttemptsHeader = "millrace-attempts"
	// FirstFailureHeader is when the first try failed (RFC 3339, UTC), or empty.
	FirstFailureHeader = "millrace-first-failure"
	// FailedAtHeader is when the consumer gave up (RFC 3339, UTC).
	FailedAtHeader = "millrace-failed-at"
)

// ourPrefix is what the names of our headers begin with.
const ourPrefix = "millrace-"

// ourBlock has the headers that we append to a record, in their order: Spring's as Spring writes them, without the stack trace, then ours.
func ourBlock() []string {
	return []string{
		springException, springExceptionCause, springMessage,
		springTopic, springPartition, springOffset, springTimestamp, springTimestampType, springGroup,
		ClassHeader, ConsumerHeader, HandlerHeader, AttemptsHeader, FirstFailureHeader, FailedAtHeader,
	}
}

// describesFailure says whether a header is about the latest failure, so that the next one replaces it.
func describesFailure(key string) bool {
	return strings.HasPrefix(key, springExceptionPrefix) || strings.HasPrefix(key, ourPrefix) && slices.Contains(ourBlock(), key)
}

// DefaultSuffix is what the name of a topic gets for its dead letters, as in Spring Kafka 3.3 and later.
const DefaultSuffix = "-dlt"

// OlderSuffix is the one of Spring Kafka up to 3.2.
const OlderSuffix = ".DLT"

// sourceOf returns the topic whose dead letters go to this one, when its name is that of a dead-letter topic.
func sourceOf(topic string, suffixes ...string) (string, bool) {
	for _, suffix := range append(suffixes, DefaultSuffix, OlderSuffix) {
		if suffix == "" {
			continue
		}
		if source, ok := strings.CutSuffix(topic, suffix); ok && source != "" {
			return source, true
		}
	}
	return "", false
}
