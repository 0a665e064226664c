package deadletter_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prantikov/millrace/deadletter"
	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
)

// shelf is a reader of records in memory.
type shelf map[string][]*record.Record

func (s shelf) Read(_ context.Context, wanted kafka.Range) iter.Seq2[*record.Record, error] {
	return func(yield func(*record.Record, error) bool) {
		records, ok := s[wanted.Topic]
		if !ok {
			yield(nil, fmt.Errorf("asking for %q: %w", wanted.Topic, kafka.ErrNoTopic))
			return
		}
		for _, r := range records {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func (s shelf) Record(_ context.Context, at record.Position) (*record.Record, error) {
	for _, r := range s[at.Topic] {
		if r.Position == at {
			return r, nil
		}
	}
	return nil, kafka.ErrNoRecord
}

// put writes the letter as the writer would, at the next offset of its dead-letter topic.
func (s shelf) put(t *testing.T, letter record.Letter) record.Position {
	t.Helper()
	dead := deadLetter(t, "", letter)
	dead.Offset = int64(len(s[dead.Topic]))
	s[dead.Topic] = append(s[dead.Topic], dead)
	return dead.Position
}

// filled returns a shelf with dead letters of two consumers: of ord-1 and ord-2 at 10:20:30 and each hour after it.
func filled(t *testing.T) shelf {
	t.Helper()
	s := shelf{}
	for i, fate := range []struct {
		consumer string
		class    record.Class
		topic    string
		key      string
	}{
		{"orders", record.ClassMalformed, "order-events", "ord-1"},
		{"analytics", record.ClassMalformed, "order-events", "ord-1"},
		{"orders", record.ClassTimeout, "order-events", "ord-2"},
		{"appointments", record.ClassMissingKey, "appointment-events", ""},
	} {
		source := order()
		source.Topic, source.Key = fate.topic, []byte(fate.key)
		letter := letterOf(source, fate.class)
		letter.Consumer, letter.FailedAt = fate.consumer, failedAt.Add(time.Duration(i)*time.Hour)
		s.put(t, letter)
	}
	return s
}

func browser(reader deadletter.Reader) *deadletter.Browser {
	var topics []deadletter.Topic
	for _, kind := range messages.Types() {
		topics = append(topics, deadletter.Topic{Name: kind.Topic(), Type: kind})
	}
	return deadletter.NewBrowser(reader, "", topics)
}

func TestListFilters(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		filter deadletter.Filter
		want   []string // consumer/class, as they are to come
	}{
		"all, the newest first":        {deadletter.Filter{}, []string{"appointments/missing_key", "orders/timeout", "analytics/malformed", "orders/malformed"}},
		"by consumer":                  {deadletter.Filter{Consumer: "orders"}, []string{"orders/timeout", "orders/malformed"}},
		"by class":                     {deadletter.Filter{Class: record.ClassMalformed}, []string{"analytics/malformed", "orders/malformed"}},
		"by source topic":              {deadletter.Filter{Topic: "appointment-events"}, []string{"appointments/missing_key"}},
		"by dead-letter topic":         {deadletter.Filter{Topic: "appointment-events-dlt"}, []string{"appointments/missing_key"}},
		"by key":                       {deadletter.Filter{Key: "ord-1"}, []string{"analytics/malformed", "orders/malformed"}},
		"since a time, which counts":   {deadletter.Filter{Since: failedAt.Add(2 * time.Hour)}, []string{"appointments/missing_key", "orders/timeout"}},
		"a limit keeps the newest":     {deadletter.Filter{Limit: 1}, []string{"appointments/missing_key"}},
		"a limit counts what fits":     {deadletter.Filter{Limit: 1, Class: record.ClassMalformed}, []string{"analytics/malformed"}},
		"a limit above what there is":  {deadletter.Filter{Limit: 50, Consumer: "analytics"}, []string{"analytics/malformed"}},
		"nothing fits":                 {deadletter.Filter{Consumer: "archive"}, []string{}},
		"consumer and class must both": {deadletter.Filter{Consumer: "orders", Class: record.ClassMissingKey}, []string{}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			entries, err := browser(filled(t)).List(t.Context(), test.filter)
			if err != nil {
				t.Fatal(err)
			}
			got := []string{}
			for _, e := range entries {
				got = append(got, e.Consumer+"/"+string(e.Class))
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestListOfNothingIsAnEmptyArray(t *testing.T) {
	t.Parallel()
	entries, err := browser(shelf{}).List(t.Context(), deadletter.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := json.Marshal(entries); err != nil || string(got) != "[]" {
		t.Errorf("got %s, %v, want []", got, err)
	}
}

func TestSummaryCountsByConsumerClassAndHour(t *testing.T) {
	t.Parallel()
	s := filled(t)
	s.put(t, letterOf(order(), record.ClassMalformed))
	got, err := browser(s).Summary(t.Context(), deadletter.Filter{Topic: "order-events", Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	hour := failedAt.Truncate(time.Hour)
	want := []deadletter.Count{
		{Consumer: "orders", Class: record.ClassTimeout, Hour: hour.Add(2 * time.Hour), Count: 1},
		{Consumer: "analytics", Class: record.ClassMalformed, Hour: hour.Add(time.Hour), Count: 1},
		{Consumer: "orders", Class: record.ClassMalformed, Hour: hour, Count: 2},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// errorReader fails as a broker does.
type errorReader struct{ shelf }

var errBroker = errors.New("connection refused")

func (errorReader) Read(context.Context, kafka.Range) iter.Seq2[*record.Record, error] {
	return func(yield func(*record.Record, error) bool) { yield(nil, errBroker) }
}

func TestListSaysThatTheBrokerIsAway(t *testing.T) {
	t.Parallel()
	entries, err := browser(errorReader{}).List(t.Context(), deadletter.Filter{})
	if !errors.Is(err, errBroker) || entries != nil || !strings.Contains(err.Error(), "-dlt") {
		t.Errorf("got %v, %v, want no entries and an error that names the topic and the reason", entries, err)
	}
}
