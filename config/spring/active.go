package spring

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// defaultProfile is active when no other is.
const defaultProfile = "default"

// choosing finds a property of a document that says which profiles are active.
func choosing(source Source) (Property, bool) {
	for _, key := range []string{"spring.profiles.active", "spring.profiles.include", "spring.profiles.default"} {
		if property, there := source.Find(key); there {
			return property, true
		}
	}
	return Property{}, false
}

// activate finds the active profiles: the included ones first, then those that were chosen, each followed by the members of its group, so
// that what counts more comes later.
func (e *Environment) activate(documents []Source, chosen string) error {
	var general []Source
	for _, source := range documents {
		if len(conditions(source)) == 0 {
			general = append(general, source)
			continue
		}
		if forbidden, there := choosing(source); there {
			return fmt.Errorf("configuration file %q: line %d: %s cannot stand in what counts for a profile only; remove the line",
				source.File, forbidden.Line, forbidden.Name)
		}
	}
	// What chooses profiles may itself have placeholders, for what is general.
	e.Sources = general
	defer func() { e.Sources = nil }()
	active := split(chosen)
	if len(active) == 0 {
		var err error
		if active, err = e.names("spring.profiles.active"); err != nil {
			return err
		}
	}
	included, err := e.names("spring.profiles.include")
	if err != nil {
		return err
	}
	if active = append(included, active...); len(active) == 0 {
		if active, err = e.names("spring.profiles.default"); err != nil {
			return err
		}
	}
	if len(active) == 0 {
		active = []string{defaultProfile}
	}
	for _, profile := range active {
		if err := e.expand(profile); err != nil {
			return err
		}
	}
	return nil
}

// expand adds a profile and the members of its group (spring.profiles.group.NAME).
func (e *Environment) expand(profile string) error {
	if !regexp.MustCompile(`^[\pL\pN][\pL\pN._+@-]*$`).MatchString(profile) {
		return fmt.Errorf("profile %q: a profile's name has letters, digits, - and _ only", profile)
	}
	if slices.Contains(e.Profiles, profile) {
		return nil
	}
	e.Profiles = append(e.Profiles, profile)
	members, err := e.names("spring.profiles.group." + profile)
	if err != nil {
		return err
	}
	for _, member := range members {
		if err := e.expand(member); err != nil {
			return err
		}
	}
	return nil
}

// names are the profiles that a property has, its placeholders filled.
func (e *Environment) names(name string) ([]string, error) {
	property, found := e.lookup(name)
	if !found {
		return nil, nil
	}
	var all []string
	for _, text := range property.Values {
		filled, err := e.Resolve(text)
		if err != nil {
			return nil, fmt.Errorf("%s (%s): %w", name, property.At(), err)
		}
		all = append(all, split(filled)...)
	}
	return all, nil
}

// split cuts a list at its commas.
func split(text string) []string {
	var all []string
	for _, one := range strings.Split(text, ",") {
		if one = strings.TrimSpace(one); one != "" {
			all = append(all, one)
		}
	}
	return all
}
