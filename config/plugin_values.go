package config

import (
	"encoding"
	"reflect"
	"time"
)

// kindOf is how a plugin's field is read.
func kindOf(field reflect.Type) Kind {
	switch {
	case field == reflect.TypeFor[Secret]():
		return KindSecret
	case field == reflect.TypeFor[time.Duration]():
		return KindDuration
	case fromText(field):
		return kindFree
	}
	switch field.Kind() {
	case reflect.String:
		return KindText
	case reflect.Bool:
		return KindSwitch
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return KindCount
	case reflect.Float32, reflect.Float64:
		return KindNumber
	case reflect.Slice:
		if field.Elem().Kind() == reflect.String && !fromText(field.Elem()) {
			return KindList
		}
	default:
	}
	return kindFree
}

func fromText(field reflect.Type) bool {
	return reflect.PointerTo(field).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// setTyped puts a value that was read by kind into a field of that kind.
func setTyped(field reflect.Value, value any) *unreadable {
	tooLarge := &unreadable{"it is outside the numbers of " + field.Type().String(), "write one within"}
	switch value := value.(type) {
	case string:
		field.SetString(value)
	case bool:
		field.SetBool(value)
	case time.Duration:
		field.SetInt(int64(value))
	case float64:
		if field.OverflowFloat(value) {
			return tooLarge
		}
		field.SetFloat(value)
	case int:
		switch {
		case field.CanInt() && !field.OverflowInt(int64(value)):
			field.SetInt(int64(value))
		case field.CanUint() && value >= 0 && !field.OverflowUint(uint64(value)):
			field.SetUint(uint64(value))
		default:
			return tooLarge
		}
	case []string:
		list := reflect.MakeSlice(field.Type(), len(value), len(value))
		for i, text := range value {
			list.Index(i).SetString(text)
		}
		field.Set(list)
	}
	return nil
}

// show writes a field as the file would have it.
func show(field pluginField) string {
	switch field.Kind {
	case KindText:
		return field.value.String()
	case KindList:
		list := make([]string, field.value.Len())
		for i := range list {
			list[i] = field.value.Index(i).String()
		}
		return KindList.format(list)
	default:
		return field.Kind.format(field.value.Interface())
	}
}

// durationHook reads durations within free YAML as our own settings do.
func durationHook(_, to reflect.Type, data any) (any, error) {
	text, ok := data.(string)
	if !ok || to != reflect.TypeFor[time.Duration]() {
		return data, nil
	}
	value, wrong := KindDuration.read(text)
	if wrong != nil {
		return nil, wrong
	}
	return value, nil
}
