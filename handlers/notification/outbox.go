package notification

import (
	"context"

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
	Audience  Audience         `json:"audience"`
	PatientID string           `json:"patientId"`
	Kind      string           `json:"kind"`
	EntityID  string           `json:"entityId"`
	Text      string           `json:"text"`
}

// write writes what the patient would be told to the outbox. An event of which nothing is to be said is passed.
func (o *open) write(ctx context.Context, e messages.Event[any]) error {
	words := o.texts.find(Patient, e.Meta)
	if words == nil {
		return router.Skip(reasonNoTemplate)
	}
	_, body, err := words.render(fieldsOf(Patient, e))
	if err != nil {
		return router.Permanent(router.Loggable(err))
	}
	text, err := json.Marshal(line{
		Topic: e.Topic, Partition: e.Partition, Offset: e.Offset, Timestamp: record.Timestamp(e.Timestamp), ID: e.ID,
		Audience: Patient, PatientID: patientOf(e.Body), Kind: kindOf(e.Meta), EntityID: e.EntityID, Text: body,
	}, jsontext.AllowInvalidUTF8(true)) // the id is a header, of whatever bytes
	if err != nil {
		return router.Permanent(err)
	}
	if err := store.Lines(ctx).Append(File, text); err != nil {
		return router.Unavailable(router.Loggable(err))
	}
	return nil
}
