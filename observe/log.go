package observe

import (
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/lmittmann/tint"
)

const (
	// fieldLimit bounds one field of a line, in bytes: an outside value may be as long as a record.
	fieldLimit = 2 << 10
	// stackLimit is the bound of the field "stack", which is ours.
	stackLimit = 16 << 10
)

// Logger returns a logger that writes to w what is at least as grave as level: debug, info, warn or error, empty for info. Format is json,
// text (a coloured line on a terminal, a plain one elsewhere) or auto, which empty means too: text on a terminal, JSON elsewhere.
//
// A value that came from outside cannot forge a line, steer a terminal or fill a disk: control characters are replaced or escaped, a field
// ends after 2 KiB (a stack after 16 KiB), and of a slice of bytes only the length is written. It returns an error that names log.level
// or log.format when one is unknown.
func Logger(w io.Writer, level, format string, terminal bool) (*slog.Logger, error) {
	lowest, err := parseLevel(level)
	if err != nil {
		return nil, err
	}
	text := terminal
	switch format {
	case "", "auto":
	case "text":
		text = true
	case "json":
		text = false
	default:
		return nil, fmt.Errorf("reading log.format: %q is not auto, text or json", format)
	}
	if text {
		return slog.New(tint.NewTextHandler(w, &tint.Options{
			Level: lowest, TimeFormat: "15:04:05.000", NoColor: !terminal, ReplaceAttr: cleanTextField,
		})), nil
	}
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: lowest, ReplaceAttr: cleanField})), nil
}

func parseLevel(level string) (slog.Level, error) {
	switch level {
	case "debug":
		return slog.LevelDebug, nil
	case "", "info":
		return slog.LevelInfo, nil
	case "warn":
		return slog.LevelWarn, nil
	case "error":
		return slog.LevelError, nil
	default:
		return 0, fmt.Errorf("reading log.level: %q is not debug, info, warn or error", level)
	}
}

// cleanTextField is cleanField for tint, which turns the four characters \x1b of a value that it quoted into a real escape.
func cleanTextField(groups []string, field slog.Attr) slog.Attr {
	field = cleanField(groups, field)
	if field.Value.Kind() == slog.KindString {
		field.Value = slog.StringValue(strings.ReplaceAll(field.Value.String(), `\x1b`, `\x1B`))
	}
	return field
}

// cleanField bounds and disarms one field, the message included. Handlers call it with resolved values.
func cleanField(groups []string, field slog.Attr) slog.Attr {
	limit := fieldLimit
	if field.Key == "stack" {
		limit = stackLimit
	}
	switch field.Value.Kind() {
	case slog.KindString:
		field.Value = slog.StringValue(cleanText(field.Value.String(), limit))
	case slog.KindDuration:
		// A JSON line would have bare nanoseconds.
		field.Value = slog.StringValue(field.Value.Duration().String())
	case slog.KindAny:
		field.Value = cleanAny(field.Value, limit)
	}
	if len(groups) == 0 && field.Key == slog.MessageKey && field.Value.Kind() == slog.KindString {
		// tint writes the message as it is, so that its line breaks would be real ones.
		field.Value = slog.StringValue(strings.Join(strings.Fields(field.Value.String()), " "))
	}
	return field
}

func cleanAny(value slog.Value, limit int) slog.Value {
	switch outside := value.Any().(type) {
	case nil, slog.Level, *slog.Source:
		return value
	default:
		// Bytes are a record's, whatever their type is called.
		if kind := reflect.ValueOf(outside); kind.Kind() == reflect.Slice && kind.Type().Elem().Kind() == reflect.Uint8 {
			return slog.StringValue(fmt.Sprintf("%d bytes", kind.Len()))
		}
		// fmt survives a String or Error method that panics.
		return slog.StringValue(cleanText(fmt.Sprint(outside), limit))
	}
}

// cleanText cuts text to limit bytes and replaces what could steer a terminal or hide text from its reader. Line breaks and tabs stay:
// both handlers escape them in values.
func cleanText(text string, limit int) string {
	whole := len(text)
	cut := whole > limit
	if cut {
		end := limit
		for end > 0 && !utf8.RuneStart(text[end]) {
			end--
		}
		text = text[:end]
	}
	if strings.ContainsFunc(text, steers) {
		text = strings.Map(func(r rune) rune {
			if steers(r) {
				return '?'
			}
			return r
		}, text)
	}
	if cut {
		text += fmt.Sprintf("… (%d bytes)", whole)
	}
	return text
}

// steers says whether a character changes how others are shown: controls, formats such as right-to-left override, and line separators
// beyond ASCII. Bytes that are not UTF-8 count too, for tint ends a text at the first of them.
func steers(r rune) bool {
	switch r {
	case '\n', '\r', '\t':
		return false
	case utf8.RuneError:
		return true
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}
