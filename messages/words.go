package messages

import (
	"reflect"
	"slices"
	"strings"
)

// hasAction says whether the type has an action, spelled like this.
func (t *Topic[T]) hasAction(action Action) bool { return slices.Contains(t.actions, action) }

// knownAction finds the action that another spelling means.
func (t *Topic[T]) knownAction(spelled Action) (Action, bool) {
	for _, action := range t.actions {
		if sameWord(string(spelled), string(action)) {
			return action, true
		}
	}
	return "", false
}

func (t *Topic[T]) actionNames() string {
	names := make([]string, len(t.actions))
	for i, action := range t.actions {
		names[i] = string(action)
	}
	return strings.Join(names, ", ")
}

// normalise brings the words of fields that have fixed ones to the contract's spelling and says whether any had another. A word that
// is not the contract's in any spelling stays as it is, for [Check] to judge.
func (t *Topic[T]) normalise(event *T) bool {
	if len(t.fields.enums) == 0 {
		return false
	}
	normalised := false
	body := reflect.ValueOf(event).Elem()
	for _, member := range t.fields.enums {
		place := body.FieldByIndex(member.index)
		spelled := place.String()
		if spelled == "" || slices.Contains(member.enum, spelled) {
			continue
		}
		for _, word := range member.enum {
			if sameWord(spelled, word) {
				place.SetString(word)
				normalised = true
				break
			}
		}
	}
	return normalised
}

// sameWord says whether two words differ only in case and in - for _.
func sameWord(spelled, word string) bool {
	return len(spelled) == len(word) && strings.EqualFold(strings.ReplaceAll(spelled, "-", "_"), word)
}

// Check says whether every field that has fixed words (status, visit type, record type) has one of them or none. The error is an
// [*Error] with class unknown_status. It is the business of those consumers alone that act on the words.
func (t *Topic[T]) Check(event *T) error {
	return checkWords(t.name, t.fields, reflect.ValueOf(event).Elem())
}

func (t *Topic[T]) checkAny(body any) error {
	event, ok := body.(*T)
	if !ok {
		return Check(body)
	}
	return t.Check(event)
}

// Check is [Topic.Check] for a body whose type is not known at this place: a pointer to an event's struct. Anything else passes.
// For a type that is not built in it reads the struct's tags each time; [Decoded.Check] does not.
func Check(body any) error {
	switch event := body.(type) {
	case *AppointmentEvent:
		return Appointments.Check(event)
	case *PrescriptionEvent:
		return Prescriptions.Check(event)
	case *OrderEvent:
		return Orders.Check(event)
	case *HealthRecordEvent:
		return HealthRecords.Check(event)
	}
	pointer := reflect.ValueOf(body)
	if pointer.Kind() != reflect.Pointer || pointer.IsNil() || pointer.Elem().Kind() != reflect.Struct {
		return nil
	}
	event := pointer.Elem()
	return checkWords(event.Type().Name(), fieldsOf(event.Type()), event)
}

func checkWords(name string, fields *fieldSet, event reflect.Value) error {
	for _, member := range fields.enums {
		word := event.FieldByIndex(member.index).String()
		if word != "" && !slices.Contains(member.enum, word) {
			return &Error{
				Class:  classUnknownStatus,
				Type:   name,
				Field:  member.name,
				Reason: "the word is not one of " + strings.Join(member.enum, ", "),
				tried:  "checking",
			}
		}
	}
	return nil
}
