package cmd

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/prantikov/millrace/messages"
)

// shownBody is what there is to show of a value: an event as JSON in lines of its own, anything else in words, or revealed as it is.
func shownBody(body messages.Body, event json.RawMessage, raw []byte) (string, error) {
	switch body {
	case messages.BodyNull:
		return "  null: a tombstone", nil
	case messages.BodyEmpty:
		return "  empty", nil
	case messages.BodyMasked, messages.BodyRevealed:
		if event == nil {
			return "  " + disarmed(raw), nil
		}
		var text bytes.Buffer
		if err := json.Indent(&text, event, "  ", "  "); err != nil {
			return "", fmt.Errorf("showing the body: %w", err)
		}
		return "  " + disarmed(text.Bytes()), nil
	default:
		return "  hidden: it cannot be read, so nobody knows what of it is patient data", nil
	}
}
