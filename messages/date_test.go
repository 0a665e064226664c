package messages_test

import (
	"testing"
	"time"

	"github.com/prantikov/millrace/messages"
)

func TestDateIsReadInEveryForm(t *testing.T) {
	t.Parallel()
	cases := map[string]string{ // JSON to what it means, empty for unset
		`"2024-12-25"`:            "2024-12-25",
		`" 2024-12-25 "`:          "2024-12-25",
		`"\t2024-12-25\n"`:        "2024-12-25",
		`"2024\u002d12-25"`:       "2024-12-25",
		`"2024-12-25T10:30:00"`:   "2024-12-25",
		`"2024-12-25T10:30"`:      "2024-12-25",
		`"2024-12-25t10:30:00.1"`: "2024-12-25",
		`"2024-12-25T10:30:00Z"`:  "2024-12-25",
		`[2024,12,25]`:            "2024-12-25",
		` [ 2024 , 12 , 25 ] `:    "2024-12-25",
		`20082`:                   "2024-12-25",
		`0`:                       "1970-01-01",
		`-1`:                      "1969-12-31",
		`-719529`:                 "-0001-12-31",
		`365241780471`:            "+999999999-12-31",
		`"0000-01-01"`:            "0000-01-01",
		`"-0044-03-15"`:           "-0044-03-15",
		`"+12345-01-01"`:          "+12345-01-01",
		`[-44,3,15]`:              "-0044-03-15",
		`"2024-02-29"`:            "2024-02-29",
		`"2000-02-29"`:            "2000-02-29",
		`null`:                    "",
		`""`:                      "",
		`"  "`:                    "",
		`[]`:                      "",
		`[ ]`:                     "",
	}
	for written, want := range cases {
		decoded, err := messages.Appointments.Decode([]byte(event(`,"date":` + written)))
		if err != nil {
			t.Errorf("got %v for %s, want %s", err, written, want)
			continue
		}
		if got := decoded.Body.(*messages.AppointmentEvent).Date; got.String() != want || got.IsSet() != (want != "") {
			t.Errorf("got %q for %s, want %q", got, written, want)
		}
	}
}

func TestDateRefusesEveryOtherForm(t *testing.T) {
	t.Parallel()
	for _, written := range []string{
		`"2024-12-25T10:30:00+01:00"`, `"2024-12-25Z"`, `"2024-12-25T"`, `"2024-12-25T24:00:00"`, `"2024-12-25z"`, `"2024-12-25 10:30"`,
		`"2024-13-01"`, `"2024-00-01"`, `"2024-12-00"`, `"2024-02-30"`, `"2023-02-29"`, `"1900-02-29"`, `"2024-04-31"`,
		`"2024-1-5"`, `"24-12-25"`, `"25.12.2024"`, `"20082"`, `"+2024-12-25"`, `"12345-01-01"`, `"-0000-01-01"`, `"--044-01-01"`,
		`"+1234567890-01-01"`, `"2024"`, `"2024-"`, `"2024-12"`, `"2024-12-"`, `"+"`, `"-"`, `"T"`,
		`[2024,12]`, `[2024,12,25,10]`, `[2024,13,1]`, `[2024,2,30]`, `["2024","12","25"]`, `["2024-12-25"]`, `[2024,12,2.5]`, `[2024,12,2e1]`,
		`[2024,12,null]`, `[[2024,12,25]]`, `[9999999999999999999,1,1]`, `[1000000000,1,1]`,
		`20082.5`, `2e4`, `99999999999999`, `999999999999999999999`, `true`, `{"year":2024,"monthValue":12,"dayOfMonth":25}`, `{}`,
	} {
		checkRefusal(t, second(messages.Appointments.Decode([]byte(event(`,"date":`+written)))), "invalid_value", "date")
	}
}

func TestDateTimeIsReadInEveryForm(t *testing.T) {
	t.Parallel()
	cases := map[string]string{ // JSON to what it means, empty for unset
		`"2024-12-25T10:30:00"`:           "2024-12-25T10:30:00",
		`"2024-12-25T10:30"`:              "2024-12-25T10:30:00",
		`"2024-12-25t10:30:05"`:           "2024-12-25T10:30:05",
		`" 2024-12-25T10:30:05 "`:         "2024-12-25T10:30:05",
		`"2024-12-25T10:30:05.120"`:       "2024-12-25T10:30:05.12",
		`"2024-12-25T10:30:05.123456789"`: "2024-12-25T10:30:05.123456789",
		`"2024-12-25T10:30:05.000000001"`: "2024-12-25T10:30:05.000000001",
		`"2024-12-25T10:30:00Z"`:          "2024-12-25T10:30:00",
		`"2024-12-25T10:30Z"`:             "2024-12-25T10:30:00",
		`"+12345-01-01T00:00"`:            "+12345-01-01T00:00:00",
		`[2024,12,25,10,30]`:              "2024-12-25T10:30:00",
		`[2024,12,25,10,30,5]`:            "2024-12-25T10:30:05",
		`[2024,12,25,10,30,5,120]`:        "2024-12-25T10:30:05.00000012",
		`[2024,12,25,10,30,5,120000000]`:  "2024-12-25T10:30:05.12",
		`null`:                            "",
		`""`:                              "",
		`" "`:                             "",
		`[]`:                              "",
	}
	for written, want := range cases {
		decoded, err := messages.Orders.Decode([]byte(order(`,"orderDate":` + written)))
		if err != nil {
			t.Errorf("got %v for %s, want %s", err, written, want)
			continue
		}
		if got := decoded.Body.(*messages.OrderEvent).OrderDate; got.String() != want || got.IsSet() != (want != "") {
			t.Errorf("got %q for %s, want %q", got, written, want)
		}
	}
}

func TestDateTimeRefusesEveryOtherForm(t *testing.T) {
	t.Parallel()
	for _, written := range []string{
		`"2024-12-25"`, `"2024-12-25T"`, `"2024-12-25T10"`, `"2024-12-25T10:3"`, `"2024-12-25 10:30:00"`, `"2024-12-25T10:30:00+01:00"`,
		`"2024-12-25T10:30:00z"`, `"2024-12-25T24:00:00"`, `"2024-12-25T10:60:00"`, `"2024-12-25T10:30:60"`, `"2024-12-25T10:30:05.1234567891"`,
		`"2024-12-25T10:30:05,1"`, `"2024-12-25T10:30:05.1x"`, `"20241225T103000"`, `"2024-02-30T10:30:00"`, `"1735122600"`, `"2024-12-25T1x:30"`,
		`[2024,12,25]`, `[2024,12,25,10]`, `[2024,12,25,24,0]`, `[2024,12,25,10,60]`, `[2024,2,30,10,30]`, `[2024,12,25,10,30,5,1000000000]`,
		`[2024,12,25,10,30,5,-1]`, `[2024,12,25,10,30,5,120000000,1]`, `1735122600`, `1735122600000`, `true`, `{}`,
	} {
		checkRefusal(t, second(messages.Orders.Decode([]byte(order(`,"orderDate":`+written)))), "invalid_value", "orderDate")
	}
}

func TestTimeRefusesWhatIsNoTime(t *testing.T) {
	t.Parallel()
	for _, written := range []string{`"24:00"`, `"10:60"`, `"9:30"`, `"1030"`, `"noon"`, `"10:30Z"`, `1030`, `true`, `{}`, `[10]`, `[24,0]`, `[10,30,0,0,0]`} {
		checkRefusal(t, second(messages.Appointments.Decode([]byte(event(`,"time":`+written)))), "invalid_value", "time")
	}
}

func TestDatesOfGoTimesAreWhatTheirClockShows(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("east", 9*60*60)
	moment := time.Date(2024, time.December, 31, 23, 30, 5, 120_000_000, zone)
	date, dateTime := messages.DateOf(moment), messages.DateTimeOf(moment)
	if date.String() != "2024-12-31" || dateTime.String() != "2024-12-31T23:30:05.12" || dateTime.Date() != date {
		t.Errorf("got %s and %s, want 2024-12-31 and 2024-12-31T23:30:05.12", date, dateTime)
	}
	if !dateTime.In(zone).Equal(moment) || !date.In(zone).Equal(time.Date(2024, time.December, 31, 0, 0, 0, 0, zone)) {
		t.Errorf("got %s and %s, want the moment and the day's beginning", dateTime.In(zone), date.In(zone))
	}
	if !(messages.Date{}).In(zone).IsZero() || !(messages.DateTime{}).In(zone).IsZero() {
		t.Error("got a time for what is unset, want the zero time")
	}
	if date.Year() != 2024 || date.Month() != time.December || date.Day() != 31 {
		t.Errorf("got %d %s %d, want 2024 December 31", date.Year(), date.Month(), date.Day())
	}
}

func TestNewDateRefusesDaysThatDoNotExist(t *testing.T) {
	t.Parallel()
	if _, err := messages.NewDate(2023, time.February, 29); err == nil {
		t.Error("got no error for 29 February 2023, want one")
	}
	if date, err := messages.NewDate(2024, time.February, 29); err != nil || date.String() != "2024-02-29" {
		t.Errorf("got %s and %v, want 2024-02-29", date, err)
	}
}

func TestDatesCompareInTheOrderOfTime(t *testing.T) {
	t.Parallel()
	inOrder := []string{"-0044-03-15T12:00", "2024-12-25T10:30", "2024-12-25T10:30:00.000000001", "2024-12-25T10:31", "2024-12-26T00:00", "2025-01-01T00:00"}
	for i, first := range inOrder {
		for j, other := range inOrder {
			a, errA := messages.ParseDateTime(first)
			b, errB := messages.ParseDateTime(other)
			if errA != nil || errB != nil {
				t.Fatal(errA, errB)
			}
			want := min(1, max(-1, i-j))
			if got := a.Compare(b); got != want {
				t.Errorf("got %d for %s and %s, want %d", got, a, b, want)
			}
		}
	}
}
