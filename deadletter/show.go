package deadletter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
)

// ErrNotDeadLetters is what [Browser.Show] wraps when the position is on a topic whose name is not that of a dead-letter topic.
var ErrNotDeadLetters = errors.New("the topic is not a dead-letter topic")

// Detail is one dead letter, as far as it may be shown. There is no patient data in it unless [Browser.Reveal] made it.
type Detail struct {
	Entry       Entry       `json:"entry"`
	Family      Family      `json:"family"`
	Handler     string      `json:"handler"`
	Group       string      `json:"group"`
	Explanation Explanation `json:"explanation"`
	// Key is the record's key where the masked body shows the same value, else [messages.Mask]; empty for a record without a key.
	Key string `json:"key"`
	// Headers are all of the dead letter's, in their order.
	Headers []ShownHeader `json:"headers"`
	Body    messages.Body `json:"body"`
	// Event is the masked body, or the revealed one, JSON; null when there is none to show.
	Event json.RawMessage `json:"event"`
	// Raw is a revealed value that is no event, as it is; JSON has it in base64.
	Raw []byte `json:"raw,omitempty"`
	// Bytes is the length of the value.
	Bytes int `json:"bytes"`
	// Unwrapped says that a Spring application had put the value into a JSON string; Event is what is inside.
	Unwrapped bool `json:"unwrapped"`
}

// Show returns the dead letter at the position. The error wraps [ErrNotDeadLetters] for another topic, and kafka.ErrNoTopic or
// kafka.ErrNoRecord where there is none.
func (b *Browser) Show(ctx context.Context, at record.Position) (Detail, error) {
	r, err := b.find(ctx, at)
	if err != nil {
		return Detail{}, err
	}
	return b.detail(r), nil
}

// find reads a dead letter.
func (b *Browser) find(ctx context.Context, at record.Position) (*record.Record, error) {
	if _, ok := sourceOf(at.Topic, b.suffix); !ok {
		return nil, fmt.Errorf("showing dead letter %q: %w, whose name ends with %q", at.String(), ErrNotDeadLetters, b.suffix)
	}
	r, err := b.reader.Record(ctx, at)
	if err != nil {
		return nil, fmt.Errorf("showing dead letter %q: %w", at.String(), err)
	}
	return r, nil
}

func (b *Browser) detail(r *record.Record) Detail {
	entry, _ := Parse(r)
	explanation, _ := Explain(entry.Class)
	value, unwrapped := Value(r)
	d := Detail{
		Entry: entry, Family: entry.Family, Handler: entry.Handler, Group: entry.Group, Explanation: explanation,
		Headers: shownHeaders(r.Headers), Bytes: len(value), Unwrapped: unwrapped,
	}
	contentType, _ := r.Header("content-type")
	d.Body, d.Event = messages.ShowBody(b.typeOf(r.Topic), value, string(contentType))
	d.Key = shownKey(r.Key, d.Event)
	return d
}

// typeOf finds the type by the name of the dead-letter topic, also when it holds dead letters of dead letters.
func (b *Browser) typeOf(topic string) messages.Type {
	for source, ok := sourceOf(topic, b.suffix); ok; source, ok = sourceOf(source, b.suffix) {
		if i := slices.IndexFunc(b.topics, func(t Topic) bool { return t.Name == source }); i >= 0 {
			return b.topics[i].Type
		}
	}
	return nil
}

// shownKey hides a key unless the masked event shows it anyway: a key may name a patient, and only the event proves that it does not.
func shownKey(key []byte, event json.RawMessage) string {
	if len(key) == 0 {
		return ""
	}
	var fields map[string]any
	if event == nil || json.Unmarshal(event, &fields) != nil {
		return messages.Mask
	}
	for _, field := range fields {
		if text, ok := field.(string); ok && text == string(key) {
			return text
		}
	}
	return messages.Mask
}
