package record_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/prantikov/millrace/record"
)

func TestTimestampIsRFC3339(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		at   time.Time
		want string
	}{
		{"milliseconds", time.UnixMilli(1_735_122_600_123), "2024-12-25T10:30:00.123Z"},
		{"a whole second has no fraction", time.UnixMilli(1_735_122_600_000), "2024-12-25T10:30:00Z"},
		{"another zone is brought to UTC", time.Date(2024, 12, 25, 1, 0, 0, 0, time.FixedZone("", 2*60*60)), "2024-12-24T23:00:00Z"},
		{"a record without a timestamp", time.Time{}, "0001-01-01T00:00:00Z"},
		{"before 1970", time.UnixMilli(-1), "1969-12-31T23:59:59.999Z"},
		{"microseconds that were meant as milliseconds", time.UnixMilli(1_735_122_600_123_456), "+56953-11-05T12:02:03.456Z"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := record.Timestamp(test.at).String(); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestTimestampRoundTripsThroughJSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := time.UnixMilli(rapid.OneOf(
			rapid.Int64Range(-1<<53, 1<<53), rapid.Int64Range(0, 1<<41), rapid.Int64Range(-62_200_000_000_000, -62_100_000_000_000),
		).Draw(t, "milliseconds")).UTC()
		text, err := json.Marshal(record.Timestamp(want))
		if err != nil {
			t.Fatal(err)
		}
		var got record.Timestamp
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatalf("reading %s: %v", text, err)
		}
		if !time.Time(got).Equal(want) {
			t.Errorf("got %s, want %s", got, record.Timestamp(want))
		}
	})
}

func TestWhatIsNoTimestampIsRefusedAndQuoted(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "yesterday", "2024-12-25", "2024-13-25T10:30:00Z", "+56954-02-30T00:00:00Z", "99999999999-01-01T00:00:00Z"} {
		var read record.Timestamp
		err := read.UnmarshalText([]byte(text))
		if err == nil || !strings.Contains(err.Error(), `"`+text+`"`) {
			t.Errorf("reading %q: got %s and error %v, want an error that quotes it", text, read, err)
		}
	}
}
