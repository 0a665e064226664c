package messages

import (
	"fmt"
	"io"
	"log/slog"
	"reflect"
)

// Visible is what may be shown of an event: a group of the fields that are set and not tagged phi. Lists are left out.
//
// A type of your own calls it in its LogValue, so that slog shows no patient data:
//
//	func (v VisitEvent) LogValue() slog.Value { return messages.Visible(v) }
func Visible(event any) slog.Value {
	body := reflect.ValueOf(event)
	for body.Kind() == reflect.Pointer || body.Kind() == reflect.Interface {
		body = body.Elem()
	}
	if body.Kind() != reflect.Struct {
		return slog.GroupValue()
	}
	return slog.GroupValue(visibleFields(fieldsOf(body.Type()), body)...)
}

func visibleFields(fields *fieldSet, body reflect.Value) []slog.Attr {
	var shown []slog.Attr
	for i := range fields.list {
		member := &fields.list[i]
		place, err := body.FieldByIndexErr(member.index)
		if err != nil || member.phi || member.list || place.IsZero() {
			continue
		}
		for place.Kind() == reflect.Pointer {
			place = place.Elem()
		}
		if member.inner != nil {
			shown = append(shown, slog.Attr{Key: member.name, Value: slog.GroupValue(visibleFields(member.inner, place)...)})
		} else if value, ok := visibleLeaf(place); ok {
			shown = append(shown, slog.Attr{Key: member.name, Value: value})
		}
	}
	return shown
}

func visibleLeaf(place reflect.Value) (slog.Value, bool) {
	switch {
	case place.Kind() == reflect.String:
		return slog.StringValue(place.String()), true
	case place.Kind() == reflect.Bool:
		return slog.BoolValue(place.Bool()), true
	case place.CanInt():
		return slog.Int64Value(place.Int()), true
	case place.CanUint():
		return slog.Uint64Value(place.Uint()), true
	case place.CanFloat():
		return slog.Float64Value(place.Float()), true
	}
	if text, ok := place.Interface().(fmt.Stringer); ok {
		return slog.StringValue(text.String()), true
	}
	return slog.Value{}, false
}

// show writes the group in the form that fmt gives structs, whatever the verb.
func show(state fmt.State, name string, group slog.Value) {
	_, _ = io.WriteString(state, name+group.String()) // fmt's own state does not fail
}

// LogValue shows slog what is not patient data.
func (e AppointmentEvent) LogValue() slog.Value { return Visible(e) }

// Format prints what is not patient data, whatever the verb.
func (e AppointmentEvent) Format(state fmt.State, _ rune) {
	show(state, "AppointmentEvent", Visible(e))
}

// LogValue shows slog what is not patient data.
func (e PrescriptionEvent) LogValue() slog.Value { return Visible(e) }

// Format prints what is not patient data, whatever the verb.
func (e PrescriptionEvent) Format(state fmt.State, _ rune) {
	show(state, "PrescriptionEvent", Visible(e))
}

// LogValue shows slog what is not patient data.
func (e OrderEvent) LogValue() slog.Value { return Visible(e) }

// Format prints what is not patient data, whatever the verb.
func (e OrderEvent) Format(state fmt.State, _ rune) { show(state, "OrderEvent", Visible(e)) }

// LogValue shows slog what is not patient data: nothing.
func (e OrderItemEvent) LogValue() slog.Value { return Visible(e) }

// Format prints what is not patient data, whatever the verb: nothing.
func (e OrderItemEvent) Format(state fmt.State, _ rune) { show(state, "OrderItemEvent", Visible(e)) }

// LogValue shows slog what is not patient data.
func (e HealthRecordEvent) LogValue() slog.Value { return Visible(e) }

// Format prints what is not patient data, whatever the verb.
func (e HealthRecordEvent) Format(state fmt.State, _ rune) {
	show(state, "HealthRecordEvent", Visible(e))
}

// LogValue shows slog where the event comes from, and not its key, which may name a patient.
func (m Meta) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("type", m.Type),
		slog.String("action", string(m.Action)),
		slog.String("id", m.ID),
		slog.String("entityId", m.EntityID),
		slog.String("topic", m.Topic),
		slog.Int64("partition", int64(m.Partition)),
		slog.Int64("offset", m.Offset),
		slog.Time("timestamp", m.Timestamp),
		slog.Bool("replayed", m.Replayed),
		slog.Bool("redriven", m.Redriven),
	)
}

// Format prints where the event comes from, and not its key, whatever the verb.
func (m Meta) Format(state fmt.State, _ rune) { show(state, "Meta", m.LogValue()) }

// LogValue shows slog what of the event is not patient data.
func (d Decoded) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("action", string(d.Action)),
		slog.String("entityId", d.EntityID),
		slog.Attr{Key: "body", Value: Visible(d.Body)},
	)
}

// Format prints what of the event is not patient data, whatever the verb.
func (d Decoded) Format(state fmt.State, _ rune) { show(state, "Decoded", d.LogValue()) }

// LogValue shows slog where the event comes from and what of it is not patient data.
func (e Event[T]) LogValue() slog.Value {
	return slog.GroupValue(append(e.Meta.LogValue().Group(), slog.Attr{Key: "body", Value: Visible(e.Body)})...)
}

// Format prints where the event comes from and what of it is not patient data, whatever the verb.
func (e Event[T]) Format(state fmt.State, _ rune) { show(state, "Event", e.LogValue()) }
