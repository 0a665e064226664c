package store

import "strings"

// PostgreSQL's texts cannot have a zero character, and an id in a record can. The escape character stands before it, and before itself.
var (
	escaping   = strings.NewReplacer("\x00", "\x1b0", "\x1b", "\x1b1")
	unescaping = strings.NewReplacer("\x1b0", "\x00", "\x1b1", "\x1b")
)

func escaped(text string) string {
	if strings.IndexByte(text, 0) < 0 && strings.IndexByte(text, '\x1b') < 0 {
		return text
	}
	return escaping.Replace(text)
}

func unescaped(text string) string {
	if strings.IndexByte(text, '\x1b') < 0 {
		return text
	}
	return unescaping.Replace(text)
}

// escapedAll escapes the texts among arguments. It copies them when there is anything to escape.
func escapedAll(arguments []any) []any {
	copied := false
	for i, argument := range arguments {
		text, ok := argument.(string)
		if !ok || escaped(text) == text {
			continue
		}
		if !copied {
			arguments, copied = append([]any(nil), arguments...), true
		}
		arguments[i] = escaped(text)
	}
	return arguments
}
