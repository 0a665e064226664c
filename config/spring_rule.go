package config

import (
	"github.com/prantikov/millrace/config/spring"
)

// springRule is how properties of Spring's become one setting of ours.
type springRule struct {
	// setting is the path of the setting.
	setting string
	// names are all properties that set it; of those that are there the last counts, as it does in Spring Boot.
	names []springName
	// single says that Spring can have one value for each of its clients and we have one: another value is told.
	single bool
	// shown and kafka are its names in the documentation, doc is what a reader would not guess.
	shown, kafka, doc string
}

// springName is one property and how its text is read.
type springName struct {
	name string
	read springReader
	// secret says that the text may have a secret in it, whatever the setting is.
	secret bool
}

// springReader turns a property's text, with its placeholders filled, into what a file of ours would have. The property says where the
// text stands.
type springReader func(text string, at spring.Property) springValue

// springValue is what a text comes to.
type springValue struct {
	// value is the text as a file of ours would have it; nil says nothing about the setting.
	value any
	// instead says why value is another than the text says; it is told when this value is the one that counts.
	instead string
	wrong   *unreadable
}

// springUnread stands in a layer for a text that is no value. It is a mistake only when nothing that counts more has another.
type springUnread struct {
	text  string // empty for what may be secret
	wrong *unreadable
}

// clientRule is a rule for what Spring has for all clients (spring.kafka.own), for each kind of client (spring.kafka.consumer.own), and for
// both by Kafka's own name (spring.kafka.properties.kafka).
func clientRule(setting, own, kafka, doc string, read, kafkaRead springReader) springRule {
	rule := springRule{setting: setting, single: true, shown: "spring.kafka." + own, kafka: kafka, doc: doc}
	for _, section := range []string{"", "admin.", "producer.", "consumer."} {
		if own != "" {
			rule.add(read, "spring.kafka."+section+own)
		}
		if kafka != "" {
			rule.add(kafkaRead, "spring.kafka."+section+"properties."+kafka)
		}
	}
	if own == "" {
		rule.shown = "spring.kafka.properties." + kafka
	}
	return rule
}

// sideRule is a rule for what one kind of client has, consumer or producer.
func sideRule(side, setting, own, kafka, doc string, read, kafkaRead springReader) springRule {
	prefix := "spring.kafka." + side + "."
	rule := springRule{setting: setting, shown: prefix + own, kafka: kafka, doc: doc}
	if own == "" {
		rule.shown = prefix + "properties." + kafka
	}
	rule.add(kafkaRead, "spring.kafka.properties."+kafka)
	if own != "" {
		rule.add(read, prefix+own)
	}
	rule.add(kafkaRead, prefix+"properties."+kafka)
	return rule
}

// plainRule is a rule for names that stand alone; the first is the one in the documentation.
func plainRule(setting, doc string, read springReader, names ...string) springRule {
	rule := springRule{setting: setting, shown: names[0], doc: doc}
	for _, name := range names {
		rule.add(read, name)
	}
	return rule
}

func (r *springRule) add(read springReader, name string) {
	r.names = append(r.names, springName{name: name, read: read})
}

// hidden says of all names of a rule that their texts may have secrets in them.
func (r springRule) hidden() springRule {
	for i := range r.names {
		r.names[i].secret = true
	}
	return r
}
