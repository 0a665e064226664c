package config

import (
	"maps"
	"slices"
	"strings"
)

// Row is one line of `config show`.
type Row struct {
	Path string `json:"path"`
	// Value is the value as the file would have it; *** for a secret that is set.
	Value string `json:"value"`
	// Origin is for example default, config.yaml:12, MILLRACE_KAFKA_BROKERS or --brokers.
	Origin string `json:"origin"`
	Secret bool   `json:"secret,omitempty"`
}

// Rows returns every setting in the order of the documentation, then the plugins'. What a plugin has not read with [Loaded.Plugin] yet is
// shown as ***: only the plugin knows what of it is secret.
func Rows(loaded *Loaded) []Row {
	rows := make([]Row, 0, len(loaded.known.instances))
	for _, one := range loaded.known.instances {
		value := one.Kind.format(loaded.values[one.key()])
		if one.opens {
			value = one.Kind.format(loaded.besides[one.key()])
		}
		rows = append(rows, Row{Path: one.path(), Value: shownValue(value, one.Secret()), Origin: loaded.Origins[one.path()].String(), Secret: one.Secret()})
	}
	loaded.guard.Lock()
	defer loaded.guard.Unlock()
	for _, name := range loaded.pluginNames() {
		if read, found := loaded.plugins[name]; found {
			rows = append(rows, read...)
			continue
		}
		rows = append(rows, loaded.unread(name)...)
	}
	return rows
}

func shownValue(value string, secret bool) string {
	if secret && value != "" {
		return hidden
	}
	return value
}

// pluginNames are the plugins that exist, that have a section, or that were read.
func (l *Loaded) pluginNames() []string {
	names := slices.Concat(l.sources.PluginNames, slices.Collect(maps.Keys(l.Settings.Plugins)), slices.Collect(maps.Keys(l.plugins)))
	slices.Sort(names)
	return slices.Compact(names)
}

// unread is what is set for a plugin that has not read it.
func (l *Loaded) unread(name string) []Row {
	origins := map[string]string{}
	for _, layer := range l.layers {
		for _, key := range layer.values.Keys() {
			if parts := splitKey(key); len(parts) > 2 && parts[0] == "plugins" && parts[1] == name {
				origins[printable(parts)] = layer.origin(key).String()
			}
		}
	}
	for variable := range l.variables {
		if l.pluginOf(variable) == name {
			field := strings.TrimPrefix(variable, environmentName([]string{"plugins", name, ""}))
			origins["plugins."+name+"."+strings.ToLower(field)] = variable
		}
	}
	rows := make([]Row, 0, len(origins))
	for _, path := range sortedKeys(origins) {
		rows = append(rows, Row{Path: path, Value: hidden, Origin: origins[path], Secret: true})
	}
	return rows
}
