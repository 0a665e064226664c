package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	wmkafka "github.com/ThreeDotsLabs/watermill-kafka/v3/pkg/kafka"
	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/prantikov/millrace/messages"
)

// stockConsumer is one handler of a stock application: a topic and a group of its own, since two handlers in one group rebalance each other.
type stockConsumer struct {
	Name  string  `json:"name"`
	Type  string  `json:"type"`
	Topic string  `json:"topic"`
	Group string  `json:"group"`
	Ends  []int64 `json:"ends"`
	// Raw leaves the record undecoded, as an archive does.
	Raw bool `json:"raw"`
}

// deliveries is how many handlers get each record: that of its topic and four of the fan-out.
const deliveries = 5

type plainPrescription struct {
	PrescriptionID string `json:"prescriptionId"`
	PatientID      string `json:"patientId"`
	DoctorID       string `json:"doctorId"`
	Medication     string `json:"medication"`
	Dosage         string `json:"dosage"`
	Frequency      string `json:"frequency"`
	StartDate      string `json:"startDate"`
	EndDate        string `json:"endDate"`
	Status         string `json:"status"`
	Action         string `json:"action"`
}

func (e plainPrescription) check() error {
	return knownAction(e.Action, "created", "updated", "cancelled", "deleted")
}

type plainOrder struct {
	OrderID      string  `json:"orderId"`
	PatientID    string  `json:"patientId"`
	PharmacyID   string  `json:"pharmacyId"`
	TotalPrice   float64 `json:"totalPrice"`
	OrderDate    string  `json:"orderDate"`
	DeliveryDate string  `json:"deliveryDate"`
	Status       string  `json:"status"`
	Items        []any   `json:"items"`
	Action       string  `json:"action"`
}

func (e plainOrder) check() error {
	return knownAction(e.Action, "created", "updated", "shipped", "delivered", "deleted")
}

type plainHealthRecord struct {
	RecordID    string `json:"recordId"`
	PatientID   string `json:"patientId"`
	DoctorID    string `json:"doctorId"`
	RecordType  string `json:"recordType"`
	Description string `json:"description"`
	RecordDate  string `json:"recordDate"`
	Action      string `json:"action"`
}

func (e plainHealthRecord) check() error {
	return knownAction(e.Action, "created", "updated", "deleted")
}

// plainDecoder is what reads the events of a type.
func plainDecoder(name string) (func([]byte) error, bool) {
	decode, known := map[string]func([]byte) error{
		messages.Appointments.Name():  decodePlain[plainAppointment],
		messages.Prescriptions.Name(): decodePlain[plainPrescription],
		messages.Orders.Name():        decodePlain[plainOrder],
		messages.HealthRecords.Name(): decodePlain[plainHealthRecord],
	}[name]
	return decode, known
}

// consumeStock runs a stock application with as many handlers as the binary has, which decode and do nothing else. A record counts when the outermost middleware has seen it end, also in the poison queue.
func (t task) consumeStock(ctx context.Context) (report, error) {
	var ends []int64
	first := map[string]int32{}
	for _, c := range t.Consumers {
		first[c.Name] = int32(len(ends))
		ends = append(ends, c.Ends...)
	}
	m := newMeter(ends, t.Limit)
	count := func(next message.HandlerFunc) message.HandlerFunc {
		return func(msg *message.Message) ([]*message.Message, error) {
			m.start()
			made, err := next(msg)
			if err == nil {
				partition, _ := wmkafka.MessagePartitionFromCtx(msg.Context())
				offset, _ := wmkafka.MessagePartitionOffsetFromCtx(msg.Context())
				m.count(first[message.HandlerNameFromCtx(msg.Context())]+partition, offset)
			}
			return made, err
		}
	}
	router, closePoison, err := newStockRouter(t.Brokers, t.Topic, count)
	if err != nil {
		return report{}, err
	}
	defer closePoison()
	for _, c := range t.Consumers {
		if err := c.addTo(router, t.Brokers); err != nil {
			return report{}, err
		}
	}
	ran := make(chan error, 1)
	go func() { ran <- router.Run(context.WithoutCancel(ctx)) }()
	select {
	case <-m.over:
	case err := <-ran:
		return report{}, errors.Join(errors.New("the router ended before the records did"), err)
	case <-ctx.Done():
		return report{}, ctx.Err()
	}
	r := m.report()
	r.Records /= deliveries
	closed := make(chan error, 1)
	go func() { closed <- router.Close() }()
	select {
	case <-closed:
	case <-time.After(patience):
	}
	return r, nil
}

// addTo gives the consumer its handler.
func (c stockConsumer) addTo(router *message.Router, brokers []string) error {
	subscriber, err := newStockSubscriber(brokers, c.Group)
	if err != nil {
		return err
	}
	decode, known := plainDecoder(c.Type)
	if !known {
		return fmt.Errorf("there is no type %q", c.Type)
	}
	if c.Raw {
		decode = func([]byte) error { return nil }
	}
	router.AddConsumerHandler(c.Name, c.Topic, subscriber, func(msg *message.Message) error { return decode(msg.Payload) })
	return nil
}
