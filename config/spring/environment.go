package spring

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

// Environment is what Spring's Environment would have: the sources whose profiles are active, the one that counts most at the end. It is
// not safe for concurrent use: it remembers what placeholders have taken.
type Environment struct {
	Sources []Source
	// Profiles are the active ones, the one that counts most at the end; default when nothing names any.
	Profiles []string
	// Without are profiles that were asked for and that no file and no document has.
	Without []string
	// Files are those that were read.
	Files []string

	variables map[string]string
	used      map[string]bool
}

// Place is where a file is, or may be.
type Place struct {
	Path string
	// Optional says that the file need not be there. The files of profiles never need to be.
	Optional bool
}

// Places are where the files are.
type Places struct {
	// Groups are read one after the other, a later one counts more. Within one, the files of profiles count more than all others.
	Groups [][]Place
	// Read returns what a file has; an error that is [fs.ErrNotExist] when it is not there.
	Read func(path string) ([]byte, error)
}

// Choice is which profiles are active.
type Choice struct {
	// Active are names with commas, from the command line or a variable; empty leaves it to the files.
	Active string
	// Variables is the environment of the process.
	Variables map[string]string
}

// Read reads the files and the documents that count for the active profiles. An error is one sentence that names the file.
func Read(places Places, choice Choice) (*Environment, error) {
	e := &Environment{variables: choice.Variables, used: map[string]bool{}}
	groups := make([][]Source, len(places.Groups))
	for i, group := range places.Groups {
		for _, place := range group {
			documents, err := readFile(places, place)
			if err != nil {
				return nil, err
			}
			groups[i] = append(groups[i], documents...)
		}
	}
	if err := e.activate(slices.Concat(groups...), choice.Active); err != nil {
		return nil, err
	}
	for i, group := range groups {
		if err := e.take(group); err != nil {
			return nil, err
		}
		if err := e.profileFiles(places, places.Groups[i]); err != nil {
			return nil, err
		}
	}
	e.findWithout(groups)
	return e, nil
}

// readFile reads all documents of a file by its ending.
func readFile(places Places, place Place) ([]Source, error) {
	path := place.Path
	data, err := places.Read(path)
	if place.Optional && errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	parse := parseYAML
	if strings.EqualFold(filepath.Ext(path), ".properties") {
		parse = parseProperties
	}
	sources, err := parse(path, data)
	if err != nil {
		return nil, fmt.Errorf("configuration file %q: %w", path, err)
	}
	if len(sources) == 0 {
		// A file without a property was read all the same.
		sources = []Source{{File: path}}
	}
	return sources, nil
}

// take adds the documents that count for the active profiles.
func (e *Environment) take(documents []Source) error {
	for _, source := range documents {
		counts, err := e.counts(source)
		if err != nil {
			return fmt.Errorf("configuration file %q: %w", source.File, err)
		}
		if !slices.Contains(e.Files, source.File) {
			e.Files = append(e.Files, source.File)
		}
		if counts {
			source.Profile = source.Profile || len(conditions(source)) > 0
			e.Sources = append(e.Sources, source)
		}
	}
	return nil
}

// conditions are the properties of a document that say for which profiles it is; spring.profiles is Spring Boot's word for it before 2.4.
func conditions(source Source) []Property {
	var found []Property
	for _, key := range []string{"spring.config.activate.onprofile", "spring.profiles"} {
		if property, there := source.Find(key); there {
			found = append(found, property)
		}
	}
	return found
}

// counts says whether a document is one for the active profiles and for where the process runs.
func (e *Environment) counts(source Source) (bool, error) {
	for _, condition := range conditions(source) {
		holds, err := accepts(condition.Values, e.Profiles)
		if err != nil {
			return false, fmt.Errorf("line %d: %s: %w", condition.Line, condition.Name, err)
		}
		if !holds {
			return false, nil
		}
	}
	platform, there := source.Find("spring.config.activate.oncloudplatform")
	return !there || strings.EqualFold(platform.Text(), e.platform()), nil
}

// platform is Spring's name of where the process runs, as far as it is known here.
func (e *Environment) platform() string {
	if e.variables["KUBERNETES_SERVICE_HOST"] != "" && e.variables["KUBERNETES_SERVICE_PORT"] != "" {
		return "kubernetes"
	}
	return "none"
}

// profileFiles reads the files of the active profiles beside those of a group: application-prod.properties beside application.properties.
func (e *Environment) profileFiles(places Places, group []Place) error {
	for _, profile := range e.Profiles {
		for _, place := range group {
			documents, err := readFile(places, Place{Path: besides(place.Path, profile), Optional: true})
			if err != nil {
				return err
			}
			for i := range documents {
				documents[i].Profile = true
				if forbidden, there := choosing(documents[i]); there {
					return fmt.Errorf("configuration file %q: line %d: %s cannot stand in what counts for a profile only; remove the line",
						documents[i].File, forbidden.Line, forbidden.Name)
				}
			}
			if err := e.take(documents); err != nil {
				return err
			}
		}
	}
	return nil
}

// besides is the file of a profile.
func besides(path, profile string) string {
	ending := filepath.Ext(path)
	return strings.TrimSuffix(path, ending) + "-" + profile + ending
}

// findWithout notes profiles that change nothing: most likely a typing error.
func (e *Environment) findWithout(groups [][]Source) {
	for _, profile := range e.Profiles {
		named := func(source Source) bool {
			return slices.ContainsFunc(conditions(source), func(condition Property) bool { return strings.Contains(condition.Text(), profile) })
		}
		inFile := func(path string) bool {
			return strings.HasSuffix(strings.TrimSuffix(path, filepath.Ext(path)), "-"+profile)
		}
		if profile != defaultProfile && !slices.ContainsFunc(slices.Concat(groups...), named) && !slices.ContainsFunc(e.Files, inFile) {
			e.Without = append(e.Without, profile)
		}
	}
}
