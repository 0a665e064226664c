package demo

import (
	"time"

	"github.com/prantikov/millrace/messages"
)

func newAppointments(n *names) cast {
	begin := func(now time.Time) *messages.AppointmentEvent {
		return &messages.AppointmentEvent{
			AppointmentID: n.entity("apt"), PatientID: n.patient(), DoctorID: n.doctor(),
			Date: n.in(now, 60), Time: n.clock(), Reason: n.one(reasons),
			Status: "scheduled", VisitType: n.one([]string{"in_person", "virtual"}), Action: messages.Created,
		}
	}
	return newPool(messages.Appointments, n.random, begin, func(e *messages.AppointmentEvent, now time.Time, busy bool) bool {
		e.Action = messages.Updated
		switch {
		case !busy && n.chance(12):
			e.Action, e.Status = messages.Cancelled, "cancelled"
			return true
		case n.chance(20): // moved to another day, which takes back a confirmation
			e.Status, e.Date, e.Time = "scheduled", n.in(now, 60), n.clock()
		case e.Status == "scheduled":
			e.Status = "confirmed"
		case !busy:
			e.Status = "completed"
			return true
		default:
			e.Status, e.Time = "scheduled", n.clock()
		}
		return false
	})
}

func newPrescriptions(n *names) cast {
	begin := func(now time.Time) *messages.PrescriptionEvent {
		return &messages.PrescriptionEvent{
			PrescriptionID: n.entity("pre"), PatientID: n.patient(), DoctorID: n.doctor(),
			Medication: n.one(medications), Dosage: n.one(dosages), Frequency: n.one(frequencies),
			StartDate: messages.DateOf(now), Status: "active", Action: messages.Created,
		}
	}
	return newPool(messages.Prescriptions, n.random, begin, func(e *messages.PrescriptionEvent, now time.Time, busy bool) bool {
		e.Action = messages.Updated
		switch {
		case !busy && n.chance(8):
			e.Action, e.Status, e.EndDate = messages.Cancelled, "inactive", messages.DateOf(now)
			return true
		case !busy && n.chance(25):
			e.Status, e.EndDate = "completed", messages.DateOf(now)
			return true
		case e.Status == "inactive":
			e.Status = "active"
		case n.chance(20):
			e.Status = "inactive"
		default:
			e.Dosage, e.Frequency = n.one(dosages), n.one(frequencies)
		}
		return false
	})
}

func newOrders(n *names) cast {
	begin := func(now time.Time) *messages.OrderEvent {
		e := &messages.OrderEvent{
			OrderID: n.entity("ord"), PatientID: n.patient(), PharmacyID: n.pharmacy(),
			Status: "pending", OrderDate: messages.DateTimeOf(now.Truncate(time.Second)), Action: messages.Created,
		}
		n.fill(e)
		return e
	}
	return newPool(messages.Orders, n.random, begin, func(e *messages.OrderEvent, now time.Time, busy bool) bool {
		switch {
		case busy || (e.Status == "pending" && n.chance(30)):
			e.Action, e.Status = messages.Updated, "processing"
			n.fill(e)
		case e.Status == "shipped":
			e.Action, e.Status = messages.Delivered, "delivered"
			e.DeliveryDate = messages.DateTimeOf(now.Truncate(time.Second))
			return true
		default:
			e.Action, e.Status = messages.Shipped, "shipped"
		}
		return false
	})
}

// fill puts other items into an order.
func (n *names) fill(e *messages.OrderEvent) {
	cents := 0
	e.Items = make([]messages.OrderItemEvent, 1+n.random.IntN(3))
	for i := range e.Items {
		quantity, price := 1+n.random.IntN(4), 199+n.random.IntN(5000)
		cents += quantity * price
		e.Items[i] = messages.OrderItemEvent{
			ProductID: n.one(products), Quantity: messages.Integer(quantity), Price: messages.NumberOf(float64(price) / 100),
		}
	}
	e.TotalPrice = messages.NumberOf(float64(cents) / 100)
}

func newHealthRecords(n *names) cast {
	begin := func(now time.Time) *messages.HealthRecordEvent {
		return &messages.HealthRecordEvent{
			RecordID: n.entity("rec"), PatientID: n.patient(), DoctorID: n.doctor(),
			RecordType:  n.one([]string{"lab_result", "diagnosis", "treatment"}),
			Description: n.one(findings), RecordDate: messages.DateOf(now), Action: messages.Created,
		}
	}
	return newPool(messages.HealthRecords, n.random, begin, func(e *messages.HealthRecordEvent, _ time.Time, busy bool) bool {
		if !busy && n.chance(3) {
			e.Action = messages.Deleted
			return true
		}
		e.Action, e.Description = messages.Updated, n.one(findings)
		return !busy && n.chance(40) // nothing more is written to it
	})
}
