package deadletter

import "github.com/prantikov/millrace/record"

// Foreign is the class of a dead letter that another program wrote: it has none of ours.
const Foreign record.Class = "foreign"

// Explanation is what an operator needs to know of a class.
type Explanation struct {
	Class record.Class `json:"class"`
	// Meaning is one sentence that is true of every record of the class. It is the exception message of the dead letter.
	Meaning string `json:"meaning"`
	// Cause is what it usually comes from.
	Cause string `json:"cause"`
	// Remedy is what to do.
	Remedy string `json:"remedy"`
	// Command is the one to begin with.
	Command string `json:"command"`
	// Decoding says that no event came of the record, so that no function saw it. Java listeners see such a dead letter as a
	// DeserializationException.
	Decoding bool `json:"decoding"`
}

// Explain returns what the class means; ok is false for a class that this version does not know.
func Explain(class record.Class) (explanation Explanation, ok bool) {
	for _, explanation := range Explanations() {
		if explanation.Class == class {
			return explanation, true
		}
	}
	return Explanation{Class: class}, false
}

// Explanations returns one explanation per class, in the order of [record.Classes], then that of [Foreign].
func Explanations() []Explanation {
	return append(append(contentClasses(), functionClasses()...), Explanation{
		Class: Foreign, Meaning: "Another program wrote this dead letter.",
		Cause:   "A Spring Kafka listener, Kafka Connect, Kafka Streams, a share group or a Watermill poison queue uses the same dead-letter topic.",
		Remedy:  "Look at its headers for the program's own reason, and handle it with that program.",
		Command: "millrace dlq list --class foreign",
	})
}

// contentClasses are those that the record itself is the reason for.
func contentClasses() []Explanation {
	return []Explanation{
		{
			Class: record.ClassTooLarge, Decoding: true,
			Meaning: "The value or the number of headers is beyond the limits.",
			Cause:   "A producer put a file or a history into one event, or a proxy adds headers on every hop.",
			Remedy:  "Have the producer send a reference instead, or raise limits.value_bytes or limits.headers.",
			Command: "millrace config show",
		},
		{
			Class: record.ClassTypeMismatch, Decoding: true,
			Meaning: "A type header names another event type than the topic's.",
			Cause:   "A producer sends to the wrong topic.",
			Remedy:  "Correct the producer's topic; publish the event to the right one.",
			Command: "millrace routes",
		},
		{
			Class: record.ClassTombstone, Decoding: true,
			Meaning: "The value is null.",
			Cause:   "A Java producer sent a null payload, or somebody deletes entities as on a compacted topic.",
			Remedy:  "Send an event with action deleted, or set topics.<topic>.tombstone to skip.",
			Command: "millrace dlq list --class tombstone",
		},
		{
			Class: record.ClassEmptyValue, Decoding: true,
			Meaning: "The value has no bytes.",
			Cause:   "A script or a test tool sent an empty line.",
			Remedy:  "Find the sender and have it send the event.",
			Command: "millrace dlq list --class empty_value",
		},
		{
			Class: record.ClassMalformed, Decoding: true,
			Meaning: "The value is not one JSON object.",
			Cause:   "It is cut off, has text after the object, repeats a name, is not UTF-8, or is not JSON at all.",
			Remedy:  "Correct the producer's serializer; publish the event again.",
			Command: "millrace dlq show TOPIC/PARTITION/OFFSET",
		},
		{
			Class: record.ClassInvalidValue, Decoding: true,
			Meaning: "A field has a value that does not fit it.",
			Cause:   "A wrong JSON type, an impossible date, NaN or an infinity, or an integer outside Java's int.",
			Remedy:  "The log line of the failure names the field. Correct the producer; publish the event again.",
			Command: "millrace dlq show TOPIC/PARTITION/OFFSET",
		},
		{
			Class: record.ClassMissingField, Decoding: true,
			Meaning: "The event has no id of its entity, or no action.",
			Cause:   "The producer did not set the field, or writes it under another name (names are case-sensitive).",
			Remedy:  "Correct the producer; publish the event again.",
			Command: "millrace dlq show TOPIC/PARTITION/OFFSET",
		},
		{
			Class: record.ClassUnknownAction, Decoding: true,
			Meaning: "The topic's event type does not have this action.",
			Cause:   "A newer producer, or a typing error.",
			Remedy:  "Update Millrace, correct the producer, or set topics.<topic>.unknown_action to skip.",
			Command: "millrace routes",
		},
		{
			Class:   record.ClassUnknownStatus,
			Meaning: "The event does not have this status, visit type or record type.",
			Cause:   "A newer producer, or a typing error. Only the domain consumers ask.",
			Remedy:  "Update Millrace, correct the producer, or set topics.<topic>.unknown_status to skip.",
			Command: "millrace dlq show TOPIC/PARTITION/OFFSET",
		},
		{
			Class:   record.ClassMissingKey,
			Meaning: "The record has no key, and the topic's key rule asks for one.",
			Cause:   "The producer calls send(topic, event) without a key, so the events of one entity have no order.",
			Remedy:  "Have the producer send the entity's id as key, or set topics.<topic>.key to any.",
			Command: "millrace config show",
		},
		{
			Class:   record.ClassKeyMismatch,
			Meaning: "The record's key is another than the one in the event.",
			Cause:   "The producer uses another field as key, or writes the key as JSON with quotes.",
			Remedy:  "Correct the producer, or set topics.<topic>.key to the rule that it follows.",
			Command: "millrace config show",
		},
	}
}

// functionClasses are those of an event that was read and given to a consumer's function.
func functionClasses() []Explanation {
	return []Explanation{
		{
			Class:   record.ClassInvalidTransition,
			Meaning: "The status cannot follow the present one of the entity.",
			Cause:   "Events of one entity arrive in another order than they happened, or an old event was sent again.",
			Remedy:  "Compare with the state of the entity; correct the producer, or set topics.<topic>.transitions to accept.",
			Command: "millrace dlq list --class invalid_transition --key KEY",
		},
		{
			Class:   record.ClassInDoubt,
			Meaning: "A crash left open whether something was sent, and it is not to be sent twice.",
			Cause:   "The process ended between sending a notification and taking note of it (notification.in_doubt: park).",
			Remedy:  "Ask the receiver for the id of the message; redrive the dead letter when it has not come.",
			Command: "millrace dlq redrive TOPIC/PARTITION/OFFSET",
		},
		{
			Class:   record.ClassPermanent,
			Meaning: "The consumer's function said that trying again cannot help.",
			Cause:   "A rule of the consumer refuses the event.",
			Remedy:  "Read the log line of the failure (consumer, topic, partition, offset); correct the event or the rule.",
			Command: "millrace dlq show TOPIC/PARTITION/OFFSET",
		},
		{
			Class:   record.ClassTimeout,
			Meaning: "The last try took longer than the consumer's timeout.",
			Cause:   "Something that the function calls is slow or does not answer.",
			Remedy:  "Look at what it calls; raise consumers.<consumer>.timeout; return router.Unavailable when it is away. Then redrive.",
			Command: "millrace dlq redrive --class timeout",
		},
		{
			Class:   record.ClassPanic,
			Meaning: "The last try panicked.",
			Cause:   "A mistake in the consumer's function.",
			Remedy:  "The log line of the failure has the stack. Correct the function, then redrive.",
			Command: "millrace dlq redrive --class panic",
		},
		{
			Class:   record.ClassFailed,
			Meaning: "All tries of the consumer's function failed.",
			Cause:   "What the function needs was away or refused for longer than the tries last.",
			Remedy:  "Read the log lines of the tries; return router.Unavailable from the function for what will be back. Then redrive.",
			Command: "millrace dlq redrive --class failed",
		},
	}
}
