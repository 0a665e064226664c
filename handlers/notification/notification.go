// Package notification owns what would be sent to whom on each event: one line per event in an outbox file.
// It never sends anything, and its texts never have clinical content.
package notification

import (
	"context"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/store"
)

// File is the outbox's name in the consumer's folder. It names patients, so it is as confidential as the archive.
const File = "outbox.jsonl"

// line is one notification that would be sent.
type line struct {
	Topic     string           `json:"topic"`
	Partition int32            `json:"partition"`
	Offset    int64            `json:"offset"`
	Timestamp record.Timestamp `json:"timestamp"`
	ID        string           `json:"id"`
	Audience  string           `json:"audience"`
	PatientID string           `json:"patientId"`
	Kind      string           `json:"kind"`
	EntityID  string           `json:"entityId"`
	Text      string           `json:"text"`
}

// Notify writes the notification of one event to the outbox.
func Notify(ctx context.Context, e messages.Event[any]) error {
	patient := ""
	if subject, ok := e.Body.(messages.Subject); ok {
		patient = subject.Patient()
	}
	text, err := json.Marshal(line{
		Topic: e.Topic, Partition: e.Partition, Offset: e.Offset, Timestamp: record.Timestamp(e.Timestamp), ID: e.ID,
		Audience: "patient", PatientID: patient, Kind: e.Type + "." + string(e.Action), EntityID: e.EntityID,
		Text: Text(e.Type, e.Action, status(e.Body)),
	}, jsontext.AllowInvalidUTF8(true)) // the id is a header, of whatever bytes
	if err != nil {
		return router.Permanent(err)
	}
	if err := store.Lines(ctx).Append(File, text); err != nil {
		return router.Unavailable(router.Loggable(err))
	}
	return nil
}

// status is the event's, when it is one that the event has: what else may stand there is nobody's to read.
func status(body any) string {
	if stateful, ok := body.(messages.Stateful); ok && messages.Check(body) == nil {
		return stateful.StatusName()
	}
	return ""
}

// Text is what a patient would read. It says that something happened, not what: a message on a locked screen is read by others too.
func Text(eventType string, action messages.Action, status string) string {
	what := subject(eventType)
	switch {
	case action == messages.Deleted:
		return "Your " + what + " was removed."
	case action == messages.Created && status == "":
		return "A new " + what + " is available."
	case action == messages.Created:
		return "Your " + what + " was registered."
	case action == messages.Updated && status != "":
		return "Your " + what + " was changed: it is now " + status + "."
	default:
		return "Your " + what + " was " + string(action) + "."
	}
}

// subject is the type's name in words: HealthRecordEvent is a health record.
func subject(eventType string) string {
	var words strings.Builder
	for i, r := range strings.TrimSuffix(eventType, "Event") {
		if i > 0 && unicode.IsUpper(r) {
			words.WriteByte(' ')
		}
		words.WriteRune(unicode.ToLower(r))
	}
	return words.String()
}
