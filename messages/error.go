package messages

import "strings"

// The classes of [Error]: names that stand in the fixed list of dead-letter classes.
const (
	classTombstone     = "tombstone"
	classEmptyValue    = "empty_value"
	classMalformed     = "malformed"
	classInvalidValue  = "invalid_value"
	classMissingField  = "missing_field"
	classUnknownAction = "unknown_action"
	classUnknownStatus = "unknown_status"
)

// Error says why an event was refused. Its text names fields of the contract and what they take, never anything of the payload.
type Error struct {
	// Class is the dead-letter class: tombstone, empty_value, malformed, invalid_value, missing_field, unknown_action or, from Check
	// and Encode alone, unknown_status.
	Class string
	// Type is the event type's name; empty when it was not known yet.
	Type string
	// Field is the JSON name of the field, as in items[0].price; empty when it is not about one field of the contract.
	Field string
	// Reason is what was expected.
	Reason string

	tried string
}

// Error is the text: what was tried, for which field, and what was expected.
func (e *Error) Error() string {
	parts := make([]string, 0, 3)
	parts = append(parts, strings.TrimSpace(e.tried+" "+e.Type))
	if e.Field != "" {
		parts = append(parts, e.Field)
	}
	return strings.Join(append(parts, e.Reason), ": ")
}

// expectation is what a field takes: the error of its unmarshaler.
type expectation string

func (e expectation) Error() string { return "want " + string(e) }
