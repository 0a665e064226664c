package record

// Class names why a consumer gave a record up. The list is fixed: docs/dead-letters.md explains every one, and headers, metrics
// and commands use these names.
type Class string

const (
	// ClassEmptyValue is a value of no bytes at all.
	ClassEmptyValue Class = "empty_value"
	// ClassTombstone is a null value, or the JSON text null.
	ClassTombstone Class = "tombstone"
	// ClassMalformed is a value that is not one JSON object: truncated, trailing bytes, a repeated name, invalid UTF-8.
	ClassMalformed Class = "malformed"
	// ClassInvalidValue is JSON whose value does not fit its field: a wrong type, an impossible date, NaN, a number outside Java's int.
	ClassInvalidValue Class = "invalid_value"
	// ClassMissingField is an event without the id of its entity or without its action.
	ClassMissingField Class = "missing_field"
	// ClassTypeMismatch is a type header that names another of our types than the topic's.
	ClassTypeMismatch Class = "type_mismatch"
	// ClassUnknownAction is an action that the topic's type does not have.
	ClassUnknownAction Class = "unknown_action"
	// ClassUnknownStatus is a status, visit type or record type that the event does not have.
	ClassUnknownStatus Class = "unknown_status"
	// ClassMissingKey is a record without a key on a topic whose key rule asks for one.
	ClassMissingKey Class = "missing_key"
	// ClassKeyMismatch is a key that is another than the one in the event.
	ClassKeyMismatch Class = "key_mismatch"
	// ClassTooLarge is a value or a number of headers beyond the limits.
	ClassTooLarge Class = "too_large"
	// ClassInvalidTransition is a status that cannot follow the entity's present one.
	ClassInvalidTransition Class = "invalid_transition"
	// ClassInDoubt is an effect outside of which a crash left open whether it happened, and that nobody wants to happen twice.
	ClassInDoubt Class = "in_doubt"
	// ClassPermanent is an error that the consumer's function called permanent.
	ClassPermanent Class = "permanent"
	// ClassFailed is an error that lasted through all tries.
	ClassFailed Class = "failed"
	// ClassTimeout is a last try that took longer than the consumer's timeout.
	ClassTimeout Class = "timeout"
	// ClassPanic is a last try that panicked.
	ClassPanic Class = "panic"
)

// Classes returns every class, in the order in which a record can meet them.
func Classes() []Class {
	return []Class{
		ClassTooLarge, ClassTypeMismatch, ClassTombstone, ClassEmptyValue, ClassMalformed, ClassInvalidValue, ClassMissingField,
		ClassUnknownAction, ClassUnknownStatus, ClassMissingKey, ClassKeyMismatch, ClassInvalidTransition,
		ClassInDoubt, ClassPermanent, ClassTimeout, ClassPanic, ClassFailed,
	}
}
