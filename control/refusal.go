package control

import (
	"fmt"
	"net/http"
)

// Refusal is a no, in one sentence that names nothing of a record.
type Refusal struct {
	// Code is the answer's HTTP status.
	Code int
	Text string
}

// Error implements error.
func (r *Refusal) Error() string { return r.Text }

// Misused says that what was asked for does not exist or makes no sense, whatever the process does at the moment.
func (r *Refusal) Misused() bool {
	return r.Code == http.StatusBadRequest || r.Code == http.StatusNotFound
}

// misused refuses what makes no sense.
func misused(format string, arguments ...any) *Refusal {
	return &Refusal{http.StatusBadRequest, fmt.Sprintf(format, arguments...)}
}

// unknown refuses a name that nothing has.
func unknown(format string, arguments ...any) *Refusal {
	return &Refusal{http.StatusNotFound, fmt.Sprintf(format, arguments...)}
}

// conflict refuses what does not fit the state of things.
func conflict(format string, arguments ...any) *Refusal {
	return &Refusal{http.StatusConflict, fmt.Sprintf(format, arguments...)}
}
