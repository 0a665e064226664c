package messages

import (
	"math"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Number is a finite number that keeps the text it was written with, so that money is never rounded. The zero Number is unset, null
// in JSON.
//
// In JSON it also reads a number in quotes; "" and blanks are null. NaN, infinities and what is too large for a Java double are refused.
type Number struct{ text string }

const wantNumber = expectation("a finite number or null")

// ParseNumber reads a JSON number and keeps its text. It returns an error that does not quote the text when that is not a JSON
// number or beyond the finite doubles.
func ParseNumber(text string) (Number, error) {
	raw := jsontext.Value(text)
	if len(text) == 0 || raw.Kind() != '0' || !raw.IsValid() || strings.TrimSpace(text) != text {
		return Number{}, wantNumber
	}
	return finite(raw)
}

// NumberOf is the Number with the text that Java's Double.toString gives the value: 100.0, 1.0E7. NaN and infinities become a
// Number that [Encode] refuses.
func NumberOf(value float64) Number {
	magnitude := math.Abs(value)
	if magnitude == 0 || (magnitude >= 1e-3 && magnitude < 1e7) {
		text := strconv.FormatFloat(value, 'f', -1, 64)
		if !strings.Contains(text, ".") {
			text += ".0"
		}
		return Number{text: text}
	}
	mantissa, exponent, hasExponent := strings.Cut(strconv.FormatFloat(value, 'E', -1, 64), "E")
	if !hasExponent {
		return Number{text: mantissa} // NaN, +Inf or -Inf
	}
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	sign := ""
	if exponent[0] == '-' {
		sign = "-"
	}
	return Number{text: mantissa + "E" + sign + strings.TrimLeft(exponent, "+-0")}
}

// String is the text of the number as it was written; empty when unset.
func (n Number) String() string { return n.text }

// Float64 is the nearest double; 0 when unset.
func (n Number) Float64() float64 {
	value, err := strconv.ParseFloat(n.text, 64)
	if err != nil {
		return 0
	}
	return value
}

// IsSet says whether there is a number.
func (n Number) IsSet() bool { return n.text != "" }

// UnmarshalJSONFrom reads a number, a number in quotes, or null.
func (n *Number) UnmarshalJSONFrom(decoder *jsontext.Decoder) error {
	value, err := decoder.ReadValue()
	if err != nil {
		return err
	}
	digits, err := unquotedNumber(value, wantNumber)
	if err != nil || digits == nil {
		*n = Number{}
		return err
	}
	*n, err = finite(digits)
	return err
}

// MarshalJSONTo writes the number as it was read, or null.
func (n Number) MarshalJSONTo(encoder *jsontext.Encoder) error {
	if n.text == "" {
		return encoder.WriteToken(jsontext.Null)
	}
	if checked, err := ParseNumber(n.text); err != nil || !checked.IsSet() {
		return wantNumber
	}
	return encoder.WriteValue(jsontext.Value(n.text))
}

// finite makes a Number of what is known to be a JSON number.
func finite(digits jsontext.Value) (Number, error) {
	text := string(digits)
	// Only an exponent or some 300 digits can reach infinity; ordinary prices are spared the arithmetic.
	if len(text) > 300 || strings.ContainsAny(text, "eE") {
		if _, err := strconv.ParseFloat(text, 64); err != nil {
			return Number{}, wantNumber
		}
	}
	return Number{text: text}, nil
}

// unquotedNumber returns the text of a JSON number, in quotes or not; nil for null, "" and blanks; else the error.
func unquotedNumber(value jsontext.Value, want expectation) (jsontext.Value, error) {
	switch value.Kind() {
	case '0':
		return value, nil
	case 'n':
		return nil, nil
	case '"':
		inside, err := unquoted(value)
		if err != nil {
			return nil, want
		}
		if len(inside) == 0 {
			return nil, nil
		}
		if number := jsontext.Value(inside); number.Kind() == '0' && number.IsValid() {
			return number, nil
		}
	}
	return nil, want
}

// Integer is a number that fits Java's int. Unset and 0 are the same: it is always written as a number.
//
// In JSON it also reads a number in quotes and 3.0; null, "" and blanks are 0. A fraction and what does not fit are refused.
type Integer int32

const wantInteger = expectation("a whole number between -2147483648 and 2147483647, or null")

// UnmarshalJSONFrom reads an integer, an integer in quotes, or null.
func (i *Integer) UnmarshalJSONFrom(decoder *jsontext.Decoder) error {
	value, err := decoder.ReadValue()
	if err != nil {
		return err
	}
	digits, err := unquotedNumber(value, wantInteger)
	if err != nil || digits == nil {
		*i = 0
		return err
	}
	whole, ok := wholeNumber(string(digits))
	if !ok {
		return wantInteger
	}
	*i = Integer(whole)
	return nil
}

// wholeNumber reads a JSON number that is whole, however it is written: 3, 3.0, 0.3e1.
func wholeNumber(text string) (int32, bool) {
	if whole, err := strconv.ParseInt(text, 10, 32); err == nil {
		return int32(whole), true
	}
	mantissa, exponentText, hasExponent := strings.Cut(strings.ToLower(text), "e")
	exponent := 0
	if hasExponent {
		var err error
		if exponent, err = strconv.Atoi(exponentText); err != nil || exponent > 400 || exponent < -400 {
			return 0, false
		}
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimPrefix(whole, "-") + fraction
	point := len(digits) - len(fraction) + exponent
	digits += strings.Repeat("0", max(0, point-len(digits)))
	point = max(0, point)
	if strings.Trim(digits[point:], "0") != "" {
		return 0, false
	}
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign = "-"
	}
	result, err := strconv.ParseInt(sign+"0"+digits[:point], 10, 32)
	return int32(result), err == nil
}
