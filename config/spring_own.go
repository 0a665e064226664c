package config

import (
	"maps"
	"slices"
	"strings"

	"github.com/prantikov/millrace/config/spring"
)

// springPrefix is before the names of our own settings in a Spring file: millrace.kafka.memory. What an application calls by a name of its
// own is mapped with it: millrace.topics.order-events.name=${shop.topic}.
const springPrefix = "millrace."

// ownNames takes what a Spring file has of our own settings. They count before what Spring's names say, wherever each of them stands.
func (m *springMapping) ownNames() {
	byName := map[string]instance{}
	for _, one := range m.loaded.known.instances {
		if !one.Outside {
			byName[spring.Uniform(springPrefix+one.path())] = one
		}
	}
	for i, source := range m.environment.Sources {
		for _, property := range source.Properties {
			if !strings.HasPrefix(property.Key, springPrefix) {
				continue
			}
			m.taken[property.Key] = true
			one, found := byName[property.Key]
			switch {
			case found:
				m.forget(one.key())
				m.set(m.layers[i], one, property, m.read(springName{read: springText, secret: one.Secret()}, property))
			case m.pluginName(i, property):
			case m.loaded.sources.Partial:
			default:
				m.mistakes = append(m.mistakes, &Mistake{Path: property.Name, Origin: property.At(), Reason: "there is no such setting",
					Advice: "the nearest is " + springPrefix + nearest(strings.TrimPrefix(property.Name, springPrefix), slices.Sorted(maps.Keys(m.loaded.known.paths)))})
			}
		}
	}
}

// forget takes back what Spring's names have said about a setting.
func (m *springMapping) forget(key string) {
	for _, layer := range m.layers {
		if property, found := layer.properties[key]; found && !strings.HasPrefix(property.Key, springPrefix) {
			layer.values.Delete(key)
			delete(layer.properties, key)
			delete(layer.instead, key)
			delete(layer.unread, key)
		}
	}
}

// pluginName takes a setting of a plugin: the plugin says whether it has one of this name.
func (m *springMapping) pluginName(layer int, property spring.Property) bool {
	parts := strings.Split(strings.NewReplacer("[", ".", "]", "").Replace(property.Name), ".")
	if len(parts) < 4 || spring.Uniform(parts[1]) != "plugins" {
		return false
	}
	for _, plugin := range m.loaded.sources.PluginNames {
		if spring.Uniform(plugin) != spring.Uniform(parts[2]) {
			continue
		}
		path := []string{"plugins", plugin}
		for _, part := range parts[3:] {
			path = append(path, snake(strings.ReplaceAll(part, "-", "_")))
		}
		one := instance{Setting: Setting{Path: printable(path), Kind: KindText}, parts: path}
		m.set(m.layers[layer], one, property, m.read(springName{read: springText, secret: true}, property))
		return true
	}
	return false
}
