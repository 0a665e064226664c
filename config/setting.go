package config

import "strings"

// Kind is how a setting's text is read.
type Kind string

const (
	// KindText is taken as it stands.
	KindText Kind = "text"
	// KindList is a YAML list, or texts separated by commas.
	KindList Kind = "list"
	// KindSwitch is true or false.
	KindSwitch Kind = "true or false"
	// KindCount is a whole number.
	KindCount Kind = "whole number"
	// KindSize is a number of bytes: 4MiB, 64KiB or 4194304.
	KindSize Kind = "size"
	// KindDuration has its unit with it: 500ms, 10s, 2m, 168h, 7d; -1 is for ever where a setting says so.
	KindDuration Kind = "duration"
	// KindNumber is a number with decimals.
	KindNumber Kind = "number"
	// KindSecret is a [Secret]: from the environment, or from the file that the setting with _file behind its name gives.
	KindSecret Kind = "secret"
	// kindFree is any YAML that fits the type of a plugin's field.
	kindFree Kind = "as the plugin has it"
)

// named stands in a path for the name of a consumer or a topic.
const named = "<name>"

// shared is the name under which consumers and topics have what counts for all of them.
const shared = "defaults"

// environmentPrefix is what all our variables begin with.
const environmentPrefix = "MILLRACE_"

// Setting is one row of the registry: all that is known of a setting but its value.
type Setting struct {
	// Path is where it stands in the file, for example kafka.producer.acks; <name> stands for a consumer's or a topic's own name.
	Path string
	Kind Kind
	// Default is the default as the file would have it; empty for none, or when Derived says how it is made.
	Default string
	// Derived says in words what the default is made from.
	Derived string
	// Allowed are the only values that it takes; empty for any.
	Allowed []string
	// Flag is its own flag, without the dashes; empty for none.
	Flag string
	// Kafka and Spring are what it is called there; empty when there is no counterpart.
	Kafka, Spring string
	// Doc is its meaning in one sentence.
	Doc string
	// OneOnly is a setting that makes no sense for all consumers or topics at once, so that defaults does not take it.
	OneOnly bool
	// Outside is a setting that cannot stand in a file.
	Outside bool
}

// Environment is the variable that sets it. <NAME> stands for a consumer's or a topic's name in capitals, with an underscore for every
// other character.
func (s Setting) Environment() string {
	return environmentName(strings.Split(s.Path, "."))
}

// Secret says that its value is never printed.
func (s Setting) Secret() bool { return s.Kind == KindSecret }

func environmentName(parts []string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '<', r == '>':
			return r
		default:
			return '_'
		}
	}, strings.Join(parts, "_"))
	return environmentPrefix + name
}
