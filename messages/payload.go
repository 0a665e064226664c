package messages

import (
	"bytes"
	"encoding/base64"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// confluentPrefix is the length of what Confluent's serialisers put before the JSON: a zero byte and the schema's id in four.
const confluentPrefix = 5

// Payload returns the event inside a record's value: without Confluent's framing, and, when the content type (the record's
// content-type header) is application/cloudevents+json, the data of the structured CloudEvent. Any other value comes back as it is.
// The result shares memory with value. The error is an [*Error].
func Payload(value []byte, contentType string) ([]byte, error) {
	if len(value) > confluentPrefix && value[0] == 0 && value[confluentPrefix] == '{' {
		value = value[confluentPrefix:]
	}
	mediaType, _, _ := strings.Cut(contentType, ";")
	if len(value) == 0 || !strings.EqualFold(strings.TrimSpace(mediaType), "application/cloudevents+json") {
		return value, nil
	}
	return cloudEventData(value)
}

// envelope is what we need of a structured CloudEvent.
type envelope struct {
	Data       jsontext.Value `json:"data"`
	DataBase64 *string        `json:"data_base64"`
}

func cloudEventData(value []byte) ([]byte, error) {
	document, class := jsonObject(value)
	if class != "" {
		return nil, unwrapping(class, "", reasons(class))
	}
	var event envelope
	if err := json.Unmarshal(document, &event); err != nil {
		return nil, unwrapping(classMalformed, "", "want a JSON object whose data is the event")
	}
	switch {
	case event.Data != nil && event.DataBase64 != nil:
		return nil, unwrapping(classMalformed, "data", "want data or data_base64, not both")
	case event.Data != nil:
		return bytes.TrimSpace(event.Data), nil
	case event.DataBase64 != nil:
		data, err := base64.StdEncoding.DecodeString(*event.DataBase64)
		if err != nil {
			return nil, unwrapping(classMalformed, "data_base64", "want base64")
		}
		return data, nil
	default:
		return nil, unwrapping(classMissingField, "data", "the CloudEvent has no data")
	}
}

func unwrapping(class, field, reason string) error {
	return &Error{Class: class, Field: field, Reason: reason, tried: "unwrapping the CloudEvent"}
}
