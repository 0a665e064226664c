package columns

import (
	"reflect"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/parquet-go/parquet-go"

	"github.com/prantikov/millrace/messages"
)

// kind is how values of a Go type stand in a table.
type kind struct {
	node parquet.Node
	// value is false for what the column cannot hold, such as a year that it does not have.
	value func(any) (parquet.Value, bool)
}

func kindOf(field reflect.Type) kind {
	switch field {
	case reflect.TypeFor[messages.Date]():
		return kind{parquet.Date(), date}
	case reflect.TypeFor[messages.DateTime]():
		return kind{parquet.TimestampAdjusted(parquet.Microsecond, false), dateTime}
	case reflect.TypeFor[messages.TimeOfDay]():
		return kind{parquet.TimeAdjusted(parquet.Microsecond, false), timeOfDay}
	case reflect.TypeFor[messages.Number]():
		return kind{parquet.Leaf(parquet.DoubleType), number}
	case reflect.TypeFor[messages.Integer]():
		return kind{parquet.Int(32), integer}
	}
	switch field.Kind() {
	case reflect.String:
		return kind{parquet.String(), text}
	case reflect.Bool:
		return kind{parquet.Leaf(parquet.BooleanType), boolean}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return kind{parquet.Int(64), whole}
	case reflect.Float32, reflect.Float64:
		return kind{parquet.Leaf(parquet.DoubleType), float}
	}
	return kind{parquet.JSON(), document}
}

// epoch is where Parquet counts from, and first and last are the years that everybody reads.
const firstYear, lastYear = 1, 9999

func date(value any) (parquet.Value, bool) {
	day := value.(messages.Date)
	seconds := day.In(time.UTC).Unix()
	return parquet.Int32Value(int32(seconds / (24 * 60 * 60))), within(day.Year())
}

func dateTime(value any) (parquet.Value, bool) {
	at := value.(messages.DateTime)
	return parquet.Int64Value(at.In(time.UTC).UnixMicro()), within(at.Date().Year())
}

func within(year int) bool { return year >= firstYear && year <= lastYear }

func timeOfDay(value any) (parquet.Value, bool) {
	written := string(value.(messages.TimeOfDay))
	at, err := time.Parse("15:04:05.999999999", written)
	if err != nil {
		at, err = time.Parse("15:04", written)
	}
	midnight := time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, time.UTC)
	return parquet.Int64Value(at.Sub(midnight).Microseconds()), err == nil
}

func number(value any) (parquet.Value, bool) {
	return parquet.DoubleValue(value.(messages.Number).Float64()), true
}

func integer(value any) (parquet.Value, bool) {
	return parquet.Int32Value(int32(value.(messages.Integer))), true
}

func text(value any) (parquet.Value, bool) {
	return parquet.ByteArrayValue([]byte(reflect.ValueOf(value).String())), true
}

func boolean(value any) (parquet.Value, bool) {
	return parquet.BooleanValue(reflect.ValueOf(value).Bool()), true
}

func whole(value any) (parquet.Value, bool) {
	return parquet.Int64Value(reflect.ValueOf(value).Int()), true
}

func float(value any) (parquet.Value, bool) {
	return parquet.DoubleValue(reflect.ValueOf(value).Float()), true
}

// document is what has more than one value, as JSON.
func document(value any) (parquet.Value, bool) {
	written, err := json.Marshal(value, json.Deterministic(true))
	return parquet.ByteArrayValue(written), err == nil
}
