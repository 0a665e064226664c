package handlers

import "slices"

// transitions has, for each status, those that may follow it. A status that is missing is final. The same status again is always allowed.
type transitions map[string][]string

// allows says whether an entity may go from one status to another. An event without a status changes none.
func (t transitions) allows(from, to string) bool {
	return t == nil || from == "" || to == "" || from == to || slices.Contains(t[from], to)
}

var (
	// A confirmed appointment that is scheduled again was rescheduled. Steps may be left out.
	appointmentTransitions = transitions{
		"scheduled": {"confirmed", "completed", "cancelled"},
		"confirmed": {"scheduled", "completed", "cancelled"},
	}
	prescriptionTransitions = transitions{
		"active":   {"inactive", "completed"},
		"inactive": {"active", "completed"},
	}
	orderTransitions = transitions{
		"pending":    {"processing", "shipped", "delivered"},
		"processing": {"shipped", "delivered"},
		"shipped":    {"delivered"},
	}
)
