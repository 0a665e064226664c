package messages

import "encoding/json"

// Body says what there is to show of a value.
type Body string

const (
	// BodyNull is a tombstone.
	BodyNull Body = "null"
	// BodyEmpty is a value of no bytes.
	BodyEmpty Body = "empty"
	// BodyMasked is an event, with what is patient data or not known hidden.
	BodyMasked Body = "masked"
	// BodyHidden is a value that cannot be read, so that nobody knows what is in it.
	BodyHidden Body = "hidden"
	// BodyRevealed is a value that is shown whole: patient data too.
	BodyRevealed Body = "revealed"
)

// ShowBody returns what may be shown of a record's value: of an event of the type its [Masked] form, which is nil for everything else. Without a
// type nothing is known of a value, so it is hidden. contentType is the record's content-type header.
func ShowBody(t Type, value []byte, contentType string) (body Body, event []byte) {
	switch {
	case value == nil:
		return BodyNull, nil
	case len(value) == 0:
		return BodyEmpty, nil
	case t == nil:
		return BodyHidden, nil
	}
	payload, err := Payload(value, contentType)
	if err != nil {
		return BodyHidden, nil
	}
	if masked := Masked(t, payload); masked != nil {
		return BodyMasked, masked
	}
	return BodyHidden, nil
}

// RevealBody is [ShowBody] with nothing hidden: patient data too. What is no event is in raw, as it is.
func RevealBody(t Type, value []byte, contentType string) (body Body, event, raw []byte) {
	switch body, _ = ShowBody(t, value, contentType); body {
	case BodyMasked:
		// It was read a moment ago, to mask it.
		if payload, err := Payload(value, contentType); err == nil && json.Valid(payload) {
			return BodyRevealed, payload, nil
		}
		return BodyRevealed, nil, value
	case BodyHidden:
		return BodyRevealed, nil, value
	}
	return body, nil, nil
}
