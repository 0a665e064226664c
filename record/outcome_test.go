package record_test

import (
	"slices"
	"testing"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
)

// classNames is the contract: dashboards, alerts and docs/dead-letters.md use these words.
var classNames = []string{
	"too_large", "type_mismatch", "tombstone", "empty_value", "malformed", "invalid_value", "missing_field", "unknown_action",
	"unknown_status", "missing_key", "key_mismatch", "invalid_transition", "in_doubt", "permanent", "timeout", "panic", "failed",
}

func TestClassesAreAFixedList(t *testing.T) {
	t.Parallel()
	var got []string
	for _, class := range record.Classes() {
		got = append(got, string(class))
	}
	if !slices.Equal(got, classNames) {
		t.Errorf("got %q, want %q", got, classNames)
	}
}

// Ensure what the decoder calls its errors is what records are dead-lettered as: the two packages do not know each other.
func TestDecoderSpeaksOfTheSameClasses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		value []byte
		want  record.Class
	}{
		{"a null value", nil, record.ClassTombstone},
		{"the text null", []byte("null"), record.ClassTombstone},
		{"an empty value", []byte{}, record.ClassEmptyValue},
		{"truncated JSON", []byte(`{"orderId":"ord-1"`), record.ClassMalformed},
		{"a wrong type", []byte(`{"orderId":"ord-1","totalPrice":[],"action":"created"}`), record.ClassInvalidValue},
		{"no id", []byte(`{"action":"created"}`), record.ClassMissingField},
		{"no action", []byte(`{"orderId":"ord-1"}`), record.ClassMissingField},
		{"another type's action", []byte(`{"orderId":"ord-1","action":"cancelled"}`), record.ClassUnknownAction},
		{"another type's status", []byte(`{"orderId":"ord-1","status":"cancelled","action":"created"}`), record.ClassUnknownStatus},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			decoded, err := messages.Orders.Decode(test.value)
			if err == nil {
				err = decoded.Check()
			}
			refused, ok := err.(*messages.Error)
			if !ok {
				t.Fatalf("got error %v, want one of the decoder", err)
			}
			if got := record.Class(refused.Class); got != test.want || !slices.Contains(record.Classes(), got) {
				t.Errorf("got class %s, want %s, one of the fixed list", got, test.want)
			}
		})
	}
}

func TestOutcomesHaveNamesAndMoveTheFrontierOrNot(t *testing.T) {
	t.Parallel()
	tests := []struct {
		outcome  record.Outcome
		name     string
		finished bool
	}{
		{record.Unfinished, "unfinished", false},
		{record.Done, "done", true},
		{record.Skipped, "skipped", true},
		{record.DeadLettered, "dead_letter", true},
		{record.Parked, "parked", false},
	}
	for _, test := range tests {
		if got := test.outcome.String(); got != test.name {
			t.Errorf("got name %q, want %q", got, test.name)
		}
		if got := test.outcome.Finished(); got != test.finished {
			t.Errorf("%s: got finished %t, want %t", test.name, got, test.finished)
		}
	}
}
