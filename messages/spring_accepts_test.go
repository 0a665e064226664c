package messages_test

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/prantikov/millrace/messages"
)

// stricter lists what Jackson accepts and we refuse, with the class. No serialiser writes any of it.
var stricter = map[string]struct{ class, reason string }{
	`double 1e400`:      {"invalid_value", "Jackson reads Infinity: an amount would be lost"},
	`double "NaN"`:      {"invalid_value", "not a finite number"},
	`double "Infinity"`: {"invalid_value", "not a finite number"},
	`integer 3.7`:       {"invalid_value", "Jackson drops the fraction"},
	`document {"appointmentId":"x"} trailing`:            {"malformed", "Jackson 2 does not look behind the object; Jackson 3 refuses too"},
	`document {"appointmentId":"x"}{}`:                   {"malformed", "Jackson 2 does not look behind the object; Jackson 3 refuses too"},
	`document {"appointmentId":"1","appointmentId":"2"}`: {"malformed", "two readers could see two truths"},
}

// withoutIdentity lists documents that Jackson reads and that are no event: the id of the entity or the action is missing. That is no
// matter of reading JSON, so Jackson has no opinion on it.
var withoutIdentity = map[string]string{
	`document {}`:                              "missing_field",
	`document {"unknown":1}`:                   "missing_field",
	`document {"AppointmentId":"x"}`:           "missing_field",
	`document {"appointment_id":"x"}`:          "missing_field",
	"document {\"appointmentId\":\"x\"}\n":     "missing_field",
	"document \ufeff{\"appointmentId\":\"x\"}": "missing_field",
	`document null`:                            "tombstone",
}

// refusedClass lists the class of refused inputs where it is not invalid_value.
func refusedClass(line springAccept) string {
	switch line.Case {
	case "document ":
		return "empty_value"
	case "double NaN", "double 01.5", "double 1.", "double .5", "double +1.5", "string \"raw\ttab\"":
		return "malformed" // no JSON at all
	}
	if strings.HasPrefix(line.Case, "document ") {
		return "malformed"
	}
	return "invalid_value"
}

func TestWhatJavaAcceptsIsAccepted(t *testing.T) {
	t.Parallel()
	counted := 0
	for i, line := range lines[springAccept](t, "accepts-41.jsonl") {
		if line.Group != "accepts" {
			continue
		}
		counted++
		t.Run(strconv.Itoa(i+1)+" "+line.Deserializer+" "+line.Case, func(t *testing.T) {
			t.Parallel()
			declared, document := messages.Type(messages.Appointments), line.JSON
			if !strings.HasPrefix(line.Case, "document ") {
				declared, document = withIdentity(t, line.JSON)
			}
			decoded, err := declared.Decode([]byte(document))
			want, because := "", "Java does the same"
			if deliberate, ok := stricter[line.Case]; ok {
				want, because = deliberate.class, deliberate.reason
			} else if class, ok := withoutIdentity[line.Case]; ok {
				want = class
			} else if line.Error != nil {
				want = refusedClass(line)
			}
			if got := classOf(t, err); got != want {
				t.Fatalf("got class %q (%v), want %q for %s: %s", got, err, want, document, because)
			}
			if err == nil {
				checkAccepted(t, decoded, line.Value)
			}
		})
	}
	if counted != 232 {
		t.Errorf("got %d cases, want 232", counted)
	}
}

// checkAccepted compares the fields that Java has a value for with ours.
func checkAccepted(t *testing.T, decoded messages.Decoded, want map[string]any) {
	t.Helper()
	var got map[string]any
	if err := json.Unmarshal(encoded(t, decoded.Body), &got); err != nil {
		t.Fatal(err)
	}
	if _, isItem := want["quantity"]; isItem {
		got = got["items"].([]any)[0].(map[string]any)
	}
	for name, value := range want {
		switch {
		case name == "appointmentId", name == "orderId", name == "action":
		case name == "items":
			if list, ok := value.([]any); ok && len(list) == 1 && list[0] == nil { // Java keeps the null in the list
				continue
			}
			fallthrough
		default:
			if value == nil && got[name] == 0.0 { // quantity and price are never written as null
				continue
			}
			if !reflect.DeepEqual(got[name], value) {
				t.Errorf("%s: got %v, want %v as Java", name, got[name], value)
			}
		}
	}
}

func TestTypeHeaderFixturesAreReadByTopicAlone(t *testing.T) {
	t.Parallel()
	counted := 0
	for i, line := range lines[springAccept](t, "accepts-41.jsonl") {
		if line.Group != "types" {
			continue
		}
		counted++
		t.Run(strconv.Itoa(i+1)+" "+line.Deserializer+" "+line.Case, func(t *testing.T) {
			t.Parallel()
			declared, document := withIdentity(t, line.JSON)
			decoded, err := declared.Decode([]byte(document))
			if err != nil || decoded.EntityID != "x" {
				t.Errorf("got entity %q and error %v, want x", decoded.EntityID, err)
			}
		})
	}
	if counted != 40 {
		t.Errorf("got %d cases, want 40", counted)
	}
}

func TestSpringDeadLettersHaveAClass(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"bad-truncated":       "malformed",
		"bad-date":            "invalid_value",
		"bad-array":           "malformed",
		"json-null":           "tombstone",
		"bad-not-json":        "malformed",
		"bad-class-missing":   "", // the class is not our business, the topic decides
		"bad-class-untrusted": "",
		"bad-empty":           "empty_value",
		"tombstone":           "tombstone",
		"bad-utf8":            "malformed",
		"not-four-bytes":      "missing_field",
		"apt-00034-0":         "",
		"apt-00057-0":         "",
		"ord-00012-0":         "",
		"ord-00028-0":         "",
	}
	for i, record := range lines[springRecord](t, "dlt-41.jsonl") {
		key := string(decoded64(t, record.Key))
		t.Run(strconv.Itoa(i+1)+" "+record.Topic+" "+key, func(t *testing.T) {
			t.Parallel()
			class, known := want[key]
			if !known {
				t.Fatalf("got key %q, want one of the table's", key)
			}
			if got := classOf(t, second(typeOf(t, record.Topic).Decode(decoded64(t, record.Value)))); got != class {
				t.Errorf("got class %q, want %q", got, class)
			}
		})
	}
}
