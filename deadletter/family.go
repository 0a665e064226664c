package deadletter

import "strings"

// Family is whose headers a dead letter has.
type Family string

const (
	// FamilyNone is a record on a dead-letter topic without headers that we know, put there by hand for example.
	FamilyNone Family = "none"
	// FamilyMillrace is ours: Spring's headers followed by our own.
	FamilyMillrace Family = "millrace"
	// FamilySpring is Spring Kafka's DeadLetterPublishingRecoverer.
	FamilySpring Family = "spring"
	// FamilySpringRetry is Spring Kafka's retry topics (@RetryableTopic).
	FamilySpringRetry Family = "spring-retry"
	// FamilyConnect is Kafka Connect's dead-letter queue.
	FamilyConnect Family = "connect"
	// FamilyStreams is Kafka Streams' (KIP-1034).
	FamilyStreams Family = "streams"
	// FamilyShareGroup is that of Kafka's share groups (KIP-1191).
	FamilyShareGroup Family = "share-group"
	// FamilyWatermill is Watermill's PoisonQueue.
	FamilyWatermill Family = "watermill"
)

// familyOf says whose header this is; ok is false for one that says nothing of a dead letter.
func familyOf(key string) (family Family, ok bool) {
	switch key {
	case "reason_poisoned", "topic_poisoned", "handler_poisoned", "subscriber_poisoned":
		return FamilyWatermill, true
	}
	for _, known := range [...]struct {
		prefix string
		family Family
	}{
		{springPrefix, FamilySpring},
		{"kafka_original-", FamilySpringRetry},
		{"kafka_exception-", FamilySpringRetry},
		{"retry_topic-", FamilySpringRetry},
		{"__connect.errors.", FamilyConnect},
		{"__streams.errors.", FamilyStreams},
		{"__dlq.errors.", FamilyShareGroup},
	} {
		if strings.HasPrefix(key, known.prefix) {
			return known.family, true
		}
	}
	return FamilyNone, false
}
