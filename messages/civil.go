package messages

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// maxYear is the last year that Java's LocalDate has.
const maxYear = 999_999_999

// unquoted is the text of a JSON string without the blanks around it (Java's String.trim). It shares memory with value where it can.
func unquoted(value jsontext.Value) ([]byte, error) {
	text := []byte(value)
	if len(text) < 2 {
		return nil, expectation("text")
	}
	inside := text[1 : len(text)-1]
	for _, c := range inside {
		if c == '\\' {
			decoded, err := jsontext.AppendUnquote(nil, text)
			if err != nil {
				return nil, expectation("text")
			}
			inside = decoded
			break
		}
	}
	for len(inside) > 0 && inside[0] <= ' ' {
		inside = inside[1:]
	}
	for len(inside) > 0 && inside[len(inside)-1] <= ' ' {
		inside = inside[:len(inside)-1]
	}
	return inside, nil
}

// integers reads a JSON array of at most len(into) integers and returns how many there are, or -1 when it is another array.
func integers(array jsontext.Value, into []int64) int {
	count, at := 0, 1
	for {
		at = skipBlanks(array, at)
		if array[at] == ']' {
			return count
		}
		if count > 0 {
			if array[at] != ',' {
				return -1
			}
			at = skipBlanks(array, at+1)
		}
		if count == len(into) {
			return -1
		}
		number, next := integer(array, at)
		if next == at {
			return -1
		}
		into[count], at = number, next
		count++
	}
}

// integer reads the digits at a place and returns the number with the place behind it; the same place when there is none.
func integer(text []byte, at int) (int64, int) {
	start, negative := at, false
	if at < len(text) && text[at] == '-' {
		negative = true
		at++
	}
	number, digits := int64(0), 0
	for at < len(text) && text[at] >= '0' && text[at] <= '9' {
		number = number*10 + int64(text[at]-'0')
		if digits++; digits > 18 {
			return 0, start
		}
		at++
	}
	if digits == 0 {
		return 0, start
	}
	if negative {
		number = -number
	}
	return number, at
}

func skipBlanks(text []byte, at int) int {
	for text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r' {
		at++
	}
	return at
}

// twoDigits reads two digits at a place.
func twoDigits(text []byte, at int) (int, bool) {
	if at+1 >= len(text) || !isDigit(text[at]) || !isDigit(text[at+1]) {
		return 0, false
	}
	return int(text[at]-'0')*10 + int(text[at+1]-'0'), true
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// clock is the time of a day.
type clock struct {
	hour, minute, second uint8
	nanosecond           int32
}

func newClock(hour, minute, second, nanosecond int64) (clock, bool) {
	if hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59 || nanosecond < 0 || nanosecond > 999_999_999 {
		return clock{}, false
	}
	return clock{hour: uint8(hour), minute: uint8(minute), second: uint8(second), nanosecond: int32(nanosecond)}, true
}

// parseClock reads HH:mm, HH:mm:ss or HH:mm:ss with up to nine digits of fraction.
func parseClock(text []byte) (clock, bool) {
	hour, okHour := twoDigits(text, 0)
	minute, okMinute := twoDigits(text, 3)
	if !okHour || !okMinute || text[2] != ':' {
		return clock{}, false
	}
	if len(text) == 5 {
		return newClock(int64(hour), int64(minute), 0, 0)
	}
	second, okSecond := twoDigits(text, 6)
	if !okSecond || text[5] != ':' || len(text) > len("10:30:05.123456789") {
		return clock{}, false
	}
	nanosecond := int64(0)
	if len(text) > 8 {
		if text[8] != '.' {
			return clock{}, false
		}
		unit := int64(100_000_000)
		for _, c := range text[9:] {
			if !isDigit(c) {
				return clock{}, false
			}
			nanosecond += int64(c-'0') * unit
			unit /= 10
		}
	}
	return newClock(int64(hour), int64(minute), int64(second), nanosecond)
}

// append writes HH:mm:ss with the fraction, without its trailing zeros.
func (c clock) append(text []byte) []byte {
	shown := time.Date(2000, time.January, 1, int(c.hour), int(c.minute), int(c.second), int(c.nanosecond), time.UTC)
	return shown.AppendFormat(text, "15:04:05.999999999")
}
