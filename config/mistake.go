package config

import (
	"errors"
	"strconv"
	"strings"
)

// Mistake is one thing that is wrong with the configuration: one sentence that names the setting, its value, where it came from, what is
// wrong with it and what to do. It never has the value of a secret.
type Mistake struct {
	// Path is the setting, the unknown key, or the unknown variable.
	Path string
	// Value is the value as it is printed; empty when none is.
	Value string
	// Origin is where the value came from; empty when that is unknown.
	Origin string
	// Reason is what is wrong, Advice what to do.
	Reason, Advice string

	// related are the other settings that the reason speaks of.
	related []string
	// unused says that nothing is wrong with the value but that nothing looks at it.
	unused bool
	// property is what Spring calls the value that is wrong; empty for one of ours.
	property string
}

// Error is the sentence.
func (m *Mistake) Error() string {
	var text strings.Builder
	text.WriteString(m.Path)
	if m.Value != "" {
		text.WriteString(" is " + m.Value)
	}
	if m.Origin != "" {
		text.WriteString(" (" + m.Origin + ")")
	}
	text.WriteString(": " + m.Reason + "; " + m.Advice)
	return text.String()
}

// join returns all mistakes as one error, nil for none.
func join(mistakes []*Mistake) error {
	all := make([]error, len(mistakes))
	for i, mistake := range mistakes {
		all[i] = mistake
	}
	return errors.Join(all...)
}

// shownLength bounds how much of a wrong value a sentence repeats.
const shownLength = 200

func quoted(value string) string {
	if len(value) > shownLength {
		value = value[:shownLength] + "…"
	}
	return strconv.Quote(value)
}
