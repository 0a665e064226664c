package messages_test

import (
	"bytes"
	"testing"

	"github.com/prantikov/millrace/messages"
)

func TestPayloadIsUnwrapped(t *testing.T) {
	t.Parallel()
	const cloudEvent = "application/cloudevents+json"
	cases := []struct {
		name        string
		value       string
		contentType string
		want        string
		class       string // of the refusal, empty when there is none
	}{
		{"plain JSON stays", `{"a":1}`, "application/json", `{"a":1}`, ""},
		{"what is no JSON stays", "hello", "", "hello", ""},
		{"an empty value stays", "", cloudEvent, "", ""},
		{"Confluent's framing goes", "\x00\x00\x00\x00\x07{\"a\":1}", "", `{"a":1}`, ""},
		{"a zero byte before no object stays", "\x00\x00\x00\x00\x07x", "", "\x00\x00\x00\x00\x07x", ""},
		{"a short frame stays", "\x00\x00\x00\x00\x07", "", "\x00\x00\x00\x00\x07", ""},
		{"a CloudEvent gives its data", `{"specversion":"1.0","id":"1","data": {"a":1} }`, cloudEvent, `{"a":1}`, ""},
		{"a content type with a charset counts", `{"data":{"a":1}}`, "Application/CloudEvents+JSON; charset=UTF-8", `{"a":1}`, ""},
		{"data in base64 is decoded", `{"data_base64":"eyJhIjoxfQ=="}`, cloudEvent, `{"a":1}`, ""},
		{"data of null is null", `{"data":null}`, cloudEvent, `null`, ""},
		{"an envelope in Confluent's framing is unwrapped twice", "\x00\x00\x00\x00\x07{\"data\":{}}", cloudEvent, `{}`, ""},
		{"an envelope without the content type stays", `{"data":{"a":1}}`, "", `{"data":{"a":1}}`, ""},
		{"an envelope without data is refused", `{"specversion":"1.0"}`, cloudEvent, "", "missing_field"},
		{"an envelope of both is refused", `{"data":{},"data_base64":"e30="}`, cloudEvent, "", "malformed"},
		{"bad base64 is refused", `{"data_base64":"secret!"}`, cloudEvent, "", "malformed"},
		{"a truncated envelope is refused", `{"data":{`, cloudEvent, "", "malformed"},
		{"a list of CloudEvents is refused", `[{"data":{}}]`, cloudEvent, "", "malformed"},
		{"an envelope of null is a tombstone", `null`, cloudEvent, "", "tombstone"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := messages.Payload([]byte(c.value), c.contentType)
			if class := classOf(t, err); class != c.class || !bytes.Equal(got, []byte(c.want)) {
				t.Errorf("got %q, class %q, want %q, class %q", got, class, c.want, c.class)
			}
		})
	}
}

func TestPayloadKeepsNilApartFromEmpty(t *testing.T) {
	t.Parallel()
	if got, err := messages.Payload(nil, "application/cloudevents+json"); got != nil || err != nil {
		t.Errorf("got %v and %v, want nil", got, err)
	}
	if got, err := messages.Payload([]byte{}, ""); got == nil || err != nil {
		t.Errorf("got %v and %v, want an empty value", got, err)
	}
}
