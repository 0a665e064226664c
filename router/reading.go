package router

import (
	"errors"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
)

// Reading reads records as the consumers of a type do, for who has no consumer: what it cannot read is what they dead-letter. It is safe for
// concurrent use.
type Reading struct{ handler *handler }

// NewReading reads a type's records; types are all that there are, so that one of another is known for what it is. The limits' zero values are
// the defaults.
func NewReading(declared messages.Type, types []messages.Type, limits Limits) *Reading {
	settings := Settings{Limits: limits}.withDefaults()
	return &Reading{&handler{declared: declared, types: types, limits: settings.Limits}}
}

// Decode returns the event of a record, or the class of what is wrong with it.
func (r *Reading) Decode(from *record.Record) (messages.Decoded, record.Class) {
	decoded, err := r.handler.decode(from)
	if err == nil {
		return decoded, ""
	}
	var content *contentError
	if errors.As(err, &content) {
		return messages.Decoded{}, content.class
	}
	return messages.Decoded{}, record.ClassFailed
}
