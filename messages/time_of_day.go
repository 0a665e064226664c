package messages

import (
	"github.com/go-json-experiment/json/jsontext"
)

// TimeOfDay is a time as text, HH:mm; seconds are kept when they are not zero. The empty one is unset, null in JSON.
//
// In JSON it also reads what Java writes of a LocalTime, [10,30] and 10:30:00; "", blanks and [] are null. A time that does not
// exist is refused.
type TimeOfDay string

const wantTime = expectation("a time such as 10:30 or [10,30], or null")

// UnmarshalJSONFrom reads a time in any of its forms.
func (t *TimeOfDay) UnmarshalJSONFrom(decoder *jsontext.Decoder) error {
	value, err := decoder.ReadValue()
	if err != nil {
		return err
	}
	*t = ""
	switch value.Kind() {
	case 'n':
		return nil
	case '"':
		text, err := unquoted(value)
		if err != nil {
			return wantTime
		}
		return t.parse(text)
	case '[':
		var part [4]int64
		count := integers(value, part[:])
		if count == 0 {
			return nil
		}
		if at, ok := newClock(part[0], part[1], part[2], part[3]); ok && count >= 2 {
			*t = timeOfDay(at)
			return nil
		}
	}
	return wantTime
}

func (t *TimeOfDay) parse(text []byte) error {
	if len(text) == 0 {
		return nil
	}
	at, ok := parseClock(text)
	if !ok {
		return wantTime
	}
	if len(text) == len("10:30") {
		*t = TimeOfDay(text)
		return nil
	}
	*t = timeOfDay(at)
	return nil
}

// MarshalJSONTo writes the time as a string, or null.
func (t TimeOfDay) MarshalJSONTo(encoder *jsontext.Encoder) error {
	if t == "" {
		return encoder.WriteToken(jsontext.Null)
	}
	if _, ok := parseClock([]byte(t)); !ok {
		return wantTime
	}
	return encoder.WriteToken(jsontext.String(string(t)))
}

func timeOfDay(at clock) TimeOfDay {
	var text [len("10:30:05.123456789")]byte
	shown := at.append(text[:0])
	if at.second == 0 && at.nanosecond == 0 {
		shown = shown[:len("10:30")]
	}
	return TimeOfDay(shown)
}
