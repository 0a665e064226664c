// Package handlers owns what happens on each action: one file per domain consumer, one package per fan-out consumer.
// It never talks to Kafka and reads no configuration.
package handlers

import (
	"errors"
	"time"

	"github.com/prantikov/millrace/handlers/analytics"
	"github.com/prantikov/millrace/handlers/archive"
	"github.com/prantikov/millrace/handlers/logging"
	"github.com/prantikov/millrace/handlers/notification"
	"github.com/prantikov/millrace/messages"
	"github.com/prantikov/millrace/router"
	"github.com/prantikov/millrace/store"
)

// Dependencies is what the built-in consumers need.
type Dependencies struct {
	// Store is asked for when the first record arrives.
	Store func() *store.Store
	// Alarm is told when a member's writes are refused because another has taken its partition. Default: a line in the log.
	Alarm func(store.Alarm)
	// Instance names the folders of this process's files, where several processes share a store. Default: empty, for the only one.
	Instance func() string
	// Notification tells who is concerned by an event. Default: it writes the outbox.
	Notification *notification.Notifier
	// DataDir is where the file sinks have their folders.
	DataDir string
	// Pseudonym stands for a patient where one patient's events must be told apart.
	Pseudonym func(patient string) string
	// Zone is where a day of analytics begins and ends.
	Zone *time.Location
	// AcceptTransition says whether a consumer accepts and counts a status that cannot follow the present one. Default: none does.
	AcceptTransition func(consumer string, declared messages.Type) bool
	// FirstSeen is told of an entity's first event, TransitionAccepted of a status that only the policy let pass: once each, when it is
	// committed. Both may be nil.
	FirstSeen, TransitionAccepted func(consumer, topic string)
}

// Consumers is the list of the built-in consumers: what Millrace does on each action.
func Consumers(d Dependencies) ([]*router.Consumer, error) {
	appointments := appointments{d.entities("appointments", messages.Appointments, appointmentTransitions)}
	prescriptions := prescriptions{d.entities("prescriptions", messages.Prescriptions, prescriptionTransitions)}
	orders := orders{d.entities("orders", messages.Orders, orderTransitions)}
	healthRecords := healthRecords{d.entities("health-records", messages.HealthRecords, nil)}
	figures := analytics.New(d.Zone)
	lines := logging.New(d.Pseudonym)
	news := d.notification()

	var l list
	l.consume("appointments", router.StrictContent(), d.durable("appointments"),
		router.On(messages.AppointmentCreated, appointments.created),
		router.On(messages.AppointmentUpdated, appointments.updated),
		router.On(messages.AppointmentCancelled, appointments.cancelled),
		router.On(messages.AppointmentDeleted, appointments.deleted),
	)
	l.consume("prescriptions", router.StrictContent(), d.durable("prescriptions"),
		router.On(messages.PrescriptionCreated, prescriptions.created),
		router.On(messages.PrescriptionUpdated, prescriptions.updated),
		router.On(messages.PrescriptionCancelled, prescriptions.cancelled),
		router.On(messages.PrescriptionDeleted, prescriptions.deleted),
	)
	l.consume("orders", router.StrictContent(), d.durable("orders"),
		router.On(messages.OrderCreated, orders.created),
		router.On(messages.OrderUpdated, orders.updated),
		router.On(messages.OrderShipped, orders.shipped),
		router.On(messages.OrderDelivered, orders.delivered),
		router.On(messages.OrderDeleted, orders.deleted),
	)
	l.consume("health-records", router.StrictContent(), d.durable("health-records"),
		router.On(messages.HealthRecordCreated, healthRecords.created),
		router.On(messages.HealthRecordUpdated, healthRecords.updated),
		router.On(messages.HealthRecordDeleted, healthRecords.deleted),
	)
	// The fan-out: four more consumers on the same topics, each with a group of its own.
	l.consume("notification", d.outside(news), router.OnAny(messages.Types(), news.Notify))
	l.consume("analytics", d.durable("analytics"), router.OnAny(messages.Types(), figures.Note))
	l.consume("logging", router.PartitionOrder(), d.files("logging"), router.OnAny(messages.Types(), lines.Log))
	l.consume("archive", router.PartitionOrder(), d.files("archive"), router.OnRecord(messages.Types(), archive.Keep))
	return l.consumers, errors.Join(l.mistakes...)
}
