//go:build unix

package integration_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// journey is what happens to the entities of one topic, step by step, as the rules on its status allow.
type journey struct {
	topic    string // our own name
	consumer string // the domain consumer
	event    string // the type's name, as the store has it
	prefix   string // of the entities' ids
	steps    []step
	body     string // an event with holes for id, status and action
}

type step struct{ action, status string }

var journeys = [...]journey{
	{
		"appointment-events", "appointments", "AppointmentEvent", "apt",
		[]step{{"created", "scheduled"}, {"updated", "confirmed"}, {"cancelled", "cancelled"}},
		`{"appointmentId":%q,"patientId":"pat-1","doctorId":"doc-17","date":"2024-12-25","time":"10:30","reason":"check-up","status":%q,"visitType":"in_person","action":%q}`,
	},
	{
		"prescription-events", "prescriptions", "PrescriptionEvent", "rx",
		[]step{{"created", "active"}, {"updated", "inactive"}, {"updated", "active"}, {"updated", "completed"}},
		`{"prescriptionId":%q,"patientId":"pat-2","doctorId":"doc-3","medication":"Amoxicillin","dosage":"500 mg","frequency":"daily","startDate":"2024-12-25","endDate":"2025-01-04","status":%q,"action":%q}`,
	},
	{
		"order-events", "orders", "OrderEvent", "ord",
		[]step{{"created", "pending"}, {"updated", "processing"}, {"shipped", "shipped"}, {"delivered", "delivered"}},
		`{"orderId":%q,"patientId":"pat-3","pharmacyId":"ph-3","totalPrice":149.99,"status":%q,"orderDate":"2024-12-25T10:30:00","deliveryDate":null,"items":[{"productId":"p-1","quantity":2,"price":62.5}],"action":%q}`,
	},
	{
		"health-record-events", "health-records", "HealthRecordEvent", "hr",
		[]step{{"created", ""}, {"updated", ""}},
		`{"recordId":%q,"patientId":"pat-4","doctorId":"doc-5","recordType":"lab_result","description":"HbA1c %.0s5.4","recordDate":"2024-12-25","action":%q}`,
	},
}

// fanOut are the consumers that take every topic.
var fanOut = [...]string{"notification", "analytics", "logging", "archive"}

// The headers that say what the test expects of a record. They travel with it to the dead letters.
const (
	// headerBad marks a record that every decoding consumer must dead-letter.
	headerBad = "test-bad"
	// headerEvent is action and status of a good event, so that nothing of the program decides what is expected.
	headerEvent = "test-event"
)

// entitiesAtOnce is how many entities of a topic are under way at a time, unless a test says otherwise.
const entitiesAtOnce = 500

// badEvery is how many good events come before a bad one.
const badEvery = 51

// events makes the records of a load, one after another: the same for each call, with ids that have the given word in them.
type events struct {
	word  string
	topic func(own string) string
	// entities is how many of a topic are under way at a time.
	entities int
	made     int
}

// load makes the records of a load on a platform.
func (p *platform) load() *events {
	return &events{word: p.word, topic: func(own string) string { return p.topics[own] }, entities: entitiesAtOnce}
}

// next is the next record. Every so often it is one that no consumer can decode, with the key of an entity that is under way.
func (e *events) next() *kgo.Record {
	number := e.made
	e.made++
	journey := &journeys[number%len(journeys)]
	turn := number / len(journeys)
	of := e.entities * len(journey.steps)
	id := fmt.Sprintf("%s-%s-%d-%d", journey.prefix, e.word, turn/of, turn%e.entities)
	at := journey.steps[turn%of/e.entities]
	if number%badEvery == badEvery-1 {
		return e.bad(journey, id, at, number/badEvery)
	}
	return &kgo.Record{
		Topic: e.topic(journey.topic), Key: []byte(id), Value: journey.value(id, at), Timestamp: now(),
		Headers: []kgo.RecordHeader{{Key: headerEvent, Value: []byte(at.action + " " + at.status)}},
	}
}

func (j *journey) value(id string, at step) []byte {
	return []byte(fmt.Sprintf(j.body, id, at.status, at.action))
}

// bad is a record that must become a dead letter of every consumer that decodes.
func (e *events) bad(journey *journey, id string, at step, number int) *kgo.Record {
	value := journey.value(id, at)
	switch (number + number/4) % 4 { // each kind on each topic
	case 0:
		value = value[:len(value)/2]
	case 1:
		value = journey.value(id, step{status: at.status, action: "teleported"})
	case 2:
		value = []byte(strings.Replace(string(value), `"patientId":`, `"patientId":[1],"was":`, 1))
	case 3:
		value = []byte{}
	}
	return &kgo.Record{
		Topic: e.topic(journey.topic), Key: []byte(id), Value: value, Timestamp: now(),
		Headers: []kgo.RecordHeader{{Key: headerBad, Value: []byte("1")}},
	}
}

// now has milliseconds, as a record's timestamp has.
func now() time.Time { return time.Now().Truncate(time.Millisecond) }

// header is the last header of the key.
func header(r *kgo.Record, key string) (string, bool) {
	for i := len(r.Headers) - 1; i >= 0; i-- {
		if r.Headers[i].Key == key {
			return string(r.Headers[i].Value), true
		}
	}
	return "", false
}
