package handlers

import "github.com/prantikov/millrace/messages"

// Kept is a type of entity whose current state and history a domain consumer keeps in the store.
type Kept struct {
	// Name is what people call one of them: appointment. Consumer is the consumer that keeps them, and what they are called together: appointments.
	Name, Consumer string
	// Type is the type of their events, whose name is that of their states in the store.
	Type messages.Type
}

// KeptEntities are the types of entities that the store has.
func KeptEntities() []Kept {
	return []Kept{
		{"appointment", "appointments", messages.Appointments},
		{"prescription", "prescriptions", messages.Prescriptions},
		{"order", "orders", messages.Orders},
		{"health-record", "health-records", messages.HealthRecords},
	}
}
