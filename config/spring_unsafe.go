package config

import (
	"fmt"
	"slices"
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

// replaceUnsafe puts the default in place of each value of Spring's that validation refuses as unsafe, with a warning that names both. It
// says whether there was one.
func (l *Loaded) replaceUnsafe(mistakes []*Mistake) bool {
	found := false
	for _, mistake := range mistakes {
		for _, path := range append([]string{mistake.Path}, mistake.related...) {
			one, known := l.known.paths[path]
			if !known || !slices.Contains(replaceable(), path) || l.Origins[path].Property == "" || l.replaced[one.key()] {
				continue
			}
			value := one.Kind.format(l.values[one.key()])
			l.replaced[one.key()] = true
			found = true
			if !l.sources.Partial {
				l.warn([]string{fmt.Sprintf("%s is %q (%s): %s; %s is %s instead", l.Origins[path].Property, value, l.Origins[path].place(), mistake.about(path), path, one.Default)})
			}
			break
		}
	}
	return found
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
