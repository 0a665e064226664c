// Package logging owns the activity log: one line per event that says what happened to which entity, for those who watch the platform.
// It never writes anything that is tagged as patient data; a patient is a pseudonym.
package logging

import (
	"context"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/record"
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/store"
)

// Log is the activity log. Make one with [New].
type Log struct{ pseudonym func(patient string) string }

// New makes the log; pseudonym stands for a patient.
func New(pseudonym func(patient string) string) *Log { return &Log{pseudonym: pseudonym} }

// line is one event.
type line struct {
	Timestamp  record.Timestamp `json:"timestamp"`
	Topic      string           `json:"topic"`
	Partition  int32            `json:"partition"`
	Offset     int64            `json:"offset"`
	Type       string           `json:"type"`
	Action     string           `json:"action"`
	Status     string           `json:"status,omitempty"`
	EntityID   string           `json:"entityId"`
	DoctorID   string           `json:"doctorId,omitempty"`
	PharmacyID string           `json:"pharmacyId,omitempty"`
	Patient    string           `json:"patient,omitempty"`
}

// Log writes the line of one event to the file of its day: the record's timestamp, in UTC.
func (l *Log) Log(ctx context.Context, e messages.Event[any]) error {
	written := line{
		Timestamp: record.Timestamp(e.Timestamp), Topic: e.Topic, Partition: e.Partition, Offset: e.Offset,
		Type: e.Type, Action: string(e.Action), EntityID: e.EntityID,
	}
	if stateful, ok := e.Body.(messages.Stateful); ok {
		written.Status = stateful.StatusName()
	}
	if party, ok := e.Body.(messages.Counterparty); ok {
		switch role, id := party.Counterpart(); role {
		case "doctor":
			written.DoctorID = id
		case "pharmacy":
			written.PharmacyID = id
		}
	}
	if subject, ok := e.Body.(messages.Subject); ok && l.pseudonym != nil && subject.Patient() != "" {
		written.Patient = l.pseudonym(subject.Patient())
	}
	text, err := json.Marshal(written)
	if err != nil {
		return router.Permanent(err)
	}
	if err := store.Lines(ctx).Append(e.Timestamp.UTC().Format(time.DateOnly)+".jsonl", text); err != nil {
		return router.Unavailable(router.Loggable(err))
	}
	return nil
}
