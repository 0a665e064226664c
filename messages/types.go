package messages

import (
	"strings"
)

// Types returns the built-in types, in the order of the contract.
func Types() []Type {
	return []Type{Appointments, Prescriptions, Orders, HealthRecords}
}

// TypeNamed returns the type that a type header names, and whether it names one of types.
//
// The header is Spring's __TypeId__, whose last segment is the class (com.acme.OrderEvent, com.acme.Events$OrderEvent), or a
// CloudEvents type, where a segment is the type's name (com.acme.OrderEvent.v1) or two are entity and action
// (com.acme.health.order.shipped.v1). An alias or a class that we do not know names none.
func TypeNamed(header string, types []Type) (Type, bool) {
	header = strings.Trim(header, `"`) // a producer that JSON-encodes its string headers
	if inner := strings.LastIndexByte(header, '$'); inner >= 0 {
		header = header[inner+1:]
	}
	for rest, more := header, true; more; {
		var segment string
		segment, rest, more = strings.Cut(rest, ".")
		next, _, _ := strings.Cut(rest, ".")
		for _, candidate := range types {
			if segment == candidate.Name() || (next != "" && isEntity(segment, candidate) && isAction(next, candidate)) {
				return candidate, true
			}
		}
	}
	return nil, false
}

// isEntity says whether a segment is the type's name without Event, in any usual spelling: order, health-record, healthRecord.
func isEntity(segment string, t Type) bool {
	entity := strings.TrimSuffix(t.Name(), "Event")
	return strings.EqualFold(strings.NewReplacer("_", "", "-", "").Replace(segment), entity)
}

func isAction(segment string, t Type) bool {
	for _, action := range t.Actions() {
		if strings.EqualFold(segment, string(action)) {
			return true
		}
	}
	return false
}
