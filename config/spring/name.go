package spring

import (
	"strconv"
	"strings"
)

// Uniform is a property's name in the one form in which all ways to write it are equal: small letters, without hyphens and underscores,
// with a dot where a bracket opens. bootstrapServers, bootstrap_servers and BOOTSTRAP-SERVERS are one name, and so are
// properties[sasl.mechanism] and properties.sasl.mechanism.
func Uniform(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '-' || r == '_' || r == ']':
			return -1
		case r == '[':
			return '.'
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		default:
			return r
		}
	}, strings.TrimSpace(name))
}

// index takes the number of an entry off a list's name: servers[1] is the second of servers. Without a number it is -1.
func index(name string) (string, int) {
	open := strings.LastIndexByte(name, '[')
	if open < 0 || !strings.HasSuffix(name, "]") {
		return name, -1
	}
	number, err := strconv.ParseUint(name[open+1:len(name)-1], 10, 16)
	if err != nil {
		return name, -1
	}
	return name[:open], int(number)
}

// squashed is a name as a variable has it, where nobody can tell a dot from a hyphen any more.
func squashed(name string) string {
	return strings.NewReplacer(".", "", "-", "", "_", "").Replace(strings.ToLower(name))
}
