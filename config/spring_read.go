package config

import (
	"strconv"
	"strings"

	"github.com/prantikov/millrace/config/spring"
)

// springText takes a text as it stands.
func springText(text string, _ spring.Property) springValue { return springValue{value: text} }

// springUpper takes a word of Kafka's that is written in capitals.
func springUpper(text string, _ spring.Property) springValue {
	return springValue{value: strings.ToUpper(strings.TrimSpace(text))}
}

// springLower takes a word of Kafka's that is written small; Spring also writes READ_COMMITTED and read-committed.
func springLower(text string, _ spring.Property) springValue {
	return springValue{value: strings.ReplaceAll(strings.ToLower(strings.TrimSpace(text)), "-", "_")}
}

// springAcks takes all, which Kafka also calls -1.
func springAcks(text string, _ spring.Property) springValue {
	if text = strings.ToLower(strings.TrimSpace(text)); text == "-1" {
		text = "all"
	}
	return springValue{value: text}
}

// springDuration takes a duration in Spring's notation.
func springDuration(text string, _ spring.Property) springValue {
	if strings.TrimSpace(text) == "-1" {
		return springValue{value: "-1"}
	}
	value, err := spring.Duration(text)
	if err != nil {
		return springValue{wrong: &unreadable{err.Error(), "write for example 500ms, 10s or PT10S; a number alone is in milliseconds"}}
	}
	return springValue{value: formatDuration(value)}
}

// springMilliseconds takes a number of milliseconds, as Kafka's own names have it.
func springMilliseconds(text string, _ spring.Property) springValue {
	text = strings.TrimSpace(text)
	number, err := strconv.ParseInt(text, 10, 53)
	if err != nil {
		return springValue{wrong: &unreadable{"it is not a number of milliseconds", "write one, for example 500"}}
	}
	if number == -1 {
		return springValue{value: "-1"}
	}
	return springValue{value: strconv.FormatInt(number, 10) + "ms"}
}

// springSize takes a number of bytes in Spring's notation, in which KB is 1,024.
func springSize(text string, _ spring.Property) springValue {
	size, err := spring.Size(text)
	if err != nil {
		return springValue{wrong: &unreadable{err.Error(), "write bytes, for example 16384, or 16KB"}}
	}
	return springValue{value: strconv.FormatInt(size, 10)}
}

// springSwitch takes true, on, yes and 1, and their opposites.
func springSwitch(text string, _ spring.Property) springValue {
	value, err := spring.Switch(text)
	if err != nil {
		return springValue{wrong: &unreadable{err.Error(), "write true or false"}}
	}
	return springValue{value: strconv.FormatBool(value)}
}

// springResource takes the path of a file:, classpath: or plain resource.
func springResource(text string, at spring.Property) springValue {
	return springValue{value: spring.Resource(text, at.File)}
}

// springReset takes where a group without a position begins.
func springReset(text string, _ spring.Property) springValue {
	switch word := strings.ToLower(strings.TrimSpace(text)); {
	case word == "earliest", word == "latest":
		return springValue{value: word}
	case word == "none":
		return springValue{value: "earliest", instead: "Millrace does not stop for a group without a position, and earliest leaves nothing out"}
	case strings.HasPrefix(word, "by_duration:"):
		return springValue{value: "earliest", instead: "Millrace begins at a fixed time or at an end of the log, and earliest leaves nothing out"}
	default:
		return springValue{wrong: &unreadable{"it is no place to start", "write earliest, latest or none"}}
	}
}

// springLevel takes a level of Spring's log.
func springLevel(text string, _ spring.Property) springValue {
	level := strings.ToLower(strings.TrimSpace(text))
	switch level {
	case "debug", "info", "warn", "error":
		return springValue{value: level}
	case "trace":
		return springValue{value: "debug", instead: "debug is the most that there is"}
	case "fatal", "off", "false":
		return springValue{value: "error", instead: "errors are always written"}
	default:
		return springValue{wrong: &unreadable{"it is not a level of the log", "write debug, info, warn or error"}}
	}
}

// springAssignor takes the classes that say how partitions change hands.
func springAssignor(text string, _ spring.Property) springValue {
	cooperative, eager, other := false, false, false
	for class := range strings.SplitSeq(text, ",") {
		switch name := last(strings.TrimSpace(class)); name {
		case "CooperativeStickyAssignor":
			cooperative = true
		case "RangeAssignor", "RoundRobinAssignor", "StickyAssignor":
			eager = true
		default:
			other = true
		}
	}
	switch {
	case other:
		return springValue{value: "eager", instead: "Millrace has no assignor but Kafka's own"}
	case cooperative && eager:
		return springValue{value: "migrate"}
	case cooperative:
		return springValue{value: "cooperative"}
	default:
		return springValue{value: "eager"}
	}
}

// springGroup makes the group of one consumer from the one that Spring has for all.
func springGroup(consumer string) springReader {
	return func(text string, _ spring.Property) springValue {
		return springValue{value: strings.TrimSpace(text) + "-" + consumer}
	}
}

// springLogin takes an option of a JAAS configuration, under one of several names, when it is of this login module.
func springLogin(module string, options ...string) springReader {
	return func(text string, _ spring.Property) springValue {
		login, err := spring.ParseLogin(text)
		switch {
		case err != nil:
			return springValue{wrong: &unreadable{"it is not a JAAS configuration: " + err.Error(),
				`write org.apache.kafka.common.security.scram.ScramLoginModule required username="…" password="…";`}}
		case (login.Module == tokenModule) != (module == tokenModule):
			return springValue{}
		}
		for _, option := range options {
			if value, found := login.Options[option]; found {
				return springValue{value: value}
			}
		}
		return springValue{}
	}
}

// springTokenFile and springTokenURL divide what Kafka has in one: a token's file, or where it is fetched.
func springTokenFile(text string, at spring.Property) springValue {
	if !strings.HasPrefix(text, "file:") {
		return springValue{}
	}
	return springResource(text, at)
}

func springTokenURL(text string, _ spring.Property) springValue {
	if strings.HasPrefix(text, "file:") {
		return springValue{}
	}
	return springValue{value: text}
}
