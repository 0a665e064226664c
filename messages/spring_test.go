package messages_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/prantikov/millrace/messages"
)

// springRecord is one line of a capture of what real Spring Kafka wrote.
type springRecord struct {
	Topic string  `json:"topic"`
	Key   *string `json:"key"`
	Value *string `json:"value"`
}

// springFormat is one line of what a serialiser makes of one value.
type springFormat struct {
	Serializer, Dialect, Shape, Case string
	JSON                             *string
	Base64                           *string
}

// springAccept is one line of what a deserialiser makes of one input.
type springAccept struct {
	Deserializer, Group, Case string
	JSON                      string
	Value                     map[string]any
	Error                     []string
}

// lines reads a file of JSON lines from testdata.
func lines[T any](t testing.TB, name string) []T {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	var all []T
	scanner := bufio.NewScanner(bytes.NewReader(content))
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		var line T
		if err := json.Unmarshal(scanner.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		all = append(all, line)
	}
	return all
}

// decoded64 is base64 decoded, nil for null.
func decoded64(t testing.TB, text *string) []byte {
	t.Helper()
	if text == nil {
		return nil
	}
	value, err := base64.StdEncoding.DecodeString(*text)
	if err != nil {
		t.Fatal(err)
	}
	if value == nil {
		value = []byte{}
	}
	return value
}

// typeOf is the type whose topic's name ends the topic of a fixture.
func typeOf(t testing.TB, topic string) messages.Type {
	t.Helper()
	for _, declared := range messages.Types() {
		if strings.Contains(topic, declared.Topic()) {
			return declared
		}
	}
	t.Fatalf("got topic %q, want one of ours at its end", topic)
	return nil
}

// classOf is the class of an error of ours, empty for nil.
func classOf(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var refused *messages.Error
	if !errors.As(err, &refused) {
		t.Fatalf("got error %T, want *messages.Error", err)
	}
	return refused.Class
}

// encoded writes a decoded body with the topic that it belongs to.
func encoded(t *testing.T, body any) []byte {
	t.Helper()
	var value []byte
	var err error
	switch event := body.(type) {
	case *messages.AppointmentEvent:
		value, err = messages.Encode(messages.Appointments, event)
	case *messages.PrescriptionEvent:
		value, err = messages.Encode(messages.Prescriptions, event)
	case *messages.OrderEvent:
		value, err = messages.Encode(messages.Orders, event)
	case *messages.HealthRecordEvent:
		value, err = messages.Encode(messages.HealthRecords, event)
	default:
		t.Fatalf("got a body of type %T, want one of the four", body)
	}
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// sameJSON says whether two texts are the same JSON, numbers by their text, but for what is not the same on both sides by contract: an
// empty text is null in Go, and a quantity or price of null is written as 0.
func sameJSON(t *testing.T, a, b []byte) bool {
	t.Helper()
	return reflect.DeepEqual(looseJSON(t, a), looseJSON(t, b))
}

func looseJSON(t *testing.T, text []byte) any {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		t.Fatal(err)
	}
	return emptyIsNull(value)
}

func emptyIsNull(value any) any {
	switch value := value.(type) {
	case string:
		if value == "" {
			return nil
		}
	case map[string]any:
		for name, inner := range value {
			value[name] = emptyIsNull(inner)
			if zero, ok := map[string]string{"quantity": "0", "price": "0.0"}[name]; ok && inner == nil {
				value[name] = json.Number(zero)
			}
		}
	case []any:
		for i := range value {
			value[i] = emptyIsNull(value[i])
		}
	}
	return value
}

func TestSpringRecordsDecodeTheSameInEveryDialect(t *testing.T) {
	t.Parallel()
	iso := lines[springRecord](t, "p41-json-iso.jsonl")
	for _, file := range []string{"p41-json-default.jsonl", "p41-json-iso.jsonl", "p41-jackson3-default.jsonl"} {
		for i, record := range lines[springRecord](t, file) {
			t.Run(file+"/"+strconv.Itoa(i+1), func(t *testing.T) {
				t.Parallel()
				declared := typeOf(t, record.Topic)
				value := decoded64(t, record.Value)
				decoded, err := declared.Decode(value)
				if value == nil {
					if got := classOf(t, err); got != "tombstone" {
						t.Fatalf("got class %q, want tombstone", got)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if key := string(decoded64(t, record.Key)); decoded.EntityID != key {
					t.Errorf("got entity %q, want the key %q", decoded.EntityID, key)
				}
				if decoded.Normalised || decoded.Check() != nil {
					t.Errorf("got normalised %v and check %v, want neither", decoded.Normalised, decoded.Check())
				}
				want := decoded64(t, iso[i].Value)
				if got := encoded(t, decoded.Body); !sameJSON(t, got, want) {
					t.Errorf("got %s, want what Spring writes as ISO: %s", got, want)
				}
			})
		}
	}
}

// differs finds what Encode writes otherwise than Jackson 2 by contract.
var differs = regexp.MustCompile(`\\u|""|"(quantity|price)":null`)

func TestEncodingIsSpringsISODialectByteForByte(t *testing.T) {
	t.Parallel()
	compared := 0
	for _, record := range lines[springRecord](t, "p41-json-iso.jsonl") {
		value := decoded64(t, record.Value)
		// Jackson 2 escapes what is beyond the BMP and writes escapes in upper case; an empty text is null in Go; numbers are never null.
		if value == nil || differs.Match(value) {
			continue
		}
		decoded, err := typeOf(t, record.Topic).Decode(value)
		if err != nil {
			t.Fatal(err)
		}
		if got := encoded(t, decoded.Body); !bytes.Equal(got, value) {
			t.Errorf("got %s, want %s", got, value)
		}
		compared++
	}
	if compared < 80 {
		t.Errorf("got %d records compared, want at least 80", compared)
	}
}

// withIdentity gives a fixture's event what every event of ours must have, and puts an item into an order.
func withIdentity(t *testing.T, document string) (messages.Type, string) {
	t.Helper()
	has := func(name string) bool { return strings.Contains(document, `"`+name+`":`) }
	declared, id := messages.Type(messages.Appointments), "appointmentId"
	switch {
	case has("quantity") && !has("orderId"):
		return messages.Orders, `{"orderId":"x","action":"created","items":[` + document + `]}`
	case has("orderId"), has("orderDate"), has("totalPrice"), has("items"):
		declared, id = messages.Orders, "orderId"
	case has("prescriptionId"):
		declared, id = messages.Prescriptions, "prescriptionId"
	case has("recordId"):
		declared, id = messages.HealthRecords, "recordId"
	}
	for _, member := range []struct{ name, value string }{{id, "x"}, {"action", "created"}} {
		null, set := `"`+member.name+`":null`, `"`+member.name+`":"`+member.value+`"`
		if strings.Contains(document, null) {
			document = strings.Replace(document, null, set, 1)
		} else if !has(member.name) {
			document = strings.Replace(document, "{", "{"+set+",", 1)
		}
	}
	return declared, strings.Replace(document, ",}", "}", 1)
}

func TestSpringFormatsDecode(t *testing.T) {
	t.Parallel()
	// refused lists what Spring's serialisers can write and we refuse.
	refused := map[string]string{
		"double bits 7ff8000000000000": "invalid_value", // NaN: not a finite number
		"double bits 7ff0000000000000": "invalid_value", // Infinity
		"double bits fff0000000000000": "invalid_value", // -Infinity
		"text 13":                      "malformed",     // half of a surrogate pair: no text in any encoding, it could not be kept
		"null payload":                 "tombstone",
	}
	whole := map[string][]byte{}
	for i, line := range lines[springFormat](t, "formats-41.jsonl") {
		name := strings.Join([]string{strconv.Itoa(i + 1), line.Serializer, line.Dialect, line.Shape, line.Case}, " ")
		if line.JSON == nil {
			if got := classOf(t, second(messages.Appointments.Decode(decoded64(t, line.Base64)))); got != "tombstone" {
				t.Errorf("%s: got class %q, want tombstone", name, got)
			}
			continue
		}
		declared, document := withIdentity(t, string(decoded64(t, line.Base64)))
		decoded, err := declared.Decode([]byte(document))
		if class := classOf(t, err); class != refused[line.Case] {
			t.Errorf("%s: got class %q, want %q", name, class, refused[line.Case])
		}
		if err != nil {
			continue
		}
		checkFormat(t, name, line.Case, decoded)
		if strings.HasPrefix(line.Case, "whole") {
			written := encoded(t, decoded.Body)
			if before, ok := whole[line.Case]; ok && !bytes.Equal(before, written) {
				t.Errorf("%s: got %s, want the same as in the other dialects: %s", name, written, before)
			}
			whole[line.Case] = written
		}
	}
	if len(whole) < 4 {
		t.Errorf("got %d whole events, want at least 4", len(whole))
	}
}

func second[A, B any](_ A, b B) B { return b }

// checkFormat compares a decoded value with the one that the case's name tells.
func checkFormat(t *testing.T, name, formatCase string, decoded messages.Decoded) {
	t.Helper()
	kind, value, _ := strings.Cut(formatCase, " ")
	switch kind {
	case "double":
		bits, err := strconv.ParseUint(strings.TrimPrefix(value, "bits "), 16, 64)
		if err != nil {
			t.Fatal(err)
		}
		price := decoded.Body.(*messages.OrderEvent).Items[0].Price
		if got := price.Float64(); math.Float64bits(got) != bits {
			t.Errorf("%s: got bits %x, want %x", name, math.Float64bits(got), bits)
		}
		if got := string(encoded(t, decoded.Body)); !strings.Contains(got, `"price":`+price.String()+"}") {
			t.Errorf("%s: got %s, want the price's own text %s in it", name, got, price)
		}
	case "localdate":
		if got := decoded.Body.(*messages.AppointmentEvent).Date.String(); got != value {
			t.Errorf("%s: got %s, want %s", name, got, value)
		}
	case "localdatetime":
		want := decoded.Body.(*messages.OrderEvent).OrderDate
		if got, err := messages.ParseDateTime(value); err != nil || got != want {
			t.Errorf("%s: got %s, want %s", name, want, value)
		}
	}
}

func TestNumberOfWritesWhatJavaWrites(t *testing.T) {
	t.Parallel()
	// Older JDKs write more digits than are needed for these, and two digits for the smallest double.
	digits := map[string]bool{"44c52d02c7e14af6": true, "44b52d02c7e14af6": true, "447c7e83209e90b2": true, "3d30000000000000": true, "1": true}
	compared := 0
	for _, line := range lines[springFormat](t, "formats-41.jsonl") {
		hexadecimal, ok := strings.CutPrefix(line.Case, "double bits ")
		if !ok || digits[hexadecimal] || line.Serializer != "json" {
			continue
		}
		bits, err := strconv.ParseUint(hexadecimal, 16, 64)
		if err != nil {
			t.Fatal(err)
		}
		value := math.Float64frombits(bits)
		if math.IsNaN(value) || math.IsInf(value, 0) {
			continue
		}
		compared++
		if got := `"price":` + messages.NumberOf(value).String() + "}"; !strings.HasSuffix(*line.JSON, got) {
			t.Errorf("got %s, want the end of %s", got, *line.JSON)
		}
	}
	if compared < 25 {
		t.Errorf("got %d doubles compared, want at least 25", compared)
	}
}
