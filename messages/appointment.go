package messages

// AppointmentEvent is an event of the topic appointment-events.
type AppointmentEvent struct {
	AppointmentID string    `json:"appointmentId"`
	PatientID     string    `json:"patientId" phi:"true"`
	DoctorID      string    `json:"doctorId"`
	Date          Date      `json:"date" phi:"true"`
	Time          TimeOfDay `json:"time" phi:"true"`
	Reason        string    `json:"reason" phi:"true"`
	Status        string    `json:"status" enum:"scheduled confirmed completed cancelled"`
	VisitType     string    `json:"visitType" enum:"in_person virtual"`
	Action        Action    `json:"action"`
}

// Appointments is the topic appointment-events.
var Appointments = NewTopic("appointment-events",
	func(e *AppointmentEvent) string { return e.AppointmentID },
	func(e *AppointmentEvent) *Action { return &e.Action },
	Created, Updated, Cancelled,
).WithSamples(samples)

// The kinds of appointment-events.
var (
	AppointmentCreated   = Appointments.Kind(Created)
	AppointmentUpdated   = Appointments.Kind(Updated)
	AppointmentCancelled = Appointments.Kind(Cancelled)
	AppointmentDeleted   = Appointments.Kind(Deleted)
)

// Patient is the patient's id.
func (e AppointmentEvent) Patient() string { return e.PatientID }

// Counterpart is the doctor.
func (e AppointmentEvent) Counterpart() (role, id string) { return "doctor", e.DoctorID }

// StatusName is the appointment's status.
func (e AppointmentEvent) StatusName() string { return e.Status }
