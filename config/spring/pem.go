package spring

import (
	"regexp"
	"strings"
)

// IsPEM says that a text is a certificate or a key itself, not the name of a file.
func IsPEM(text string) bool { return strings.HasPrefix(strings.TrimSpace(text), "-----BEGIN ") }

// PEM writes certificates and keys with the lines that PEM has. In a properties file they stand in one line, with spaces or with nothing where
// the lines ended, and Kafka's clients take that.
func PEM(text string) string {
	block := regexp.MustCompile(`-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\s]*)-----END ([A-Z0-9 ]+)-----`)
	var out strings.Builder
	for _, parts := range block.FindAllStringSubmatch(text, -1) {
		out.WriteString("-----BEGIN " + parts[1] + "-----\n")
		body := strings.Join(strings.Fields(parts[2]), "")
		for len(body) > 64 {
			out.WriteString(body[:64] + "\n")
			body = body[64:]
		}
		out.WriteString(body + "\n-----END " + parts[3] + "-----\n")
	}
	if out.Len() == 0 {
		return text
	}
	return out.String()
}
