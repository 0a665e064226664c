package record

import "time"

// Letter is what is known of a record when a consumer gives it up.
type Letter struct {
	Record *Record
	// Consumer gave the record up, as a member of Group, in its function Handler (empty when none was reached).
	Consumer, Group, Handler string
	Class                    Class
	Attempts                 Attempts
	FailedAt                 time.Time
	// Redriven is the dead letter that the record came back from; its topic is empty for a record that did not.
	Redriven Position
}
