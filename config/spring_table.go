package config

import (
	"slices"
	"strings"
)

// SpringProperty is one row of the table of Spring's properties.
type SpringProperty struct {
	// Names are the properties, the usual one first.
	Names []string
	// Kafka is Kafka's own name, by which it can stand below properties too; empty for none.
	Kafka string
	// Setting is what it sets; empty when Millrace does something in its own way.
	Setting string
	// Note is what a reader would not guess.
	Note string
}

// SpringProperties returns what is made of Spring's properties, in the order of the documentation. <name> stands for a consumer.
func SpringProperties() []SpringProperty {
	known, _ := expand([]string{named}, []string{"order-events"})
	var all []SpringProperty
	for _, rule := range (springScope{consumers: []string{named}, topics: []string{"order-events"}, bundle: "<bundle>"}).rules() {
		if _, exists := known.paths[rule.setting]; !exists {
			continue
		}
		names := []string{rule.shown}
		for _, name := range rule.names {
			// What stands below properties has Kafka's name, and a topic's other names are said in words.
			if isBootName(name.name) && !rule.single && !strings.HasPrefix(name.name, "kafka.topic.") && !slices.Contains(names, name.name) {
				names = append(names, name.name)
			}
		}
		all = append(all, SpringProperty{Names: names, Kafka: rule.kafka, Setting: rule.setting, Note: rule.doc})
	}
	for _, instead := range springInsteads() {
		var names []string
		for _, name := range instead.names {
			// Of what has no name but Kafka's one is enough.
			family := strings.HasSuffix(name, ".") && strings.HasPrefix(name, "spring.kafka.properties.")
			if isBootName(name) || family || len(names) == 0 && !slices.ContainsFunc(instead.names, isBootName) {
				names = append(names, name)
			}
		}
		all = append(all, SpringProperty{Names: names, Note: instead.sentence})
	}
	return all
}

func isBootName(name string) bool { return !strings.Contains(name, ".properties.") }
