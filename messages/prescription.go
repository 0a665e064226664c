package messages

// PrescriptionEvent is an event of the topic prescription-events.
type PrescriptionEvent struct {
	PrescriptionID string `json:"prescriptionId"`
	PatientID      string `json:"patientId" phi:"true"`
	DoctorID       string `json:"doctorId"`
	Medication     string `json:"medication" phi:"true"`
	Dosage         string `json:"dosage" phi:"true"`
	Frequency      string `json:"frequency" phi:"true"`
	StartDate      Date   `json:"startDate" phi:"true"`
	EndDate        Date   `json:"endDate" phi:"true"`
	Status         string `json:"status" enum:"active inactive completed"`
	Action         Action `json:"action"`
}

// Prescriptions is the topic prescription-events.
var Prescriptions = NewTopic("prescription-events",
	func(e *PrescriptionEvent) string { return e.PrescriptionID },
	func(e *PrescriptionEvent) *Action { return &e.Action },
	Created, Updated, Cancelled,
).WithSamples(samples)

// The kinds of prescription-events.
var (
	PrescriptionCreated   = Prescriptions.Kind(Created)
	PrescriptionUpdated   = Prescriptions.Kind(Updated)
	PrescriptionCancelled = Prescriptions.Kind(Cancelled)
	PrescriptionDeleted   = Prescriptions.Kind(Deleted)
)

// Patient is the patient's id.
func (e PrescriptionEvent) Patient() string { return e.PatientID }

// Counterpart is the doctor.
func (e PrescriptionEvent) Counterpart() (role, id string) { return "doctor", e.DoctorID }

// StatusName is the prescription's status.
func (e PrescriptionEvent) StatusName() string { return e.Status }
