package config

import (
	"fmt"
	"slices"
	"strings"
)

// replaceable are settings whose default is safe whatever the application had in mind, so that a value of Spring's that would lose, repeat
// or stall is replaced instead of refused. Everything else that is wrong stays a mistake: nobody can guess a broker.
func replaceable() []string {
	return []string{
		"kafka.producer.acks", "kafka.producer.idempotent", "kafka.producer.retries", "kafka.producer.retry_backoff", "kafka.producer.linger",
		"kafka.producer.delivery_timeout", "kafka.isolation_level", "kafka.commit_interval", "kafka.heartbeat_interval", "kafka.session_timeout",
		"kafka.read_timeout", "kafka.rebalance_timeout", "kafka.close_timeout",
	}
}

// replaceUnsafe puts the default in place of each value of Spring's that validation refuses as unsafe, with a warning that names both, and
// of each that belongs to TLS or to a login where the protocol has none: Kafka's clients do not look at those either. It says whether there
// was one.
func (l *Loaded) replaceUnsafe(mistakes []*Mistake) bool {
	before := len(l.replaced)
	unused := map[string][]string{}
	for _, mistake := range mistakes {
		if mistake.unused && l.ofSpring(mistake.Path) {
			l.replaced[l.known.paths[mistake.Path].key()] = true
			unused[mistake.Reason] = append(unused[mistake.Reason], l.Origins[mistake.Path].named())
			continue
		}
		for _, path := range append([]string{mistake.Path}, mistake.related...) {
			if slices.Contains(replaceable(), path) && l.ofSpring(path) {
				l.replaceOne(path, mistake)
				break
			}
		}
	}
	for _, reason := range sortedKeys(unused) {
		slices.Sort(unused[reason])
		l.warnWhole(strings.Join(slices.Compact(unused[reason]), ", ") + ": " + reason)
	}
	return len(l.replaced) > before
}

// ofSpring says that the value that counts is one of Spring's.
func (l *Loaded) ofSpring(path string) bool {
	one, known := l.known.paths[path]
	return known && l.Origins[path].Property != "" && !l.replaced[one.key()]
}

func (l *Loaded) replaceOne(path string, mistake *Mistake) {
	one := l.known.paths[path]
	l.replaced[one.key()] = true
	l.warnWhole(fmt.Sprintf("%s is %q (%s): %s; %s is %s instead", l.Origins[path].Property, one.Kind.format(l.values[one.key()]), l.Origins[path].place(),
		mistake.about(path), path, one.Default))
}

// warnWhole warns when all names are known: before that, the same is looked at once more.
func (l *Loaded) warnWhole(sentence string) {
	if !l.sources.Partial {
		l.warn([]string{sentence})
	}
}

// about is the reason, as one that speaks of this setting.
func (m *Mistake) about(path string) string {
	if path == m.Path {
		return m.Reason
	}
	return m.Path + " does not fit: " + m.Reason
}

// place is where a value of Spring's stands, without its name.
func (o Origin) place() string {
	o.Property, o.Inherited = "", ""
	return o.String()
}

// named is what Spring calls a value, and where it stands.
func (o Origin) named() string { return o.Property + " (" + o.place() + ")" }

// tellInstead says which values of Spring's were read as another, of those that count.
func (l *Loaded) tellInstead() {
	if l.sources.Partial {
		return
	}
	for _, layer := range l.layers {
		for _, key := range sortedKeys(layer.instead) {
			if one := l.known.keys[key]; l.Origins[one.path()] == layer.origin(key) {
				l.warn([]string{layer.instead[key]})
			}
		}
	}
}
