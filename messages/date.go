package messages

import (
	"cmp"
	"fmt"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Date is a day of the calendar, without a time or a zone: Java's LocalDate. The zero Date is unset, null in JSON.
//
// In JSON it reads every form that Java services write or read: 2024-12-25; a date-time, whose day it takes, also with a Z;
// [2024,12,25]; the number of days since 1970-01-01; null, "", blanks and [] are null. It refuses days that do not exist and offsets
// from UTC. It writes 2024-12-25.
type Date struct {
	year       int32
	month, day uint8
}

const wantDate = expectation("a date such as 2024-12-25 or [2024,12,25], or null")

// NewDate is the date of a year, month and day. It returns an error when there is no such day.
func NewDate(year int, month time.Month, day int) (Date, error) {
	date, ok := newDate(int64(year), int64(month), int64(day))
	if !ok {
		return Date{}, fmt.Errorf("making a date of year %d, month %d, day %d: there is no such day", year, month, day)
	}
	return date, nil
}

// DateOf is the day that t shows in its own zone.
func DateOf(t time.Time) Date {
	year, month, day := t.Date()
	return Date{year: int32(year), month: uint8(month), day: uint8(day)}
}

// ParseDate reads a date as it stands in a JSON string. The error does not quote the text.
func ParseDate(text string) (Date, error) {
	var date Date
	err := date.parse([]byte(text))
	return date, err
}

// IsSet says whether there is a date.
func (d Date) IsSet() bool { return d.month != 0 }

// Year is the year; 0 when unset.
func (d Date) Year() int { return int(d.year) }

// Month is the month; 0 when unset.
func (d Date) Month() time.Month { return time.Month(d.month) }

// Day is the day of the month; 0 when unset.
func (d Date) Day() int { return int(d.day) }

// In is the beginning of the day in a zone, or the zero time when unset.
func (d Date) In(zone *time.Location) time.Time {
	if !d.IsSet() {
		return time.Time{}
	}
	return time.Date(int(d.year), time.Month(d.month), int(d.day), 0, 0, 0, 0, zone)
}

// Compare is -1, 0 or 1: whether d is before, the same as or after other. Unset is before no other's day but the negative years'.
func (d Date) Compare(other Date) int {
	return cmp.Or(cmp.Compare(d.year, other.year), cmp.Compare(d.month, other.month), cmp.Compare(d.day, other.day))
}

// String is the date in ISO 8601, as Java writes it: a year beyond 9999 has a sign. It is empty when unset.
func (d Date) String() string {
	if !d.IsSet() {
		return ""
	}
	return string(d.append(nil))
}

func (d Date) append(text []byte) []byte {
	switch {
	case d.year > 9999:
		text = fmt.Appendf(text, "+%d", d.year)
	case d.year < 0:
		text = fmt.Appendf(text, "-%04d", -int64(d.year))
	default:
		text = append(text, byte('0'+d.year/1000), byte('0'+d.year/100%10), byte('0'+d.year/10%10), byte('0'+d.year%10))
	}
	return append(text, '-', '0'+d.month/10, '0'+d.month%10, '-', '0'+d.day/10, '0'+d.day%10)
}

// MarshalJSONTo writes the date as a string, or null.
func (d Date) MarshalJSONTo(encoder *jsontext.Encoder) error {
	if !d.IsSet() {
		return encoder.WriteToken(jsontext.Null)
	}
	return encoder.WriteToken(jsontext.String(d.String()))
}

// UnmarshalJSONFrom reads a date in any of its forms.
func (d *Date) UnmarshalJSONFrom(decoder *jsontext.Decoder) error {
	value, err := decoder.ReadValue()
	if err != nil {
		return err
	}
	*d = Date{}
	switch value.Kind() {
	case 'n':
		return nil
	case '"':
		text, err := unquoted(value)
		if err != nil {
			return wantDate
		}
		return d.parse(text)
	case '[':
		var part [3]int64
		count := integers(value, part[:])
		if count == 0 {
			return nil
		}
		if count == 3 {
			return d.set(part[0], part[1], part[2])
		}
	case '0':
		if days, end := integer(value, 0); end == len(value) {
			return d.setEpochDay(days)
		}
	}
	return wantDate
}

// parse reads the text of a JSON string, blanks around it allowed.
func (d *Date) parse(text []byte) error {
	text = trimmed(text)
	*d = Date{}
	if len(text) == 0 {
		return nil
	}
	date, rest, ok := cutDate(text)
	if !ok {
		return wantDate
	}
	if len(rest) > 0 {
		if _, ok := parseTimePart(rest); !ok {
			return wantDate
		}
	}
	*d = date
	return nil
}

func (d *Date) set(year, month, day int64) error {
	date, ok := newDate(year, month, day)
	if !ok {
		return wantDate
	}
	*d = date
	return nil
}

// setEpochDay counts from 1970-01-01, over all years that Java has.
func (d *Date) setEpochDay(days int64) error {
	const maxDays = 366 * maxYear
	if days > maxDays || days < -maxDays {
		return wantDate
	}
	year, month, day := time.Unix(days*86_400, 0).UTC().Date()
	return d.set(int64(year), int64(month), int64(day))
}

func newDate(year, month, day int64) (Date, bool) {
	if year < -maxYear || year > maxYear || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return Date{}, false
	}
	return Date{year: int32(year), month: uint8(month), day: uint8(day)}, true
}

func daysIn(year, month int64) int64 {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	default:
		return 31
	}
}

// cutDate reads the ISO date at the beginning of a text. As in Java, a year has four digits, or a sign and up to nine, and the plus
// stands only before more than four.
func cutDate(text []byte) (date Date, rest []byte, ok bool) {
	at := 0
	if text[0] == '+' || text[0] == '-' {
		at = 1
	}
	year, end := integer(text, at)
	digits := end - at
	if digits < 4 || digits > 10 || text[at] == '-' || (text[0] == '+' && digits == 4) || (at == 0 && digits != 4) {
		return Date{}, nil, false
	}
	if text[0] == '-' {
		if year == 0 {
			return Date{}, nil, false
		}
		year = -year
	}
	month, okMonth := twoDigits(text, end+1)
	day, okDay := twoDigits(text, end+4)
	if !okMonth || !okDay || text[end] != '-' || text[end+3] != '-' {
		return Date{}, nil, false
	}
	date, ok = newDate(year, int64(month), int64(day))
	return date, text[end+6:], ok
}

func trimmed(text []byte) []byte {
	for len(text) > 0 && text[0] <= ' ' {
		text = text[1:]
	}
	for len(text) > 0 && text[len(text)-1] <= ' ' {
		text = text[:len(text)-1]
	}
	return text
}
