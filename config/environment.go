package config

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/v2"
)

// testPrefix is of variables that speak to our tests; a binary that they start finds them in its environment.
const testPrefix = environmentPrefix + "TEST_"

// ours picks the variables that are ours and not empty; of several with one name the last counts.
func ours(environ []string) map[string]string {
	variables := map[string]string{}
	for _, entry := range environ {
		name, value, found := strings.Cut(entry, "=")
		if !found || !strings.HasPrefix(name, environmentPrefix) || strings.HasPrefix(name, testPrefix) {
			continue
		}
		if value == "" {
			delete(variables, name)
			continue
		}
		variables[name] = value
	}
	return variables
}

// readEnvironment makes a layer of the variables. One that is none of ours is a mistake: a server whose setting has a typing error must
// not start without it. Variables of plugins wait until the plugin says what it has.
func (l *Loaded) readEnvironment() (*layer, []*Mistake) {
	result := &layer{source: SourceEnvironment, names: map[string]string{}, values: koanf.New(delimiter)}
	provider := env.Provider(delimiter, env.Opt{
		Prefix:      environmentPrefix,
		EnvironFunc: func() []string { return pairs(l.variables) },
		TransformFunc: func(name, value string) (string, any) {
			one, found := l.known.variables[name]
			if !found {
				return "", nil
			}
			result.names[one.key()] = name
			return one.key(), value
		},
	})
	var mistakes []*Mistake
	if err := result.values.Load(provider, nil); err != nil {
		mistakes = append(mistakes, &Mistake{Path: "environment", Reason: err.Error(), Advice: "correct the variables that begin with " + environmentPrefix})
	}
	for _, name := range slices.Sorted(maps.Keys(l.variables)) {
		if mistake := l.unknownVariable(name); mistake != nil {
			mistakes = append(mistakes, mistake)
		}
	}
	return result, mistakes
}

func pairs(variables map[string]string) []string {
	all := make([]string, 0, len(variables))
	for name, value := range variables {
		all = append(all, name+"="+value)
	}
	return all
}

// unknownVariable returns the mistake, nil when the variable is known, waits for its plugin, or comes from Kubernetes.
func (l *Loaded) unknownVariable(name string) *Mistake {
	if _, found := l.known.variables[name]; found {
		return nil
	}
	if l.pluginOf(name) != "" {
		return nil
	}
	if l.sources.Partial {
		for section := range openSections() {
			if strings.HasPrefix(name, environmentName([]string{section, ""})) {
				return nil
			}
		}
	}
	if serviceVariable(name, l.variables[name]) {
		l.Warnings = append(l.Warnings, name+" is not read: Kubernetes sets it for a service of this name; enableServiceLinks: false in the pod turns it off")
		return nil
	}
	return &Mistake{Path: name, Reason: "there is no setting with this variable",
		Advice: "the nearest is " + nearest(name, slices.Sorted(maps.Keys(l.known.variables)))}
}

// openSections are those with names in them.
func openSections() map[string]bool {
	return map[string]bool{"consumers": true, "topics": true, "plugins": true}
}

// pluginOf returns the plugin whose variable this is, the one with the longest name when one name begins with another; empty for none.
func (l *Loaded) pluginOf(variable string) string {
	best := ""
	for _, name := range l.sources.PluginNames {
		if strings.HasPrefix(variable, environmentName([]string{"plugins", name, ""})) && len(name) > len(best) {
			best = name
		}
	}
	return best
}

// serviceVariable recognises what Kubernetes puts into every pod for a service named millrace or millrace-something.
func serviceVariable(name, value string) bool {
	address := regexp.MustCompile(`_PORT(_\d+_(TCP|UDP|SCTP))?$`)
	part := regexp.MustCompile(`_SERVICE_HOST$|_SERVICE_PORT(_[A-Z0-9_]+)?$|_PORT_\d+_(TCP|UDP|SCTP)_(PROTO|PORT|ADDR)$`)
	scheme := regexp.MustCompile(`^(tcp|udp|sctp)://`)
	return part.MatchString(name) || address.MatchString(name) && scheme.MatchString(value)
}

// readFlags makes a layer of the flags.
func (l *Loaded) readFlags() (*layer, []*Mistake) {
	result := &layer{source: SourceFlag, names: map[string]string{}, values: koanf.New(delimiter)}
	flags := maps.Clone(l.sources.Flags)
	if flags == nil {
		flags = map[string]string{}
	}
	for path, value := range map[string]string{"config": l.sources.File, "profile": l.sources.Profile} {
		if value != "" {
			flags[path] = value
		}
	}
	var mistakes []*Mistake
	for _, path := range slices.Sorted(maps.Keys(flags)) {
		one, found := l.known.paths[path]
		switch {
		case l.pluginFlag(path):
			continue
		case !found:
			mistakes = append(mistakes, &Mistake{Path: "--" + path, Reason: "there is no setting of this name",
				Advice: "the nearest is " + nearest(path, slices.Sorted(maps.Keys(l.known.paths)))})
			continue
		case one.Secret():
			mistakes = append(mistakes, &Mistake{Path: path, Reason: "a secret on the command line is seen by everybody on the machine",
				Advice: "set " + one.Environment() + " or " + path + "_file"})
			continue
		}
		result.names[one.key()] = "--" + path
		if one.Flag != "" {
			result.names[one.key()] = "--" + one.Flag
		}
		if err := result.values.Set(one.key(), flags[path]); err != nil {
			mistakes = append(mistakes, &Mistake{Path: path, Reason: err.Error(), Advice: "correct the flag"})
		}
	}
	return result, mistakes
}

// pluginFlag says that a flag waits until its plugin says what it has.
func (l *Loaded) pluginFlag(path string) bool {
	return slices.ContainsFunc(l.sources.PluginNames, func(name string) bool { return strings.HasPrefix(path, "plugins."+name+".") })
}
