package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/prantikov/millrace/config/spring"
)

// namedAt is a property as a warning names it.
func namedAt(property spring.Property) string { return property.Name + " (" + property.At() + ")" }

// effective are all properties, of each name the one that counts, in the order in which they stand.
func (m *springMapping) effective() []spring.Property {
	last := map[string]int{}
	for i, source := range m.environment.Sources {
		for _, property := range source.Properties {
			last[property.Key] = i
		}
	}
	var all []spring.Property
	for i, source := range m.environment.Sources {
		for _, property := range source.Properties {
			if last[property.Key] == i {
				all = append(all, property)
			}
		}
	}
	return all
}

// tellInsteads says what Millrace does in its own way, all properties of one kind in one sentence.
func (m *springMapping) tellInsteads() {
	all := m.effective()
	for _, instead := range springInsteads() {
		var told []string
		for _, property := range all {
			if !instead.has(property.Key) || m.taken[property.Key] {
				continue
			}
			m.taken[property.Key] = true
			text, wrong := m.fill(property)
			if wrong != nil || instead.silent == nil || !instead.silent(text) {
				told = append(told, namedAt(property))
			}
		}
		if len(told) > 0 {
			m.warnings = append(m.warnings, strings.Join(told, ", ")+": "+instead.sentence)
		}
	}
}

func (i springInstead) has(key string) bool {
	return slices.ContainsFunc(i.names, func(name string) bool {
		name = spring.Uniform(name)
		return key == name || strings.HasSuffix(name, ".") && strings.HasPrefix(key, name)
	})
}

// tellLogin says when a login has options that nothing is made of. Their names are not in the sentence: where a quote is missing, they are
// pieces of a password.
func (m *springMapping) tellLogin() {
	for _, property := range m.effective() {
		if !strings.HasSuffix(property.Key, ".sasl.jaas.config") || !m.taken[property.Key] {
			continue
		}
		text, wrong := m.fill(property)
		if wrong != nil {
			continue
		}
		login, err := spring.ParseLogin(text)
		if err != nil {
			continue
		}
		for _, known := range loginOptions() {
			delete(login.Options, known)
		}
		if len(login.Options) > 0 {
			m.warnings = append(m.warnings, fmt.Sprintf("%s has %d option(s) of its login module that Millrace does not take; it takes %s",
				namedAt(property), len(login.Options), strings.Join(loginOptions(), ", ")))
		}
	}
}

// tellRepeated names what is there twice in one document, of which Java takes the last without a word.
func (m *springMapping) tellRepeated() {
	for _, source := range m.environment.Sources {
		for _, property := range source.Properties {
			if property.Earlier > 0 {
				m.warnings = append(m.warnings, fmt.Sprintf("%s is there twice; line %d counts for nothing", namedAt(property), property.Earlier))
			}
		}
	}
}

// tellRest names every property that nothing was made of: those of Kafka one by one, all others together.
func (m *springMapping) tellRest() {
	var kafka, others []spring.Property
	for _, property := range m.effective() {
		key := property.Key
		switch {
		case m.taken[key], m.environment.Used(key), strings.HasPrefix(key, "spring.config.activate."), strings.HasPrefix(key, "spring.profiles"):
		case key == "spring.config.location" && property.Variable != "":
		case key == "spring.application.json" && property.Variable != "":
		case key == "spring.config.import":
			m.warnings = append(m.warnings, namedAt(property)+" is not followed: what it would bring is missing here; set that with variables")
		case strings.HasPrefix(key, "spring.kafka."), strings.HasPrefix(key, "kafka.topic."):
			kafka = append(kafka, property)
		default:
			others = append(others, property)
		}
	}
	if len(kafka) > 0 {
		var names []string
		for _, property := range kafka {
			names = append(names, namedAt(property))
		}
		m.warnings = append(m.warnings, "not taken, for Millrace has no counterpart: "+strings.Join(names, ", "))
	}
	if len(others) > 0 {
		m.warnings = append(m.warnings, "not read, for it is not about Kafka: "+strings.Join(grouped(others), ", "))
	}
}

// grouped names properties; those of one family, such as spring.datasource, stand together and say their common beginning once.
func grouped(properties []spring.Property) []string {
	families := map[string][]spring.Property{}
	var order []string
	for _, property := range properties {
		family := familyOf(property.Key)
		if families[family] == nil {
			order = append(order, family)
		}
		families[family] = append(families[family], property)
	}
	var names []string
	for _, family := range order {
		for i, property := range families[family] {
			name, at := property.Name, property.At()
			if before := families[family][max(i-1, 0)]; i > 0 && property.Line > 0 && before.File == property.File {
				at = strconv.Itoa(property.Line)
			}
			if i > 0 {
				name = property.Name[len(familyOf(property.Name)):]
			}
			names = append(names, name+" ("+at+")")
		}
	}
	return names
}

// familyOf is the first two parts of a name of three or more.
func familyOf(name string) string {
	if parts := strings.SplitN(name, ".", 3); len(parts) == 3 {
		return parts[0] + "." + parts[1]
	}
	return name
}

// tellProfiles names profiles that change nothing.
func (m *springMapping) tellProfiles() {
	for _, profile := range m.environment.Without {
		m.warnings = append(m.warnings, fmt.Sprintf("profile %q changes nothing: there is no file and no document for it", profile))
	}
}
