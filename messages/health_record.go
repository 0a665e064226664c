package messages

// HealthRecordEvent is an event of the topic health-record-events. It has no status.
type HealthRecordEvent struct {
	RecordID    string `json:"recordId"`
	PatientID   string `json:"patientId" phi:"true"`
	DoctorID    string `json:"doctorId"`
	RecordType  string `json:"recordType" enum:"lab_result diagnosis treatment"`
	Description string `json:"description" phi:"true"`
	RecordDate  Date   `json:"recordDate" phi:"true"`
	Action      Action `json:"action"`
}

// HealthRecords is the topic health-record-events.
var HealthRecords = NewTopic("health-record-events",
	func(e *HealthRecordEvent) string { return e.RecordID },
	func(e *HealthRecordEvent) *Action { return &e.Action },
	Created, Updated,
).WithSamples(samples)

// The kinds of health-record-events.
var (
	HealthRecordCreated = HealthRecords.Kind(Created)
	HealthRecordUpdated = HealthRecords.Kind(Updated)
	HealthRecordDeleted = HealthRecords.Kind(Deleted)
)

// Patient is the patient's id.
func (e HealthRecordEvent) Patient() string { return e.PatientID }

// Counterpart is the doctor.
func (e HealthRecordEvent) Counterpart() (role, id string) { return "doctor", e.DoctorID }

// StatusName is empty: health records have no status.
func (e HealthRecordEvent) StatusName() string { return "" }
