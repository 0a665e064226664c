package config

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"github.com/knadh/koanf/v2"
)

// Plugin reads the section plugins.<name> into a plugin's struct, with the precedence and the strictness of our own settings: a field that
// nothing sets keeps what it has (so fill in the defaults before), an unknown key or variable is a mistake that names it, and all mistakes
// come at once, each a [*Mistake]. When the struct has Validate() error, that is called last; into is changed only when nothing is wrong.
//
// into points to a struct. A field's name is its koanf tag, or its own name in small letters with underscores. The variable of Rate in
// loyalty is MILLRACE_PLUGINS_LOYALTY_RATE. Fields may be texts, numbers, switches, durations ("10s"), lists of texts, structs,
// [Secret], whatever unmarshals itself from text, and as free YAML everything else.
func (l *Loaded) Plugin(name string, into any) error {
	target := reflect.ValueOf(into)
	if target.Kind() != reflect.Pointer || target.IsNil() || target.Elem().Kind() != reflect.Struct {
		return fmt.Errorf("settings of plugin %q: into is %T and must point to a struct", name, into)
	}
	work := reflect.New(target.Elem().Type())
	work.Elem().Set(target.Elem())
	reading := &pluginReading{loaded: l, name: name}
	reading.fields(work.Elem(), []string{"plugins", name})
	reading.unknownKeys()
	reading.unknownVariables()
	var rows []Row
	for _, field := range reading.all {
		rows = append(rows, reading.read(field))
	}
	if len(reading.mistakes) > 0 {
		return fmt.Errorf("settings of plugin %q: %w", name, join(reading.mistakes))
	}
	if checked, ok := work.Interface().(interface{ Validate() error }); ok {
		if err := checked.Validate(); err != nil {
			return fmt.Errorf("settings of plugin %q: %w", name, err)
		}
	}
	target.Elem().Set(work.Elem())
	l.guard.Lock()
	defer l.guard.Unlock()
	l.plugins[name] = rows
	l.warn(reading.warnings)
	return nil
}

// warn adds what is not there yet: a plugin may read its settings twice.
func (l *Loaded) warn(warnings []string) {
	for _, warning := range warnings {
		if !slices.Contains(l.Warnings, warning) {
			l.Warnings = append(l.Warnings, warning)
		}
	}
}

// pluginField is one field of a plugin's struct as a setting.
type pluginField struct {
	instance
	value reflect.Value
}

type pluginReading struct {
	loaded   *Loaded
	name     string
	all      []pluginField
	mistakes []*Mistake
	warnings []string
}

// fields lists the struct's settings, those of structs in it too.
func (r *pluginReading) fields(section reflect.Value, above []string) {
	for i := range section.NumField() {
		field := section.Type().Field(i)
		tag, options, _ := strings.Cut(field.Tag.Get("koanf"), ",")
		if tag == "-" || !field.IsExported() {
			continue
		}
		if options == "squash" && field.Type.Kind() == reflect.Struct {
			r.fields(section.Field(i), above)
			continue
		}
		if tag == "" {
			tag = snake(field.Name)
		}
		parts := append(above[:len(above):len(above)], tag)
		kind := kindOf(field.Type)
		if kind == kindFree && field.Type.Kind() == reflect.Struct && !fromText(field.Type) {
			r.fields(section.Field(i), parts)
			continue
		}
		r.all = append(r.all, pluginField{instance{Setting: Setting{Path: printable(parts), Kind: kind}, parts: parts}, section.Field(i)})
	}
}

// snake writes MaxItems as max_items and APIKey as api_key.
func snake(name string) string {
	var out strings.Builder
	for i, r := range name {
		upper := r >= 'A' && r <= 'Z'
		if upper && i > 0 {
			before, after := name[i-1], byte(0)
			if i+1 < len(name) {
				after = name[i+1]
			}
			if before < 'A' || before > 'Z' || after >= 'a' && after <= 'z' {
				out.WriteByte('_')
			}
		}
		out.WriteString(strings.ToLower(string(r)))
	}
	return out.String()
}

// unknownKeys reports what the files have in the section and the struct has not.
func (r *pluginReading) unknownKeys() {
	all := make([]instance, 0, len(r.all))
	for _, field := range r.all {
		all = append(all, r.names(field)...)
	}
	// The walk is the one of the files, in a world that has this plugin's settings alone.
	alone := &Loaded{known: index(all), sources: r.loaded.sources}
	section := []string{"plugins", r.name}
	for _, layer := range r.loaded.layers {
		if layer.file == "" || !layer.values.Exists(joined(section)) {
			continue
		}
		walk := keyWalk{loaded: alone, file: layer}
		walk.below(section, layer.values.Get(joined(section)))
		r.mistakes = append(r.mistakes, walk.mistakes...)
	}
}

// unknownVariables reports the variables and flags of this plugin that no field has, and fields that cannot be told apart.
func (r *pluginReading) unknownVariables() {
	variables, paths := map[string]string{}, map[string]bool{}
	for _, field := range r.all {
		for _, one := range r.names(field) {
			variable := environmentName(one.parts)
			if other, taken := variables[variable]; taken {
				r.mistakes = append(r.mistakes, &Mistake{Path: one.path(), Reason: "its variable " + variable + " is that of " + other + " too", Advice: "give the field another name"})
			}
			variables[variable], paths[one.path()] = one.path(), true
		}
	}
	prefix := environmentName([]string{"plugins", r.name, ""})
	for _, name := range sortedKeys(r.loaded.variables) {
		owner := r.loaded.pluginOf(name)
		if variables[name] == "" && strings.HasPrefix(name, prefix) && (owner == "" || owner == r.name) {
			r.mistakes = append(r.mistakes, &Mistake{Path: name, Reason: "plugin " + r.name + " has no setting with this variable",
				Advice: adviceNearest(name, sortedKeys(variables))})
		}
	}
	for _, path := range sortedKeys(r.loaded.sources.Flags) {
		if strings.HasPrefix(path, "plugins."+r.name+".") && !paths[path] {
			r.mistakes = append(r.mistakes, &Mistake{Path: "--" + path, Reason: "plugin " + r.name + " has no such setting", Advice: adviceNearest(path, sortedKeys(paths))})
		}
	}
}

// names are the settings of a field: itself, and its file when it is a secret.
func (*pluginReading) names(field pluginField) []instance {
	if field.Secret() {
		return []instance{field.instance, secretFile(field.instance)}
	}
	return []instance{field.instance}
}

func adviceNearest(name string, candidates []string) string {
	if len(candidates) == 0 {
		return "remove it"
	}
	return "the nearest is " + nearest(name, candidates)
}

// read sets one field and returns its row.
func (r *pluginReading) read(field pluginField) Row {
	raw, origin, found := r.lookup(field.instance)
	var mistake *Mistake
	switch {
	case field.Secret():
		origin, mistake = r.readSecret(field)
	case found:
		mistake = r.set(field, raw, origin)
	default:
		origin = Origin{Source: SourceDefault}
	}
	if mistake != nil {
		r.mistakes = append(r.mistakes, mistake)
	}
	row := Row{Path: field.path(), Origin: origin.String(), Secret: field.Secret()}
	switch {
	case field.Secret():
		row.Value = hidden
	case field.Kind == kindFree:
		// What is within, and whether a secret is among it, is the plugin's.
		row.Value = hidden
	default:
		row.Value = show(field)
	}
	return row
}

// lookup looks into the files, the variables and the flags.
func (r *pluginReading) lookup(one instance) (any, Origin, bool) {
	if value, found := r.loaded.sources.Flags[one.path()]; found {
		return value, Origin{Source: SourceFlag, Name: "--" + one.path()}, true
	}
	if value, found := r.loaded.variables[environmentName(one.parts)]; found {
		return value, Origin{Source: SourceEnvironment, Name: environmentName(one.parts)}, true
	}
	return r.loaded.lookup(one.key())
}

// set puts a text, list or section into a field.
func (r *pluginReading) set(field pluginField, raw any, origin Origin) *Mistake {
	var wrong *unreadable
	if unread, ok := raw.(*springUnread); ok {
		wrong = unread.wrong
	} else if field.Kind == kindFree {
		wrong = setFree(field.value, raw)
	} else {
		var value any
		if value, wrong = field.Kind.read(raw); wrong == nil {
			wrong = setTyped(field.value, value)
		}
	}
	if wrong == nil {
		return nil
	}
	return refusal(field.instance, raw, origin, wrong)
}

// setFree leaves what is no simple value to koanf and its decoder. Its errors repeat values, so they are replaced.
func setFree(field reflect.Value, raw any) *unreadable {
	if text, ok := raw.(string); ok {
		if self, ok := field.Addr().Interface().(encoding.TextUnmarshaler); ok {
			if err := self.UnmarshalText([]byte(text)); err != nil {
				return &unreadable{err.Error(), "correct it"}
			}
			return nil
		}
	}
	var unused mapstructure.Metadata
	holder := koanf.New(delimiter)
	err := holder.Set("value", raw)
	if err == nil {
		err = holder.UnmarshalWithConf("value", field.Addr().Interface(), koanf.UnmarshalConf{DecoderConfig: &mapstructure.DecoderConfig{
			Metadata: &unused, WeaklyTypedInput: true, ZeroFields: true, MatchName: func(key, name string) bool { return key == name || key == snake(name) },
			DecodeHook: mapstructure.ComposeDecodeHookFunc(secretHook, durationHook, mapstructure.TextUnmarshallerHookFunc(), mapstructure.StringToSliceHookFunc(",")),
		}})
	}
	if err != nil {
		return &unreadable{"it does not fit the plugin's " + field.Type().String(), "correct it"}
	}
	if len(unused.Unused) > 0 {
		slices.Sort(unused.Unused)
		return &unreadable{"it has what the plugin does not know: " + strings.Join(unused.Unused, ", "), "remove that or correct its name"}
	}
	return nil
}

func secretHook(_, to reflect.Type, data any) (any, error) {
	if text, ok := data.(string); ok && to == reflect.TypeFor[Secret]() && text != "" {
		return nil, errors.New("a secret is not written into a list or a section")
	}
	return data, nil
}
