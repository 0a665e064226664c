package messages

import (
	"cmp"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// DateTime is a day and a time of that day, without a zone: Java's LocalDateTime. The zero DateTime is unset, null in JSON.
//
// In JSON it reads 2024-12-25T10:30:05.12, with or without seconds and fraction, also with a lower-case t, and with a Z, which Java
// ignores; [2024,12,25,10,30] with seconds and nanoseconds when they are there; null, "", blanks and [] are null. It refuses a date
// alone, a number, an offset from UTC, and times that do not exist, 24:00 among them. It writes 2024-12-25T10:30:05.12: seconds
// always, the fraction without trailing zeros.
type DateTime struct {
	date  Date
	clock clock
}

const wantDateTime = expectation("a date and time such as 2024-12-25T10:30:00 or [2024,12,25,10,30], without an offset, or null")

// DateTimeOf is the day and time that t shows in its own zone.
func DateTimeOf(t time.Time) DateTime {
	return DateTime{
		date:  DateOf(t),
		clock: clock{hour: uint8(t.Hour()), minute: uint8(t.Minute()), second: uint8(t.Second()), nanosecond: int32(t.Nanosecond())},
	}
}

// ParseDateTime reads a date-time as it stands in a JSON string. The error does not quote the text.
func ParseDateTime(text string) (DateTime, error) {
	var result DateTime
	err := result.parse([]byte(text))
	return result, err
}

// IsSet says whether there is a date-time.
func (d DateTime) IsSet() bool { return d.date.IsSet() }

// Date is the day.
func (d DateTime) Date() Date { return d.date }

// In is the moment at which a clock in the zone shows this, or the zero time when unset.
func (d DateTime) In(zone *time.Location) time.Time {
	if !d.IsSet() {
		return time.Time{}
	}
	return time.Date(int(d.date.year), time.Month(d.date.month), int(d.date.day),
		int(d.clock.hour), int(d.clock.minute), int(d.clock.second), int(d.clock.nanosecond), zone)
}

// Compare is -1, 0 or 1: whether d is before, the same as or after other.
func (d DateTime) Compare(other DateTime) int {
	return cmp.Or(
		d.date.Compare(other.date),
		cmp.Compare(d.clock.hour, other.clock.hour),
		cmp.Compare(d.clock.minute, other.clock.minute),
		cmp.Compare(d.clock.second, other.clock.second),
		cmp.Compare(d.clock.nanosecond, other.clock.nanosecond),
	)
}

// String is the date-time in ISO 8601, as Jackson writes it. It is empty when unset.
func (d DateTime) String() string {
	if !d.IsSet() {
		return ""
	}
	return string(d.clock.append(append(d.date.append(nil), 'T')))
}

// MarshalJSONTo writes the date-time as a string, or null.
func (d DateTime) MarshalJSONTo(encoder *jsontext.Encoder) error {
	if !d.IsSet() {
		return encoder.WriteToken(jsontext.Null)
	}
	return encoder.WriteToken(jsontext.String(d.String()))
}

// UnmarshalJSONFrom reads a date-time in any of its forms.
func (d *DateTime) UnmarshalJSONFrom(decoder *jsontext.Decoder) error {
	value, err := decoder.ReadValue()
	if err != nil {
		return err
	}
	*d = DateTime{}
	switch value.Kind() {
	case 'n':
		return nil
	case '"':
		text, err := unquoted(value)
		if err != nil {
			return wantDateTime
		}
		return d.parse(text)
	case '[':
		var part [7]int64
		count := integers(value, part[:])
		if count == 0 {
			return nil
		}
		if count >= 5 {
			return d.set(part)
		}
	}
	return wantDateTime
}

// parse reads the text of a JSON string, blanks around it allowed.
func (d *DateTime) parse(text []byte) error {
	text = trimmed(text)
	*d = DateTime{}
	if len(text) == 0 {
		return nil
	}
	date, rest, ok := cutDate(text)
	if !ok {
		return wantDateTime
	}
	at, ok := parseTimePart(rest)
	if !ok {
		return wantDateTime
	}
	*d = DateTime{date: date, clock: at}
	return nil
}

func (d *DateTime) set(part [7]int64) error {
	date, okDate := newDate(part[0], part[1], part[2])
	at, okTime := newClock(part[3], part[4], part[5], part[6])
	if !okDate || !okTime {
		return wantDateTime
	}
	*d = DateTime{date: date, clock: at}
	return nil
}

// parseTimePart reads what follows the date: T, the time, and perhaps a Z.
func parseTimePart(text []byte) (clock, bool) {
	if len(text) == 0 || (text[0] != 'T' && text[0] != 't') {
		return clock{}, false
	}
	text = text[1:]
	if len(text) > 0 && text[len(text)-1] == 'Z' {
		text = text[:len(text)-1]
	}
	return parseClock(text)
}
