package record

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Timestamp is a record's time as text: RFC 3339 in UTC. A year beyond 9999, as a producer that counts microseconds makes it, has its
// sign before it, as Java writes it; [time.Time] refuses to write such a year in JSON, and a record must not fail for it.
type Timestamp time.Time

// String is the text.
func (t Timestamp) String() string {
	text := time.Time(t).UTC().Format(time.RFC3339Nano)
	if time.Time(t).UTC().Year() > 9999 {
		return "+" + text
	}
	return text
}

// MarshalText implements [encoding.TextMarshaler]. It has no error.
func (t Timestamp) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads what [Timestamp.String] writes, and any other time of RFC 3339. It returns an error that quotes the text.
func (t *Timestamp) UnmarshalText(text []byte) error {
	read, err := time.Parse(time.RFC3339Nano, string(text))
	if err == nil {
		*t = Timestamp(read.UTC())
		return nil
	}
	digits, negative := strings.CutPrefix(strings.TrimPrefix(string(text), "+"), "-")
	yearText, rest, found := strings.Cut(digits, "-")
	year, err := strconv.ParseUint(yearText, 10, 31)
	if !found || err != nil {
		return fmt.Errorf("reading timestamp %q: want RFC 3339", text)
	}
	signed := int(year)
	if negative {
		signed = -signed
	}
	// The calendar repeats after 400 years, so a year that time.Parse knows stands for this one.
	known := 2000 + (signed%400+400)%400
	if read, err = time.Parse(time.RFC3339Nano, strconv.Itoa(known)+"-"+rest); err != nil {
		return fmt.Errorf("reading timestamp %q: want RFC 3339", text)
	}
	*t = Timestamp(read.UTC().AddDate(signed-known, 0, 0))
	return nil
}
