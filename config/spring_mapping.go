package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/knadh/koanf/v2"

	"github.com/prantikov/millrace/config/spring"
)

// springMapping makes layers of ours from what Spring would read: one layer for each document, one for the variables.
type springMapping struct {
	loaded      *Loaded
	environment *spring.Environment
	layers      []*layer
	// taken are the uniform names that something was made of.
	taken    map[string]bool
	warnings []string
	mistakes []*Mistake
}

// springLayers reads the environment as Spring's. The layers are in the order of its sources.
func (l *Loaded) springLayers(environment *spring.Environment, scope springScope) *springMapping {
	m := &springMapping{loaded: l, environment: environment, taken: map[string]bool{}}
	for _, source := range environment.Sources {
		m.layers = append(m.layers, springLayer(source))
	}
	for _, rule := range scope.rules() {
		m.rule(rule)
	}
	m.checkBundle(scope.bundle)
	m.ownNames()
	m.tellInsteads()
	m.tellLogin()
	m.tellRepeated()
	m.tellRest()
	return m
}

func springLayer(source spring.Source) *layer {
	result := &layer{source: SourceFile, file: source.File, properties: map[string]spring.Property{}, instead: map[string]string{}, unread: map[string]*springUnread{}, values: koanf.New(delimiter)}
	switch {
	case source.File == "":
		result.source = SourceEnvironment
	case source.Profile:
		result.source = SourceProfile
	}
	return result
}

// rule fills in one setting, in each layer that says something about it.
func (m *springMapping) rule(rule springRule) {
	one, known := m.loaded.known.paths[rule.setting]
	if !known {
		return
	}
	var present []springName
	for _, name := range rule.names {
		if m.has(name.name) {
			m.taken[spring.Uniform(name.name)] = true
			present = append(present, name)
		}
	}
	if len(present) == 0 {
		return
	}
	chosen := present[len(present)-1]
	for i, source := range m.environment.Sources {
		if property, found := source.Find(spring.Uniform(chosen.name)); found {
			m.set(m.layers[i], one, property, m.read(chosen, property))
		}
	}
	if rule.single {
		m.tellDifference(one, present)
	}
}

func (m *springMapping) has(name string) bool {
	_, found := m.last(name)
	return found
}

// last is the property of a name that counts.
func (m *springMapping) last(name string) (spring.Property, bool) {
	key := spring.Uniform(name)
	for _, source := range slices.Backward(m.environment.Sources) {
		if property, found := source.Find(key); found {
			return property, true
		}
	}
	return spring.Property{}, false
}

// read fills the placeholders and turns the text into one of ours.
func (m *springMapping) read(name springName, property spring.Property) springValue {
	text := property.Text()
	filled, err := m.fill(property)
	var result springValue
	if err != nil {
		result.wrong = err
	} else {
		text = filled
		result = name.read(filled, property)
	}
	if result.wrong != nil {
		if name.secret {
			text = ""
		}
		result.value = &springUnread{text: text, wrong: result.wrong}
	}
	return result
}

// fill fills the placeholders of all entries.
func (m *springMapping) fill(property spring.Property) (string, *unreadable) {
	filled := make([]string, len(property.Values))
	for i, text := range property.Values {
		var err error
		if filled[i], err = m.environment.Resolve(text); err != nil {
			advice := "correct the placeholder"
			if missing := new(spring.Missing); errors.As(err, &missing) && missing.Reason == "" {
				advice = "set " + missing.Name + " as a variable or a property, or write ${" + missing.Name + ":…} with a default behind the colon"
			}
			return "", &unreadable{err.Error(), advice}
		}
	}
	return strings.Join(filled, ","), nil
}

func (m *springMapping) set(layer *layer, one instance, property spring.Property, value springValue) {
	if value.value == nil {
		return
	}
	if unread, ok := value.value.(*springUnread); ok {
		layer.unread[one.key()] = unread
		value.value = ""
	}
	if err := layer.values.Set(one.key(), value.value); err != nil {
		m.mistakes = append(m.mistakes, &Mistake{Path: property.Name, Origin: property.At(), Reason: err.Error(), Advice: "remove it"})
		return
	}
	layer.properties[one.key()] = property
	if value.instead == "" {
		return
	}
	text, _ := m.fill(property)
	layer.instead[one.key()] = fmt.Sprintf("%s is %s (%s): %s; %s is %v instead", property.Name, quoted(text), property.At(), value.instead, one.path(), value.value)
}

// tellDifference says when Spring's clients would not all have the same and we have one value for all of them.
func (m *springMapping) tellDifference(one instance, present []springName) {
	values := make([]any, len(present))
	for i, name := range present {
		property, _ := m.last(name.name)
		values[i] = m.read(name, property).value
	}
	taken, _ := m.last(present[len(present)-1].name)
	for i, name := range present[:len(present)-1] {
		if values[i] == values[len(values)-1] || values[i] == nil {
			continue
		}
		if _, unread := values[i].(*springUnread); unread {
			continue
		}
		other, _ := m.last(name.name)
		m.warnings = append(m.warnings, fmt.Sprintf("%s (%s) is not taken: Millrace has one %s for all, and it is that of %s (%s)",
			other.Name, other.At(), one.path(), taken.Name, taken.At()))
	}
}
