package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

// unreadable says why a text is no value of its kind, and what would be.
type unreadable struct{ reason, advice string }

func (u *unreadable) Error() string { return u.reason + "; " + u.advice }

// read turns what a file, a variable or a flag has into a value: string, []string, bool, int, time.Duration or float64, by kind.
func (k Kind) read(raw any) (any, *unreadable) {
	if unread, ok := raw.(*springUnread); ok {
		return nil, unread.wrong
	}
	if k == KindList {
		return readList(raw)
	}
	text, ok := raw.(string)
	if !ok {
		return nil, wrongShape(raw, "one value")
	}
	if k == KindText || k == KindSecret {
		return text, nil
	}
	text = strings.TrimSpace(text)
	switch k {
	case KindSwitch:
		value, err := strconv.ParseBool(text)
		return value, orElse(err != nil, "it is neither true nor false", "write true or false")
	case KindCount:
		value, err := strconv.Atoi(text)
		return value, orElse(err != nil, "it is not a whole number", "write one, for example 3")
	case KindNumber:
		value, err := strconv.ParseFloat(text, 64)
		return value, orElse(err != nil || math.IsNaN(value) || math.IsInf(value, 0), "it is not a number", "write one, for example 0.2")
	case KindSize:
		return readSize(text)
	default:
		return readDuration(text)
	}
}

func orElse(wrong bool, reason, advice string) *unreadable {
	if wrong {
		return &unreadable{reason, advice}
	}
	return nil
}

func wrongShape(raw any, want string) *unreadable {
	switch raw.(type) {
	case nil:
		return &unreadable{"it has no value", "give it one or remove the line"}
	case []any:
		return &unreadable{"it is a list", "write " + want}
	default:
		return &unreadable{"it is a section", "write " + want}
	}
}

func readList(raw any) (any, *unreadable) {
	var items []string
	switch value := raw.(type) {
	case string:
		if strings.TrimSpace(value) == "" {
			return []string{}, nil
		}
		items = strings.Split(value, ",")
	case []any:
		for _, item := range value {
			text, ok := item.(string)
			if !ok {
				return nil, &unreadable{"it has an entry that is not a plain text", "write one text per entry"}
			}
			items = append(items, text)
		}
	default:
		return nil, wrongShape(raw, "a list")
	}
	list := make([]string, 0, len(items))
	for _, item := range items {
		item = strings.TrimSpace(item)
		if item == "" {
			return nil, &unreadable{"it has an empty entry", "remove the comma or the line too many"}
		}
		list = append(list, item)
	}
	return list, nil
}

func readSize(text string) (any, *unreadable) {
	size, err := humanize.ParseBytes(text)
	if err != nil {
		return nil, &unreadable{"it is not a size", "write bytes or a unit, for example 4MiB"}
	}
	// Kafka's own sizes are 32-bit numbers.
	if size > math.MaxInt32 {
		return nil, &unreadable{"it is more than 2 GiB", "write less"}
	}
	return int(size), nil
}

// maxDays keeps days from overflowing a duration; it is more than a hundred years.
const maxDays = 40_000

func readDuration(text string) (any, *unreadable) {
	if text == "-1" {
		return time.Duration(-1), nil
	}
	if _, err := strconv.ParseFloat(text, 64); err == nil && strings.Trim(text, "0") != "" {
		return nil, &unreadable{"it has no unit", fmt.Sprintf("write %sms or %ss", text, text)}
	}
	wrong := &unreadable{"it is not a duration", "write one with its unit, for example 500ms, 10s, 2m, 24h or 7d"}
	var whole time.Duration
	if days, rest, found := strings.Cut(text, "d"); found {
		count, err := strconv.ParseUint(days, 10, 32)
		if err != nil || count > maxDays {
			return nil, wrong
		}
		whole = time.Duration(count) * 24 * time.Hour
		if rest == "" {
			return whole, nil
		}
		text = rest
	}
	part, err := time.ParseDuration(text)
	if err != nil || (whole > 0 && (part < 0 || part > 24*time.Hour)) {
		return nil, wrong
	}
	return whole + part, nil
}

// format writes a value as the file would have it; read gives the same value back.
func (k Kind) format(value any) string {
	switch value := value.(type) {
	case nil:
		return ""
	case []string:
		return strings.Join(value, ",")
	case time.Duration:
		return formatDuration(value)
	case float64:
		return strconv.FormatFloat(value, 'g', -1, 64)
	case int:
		if k == KindSize {
			return formatSize(value)
		}
		return strconv.Itoa(value)
	default:
		return fmt.Sprint(value)
	}
}

func formatDuration(value time.Duration) string {
	if value == -1 {
		return "-1"
	}
	text := value.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func formatSize(value int) string {
	for _, unit := range []struct {
		bytes int
		name  string
	}{{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if value >= unit.bytes && value%unit.bytes == 0 {
			return strconv.Itoa(value/unit.bytes) + unit.name
		}
	}
	return strconv.Itoa(value)
}
