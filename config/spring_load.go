package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/prantikov/millrace/config/spring"
)

// locationVariable names Spring's files when nothing of ours does.
const locationVariable = "SPRING_CONFIG_LOCATION"

// readSpring reads a Spring file, or looks for those that Spring would find; without any it reads Spring's variables alone.
func (l *Loaded) readSpring(path string) ([]*Mistake, error) {
	variables := springVariables(l.sources.Environ)
	places, err := l.springPlaces(path, variables)
	if err != nil {
		return nil, err
	}
	profile := l.ahead("profile", l.sources.Profile)
	if profile != "" && len(places.Groups) == 0 {
		return nil, fmt.Errorf("profile %q: there is no configuration file beside which its file could be; name one with --config", profile)
	}
	environment, err := spring.Read(places, spring.Choice{Active: profile, Variables: variables})
	if err != nil {
		return nil, err
	}
	l.Files = environment.Files
	l.values["config"] = strings.Join(basic(places, environment.Files), ",")
	scope, err := l.scopeOf(environment)
	if err != nil {
		return nil, fmt.Errorf("spring.kafka.ssl.bundle: %w", err)
	}
	source := spring.Variables(variables, scope.names())
	environment.Sources = append(environment.Sources, source)
	if text := variables[spring.JSONVariable]; text != "" {
		source, err := spring.JSON(text)
		if err != nil {
			return nil, err
		}
		environment.Sources = append(environment.Sources, source)
	}
	mapping := l.springLayers(environment, scope)
	l.layers = append(l.layers, mapping.layers...)
	if !l.sources.Partial {
		mapping.tellProfiles()
		l.warn(mapping.warnings)
	}
	return mapping.mistakes, nil
}

// springVariables is the environment of the process. An empty variable of Spring's counts as not set, as one of ours does.
func springVariables(environ []string) map[string]string {
	variables := map[string]string{}
	for _, entry := range environ {
		name, value, found := strings.Cut(entry, "=")
		if !found || name == "" || strings.HasPrefix(name, environmentPrefix) {
			continue
		}
		variables[name] = value
	}
	maps.DeleteFunc(variables, func(name, value string) bool { return value == "" && strings.HasPrefix(name, "SPRING_") })
	return variables
}

// springPlaces are the files that are named, or those in the places where Spring looks for them.
func (l *Loaded) springPlaces(path string, variables map[string]string) (spring.Places, error) {
	places := spring.Places{Read: readBytes}
	if path != "" {
		places.Groups = [][]spring.Place{{{Path: filepath.Clean(path)}}}
		return places, nil
	}
	if location := variables[locationVariable]; location != "" {
		groups, packaged := spring.Locations(location)
		if len(packaged) > 0 {
			l.warn([]string{fmt.Sprintf("%s: %s is within a jar and not read; name the file with --config", locationVariable, strings.Join(packaged, ", "))})
		}
		places.Groups = groups
		return places, nil
	}
	found := slices.Concat(spring.In("."), spring.In("config"))
	for _, place := range found {
		if _, err := os.Stat(place.Path); err == nil {
			places.Groups = [][]spring.Place{found}
			return places, nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return places, fmt.Errorf("configuration file %q: %w", place.Path, plainPathError(err))
		}
	}
	return places, nil
}

// basic are the files that were read, without those of profiles.
func basic(places spring.Places, read []string) []string {
	var found []string
	for _, place := range slices.Concat(places.Groups...) {
		if slices.Contains(read, place.Path) {
			found = append(found, place.Path)
		}
	}
	return found
}

// names are all properties that a variable may set.
func (s springScope) names() []string {
	names := []string{"spring.config.location", "spring.profiles.include"}
	for _, rule := range s.rules() {
		for _, name := range rule.names {
			names = append(names, name.name)
		}
	}
	for _, instead := range springInsteads() {
		names = append(names, instead.names...)
	}
	return names
}

// warnOfSpringVariables says that beside a file of ours Spring's variables count for nothing.
func (l *Loaded) warnOfSpringVariables(path string) {
	var found []string
	for _, name := range slices.Sorted(maps.Keys(springVariables(l.sources.Environ))) {
		if strings.HasPrefix(name, "SPRING_KAFKA_") || name == locationVariable || name == "SPRING_PROFILES_ACTIVE" {
			found = append(found, name)
		}
	}
	if len(found) > 0 {
		l.warn([]string{fmt.Sprintf("%s: not read, for %s is not a Spring file; set the variables that begin with %s", strings.Join(found, ", "), path, environmentPrefix)})
	}
}
