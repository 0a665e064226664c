package spring

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/prantikov/millrace/config/document"
)

// parseYAML reads the documents of an application.yml.
func parseYAML(file string, data []byte) ([]Source, error) {
	documents, err := document.Parse(data)
	if err != nil {
		return nil, err
	}
	var sources []Source
	for _, one := range documents {
		source := Source{File: file}
		flat := flattening{file: file, lines: one.Lines}
		flat.section(nil, "", one.Values, 0)
		// The order of the file, so that of two ways to write one name the later counts.
		slices.SortStableFunc(flat.found, func(a, b named) int { return a.at.Line - b.at.Line })
		for _, entry := range flat.found {
			source.add(entry.name, entry.value, entry.at)
		}
		if len(source.Properties) > 0 {
			sources = append(sources, source)
		}
	}
	return sources, nil
}

type named struct {
	name, value string
	at          Property
}

// flattening makes names with dots and numbers of what is nested.
type flattening struct {
	file  string
	lines map[string]int
	found []named
}

func (f *flattening) section(parts []string, name string, section map[string]any, line int) {
	for _, key := range slices.Sorted(maps.Keys(section)) {
		below := key
		if name != "" {
			below = name + "." + key
			if strings.HasPrefix(key, "[") {
				below = name + key
			}
		}
		f.value(append(parts[:len(parts):len(parts)], key), below, section[key], line)
	}
}

func (f *flattening) value(parts []string, name string, value any, above int) {
	line := above
	if own := f.lines[document.Key(parts...)]; own > 0 {
		line = own
	}
	switch value := value.(type) {
	case map[string]any:
		if len(value) == 0 {
			f.add(name, "", line)
		}
		f.section(parts, name, value, line)
	case []any:
		if len(value) == 0 {
			f.add(name, "", line)
		}
		for i, entry := range value {
			number := strconv.Itoa(i)
			f.value(append(parts[:len(parts):len(parts)], number), name+"["+number+"]", entry, line)
		}
	case string:
		f.add(name, value, line)
	default:
		f.add(name, "", line)
	}
}

func (f *flattening) add(name, value string, line int) {
	f.found = append(f.found, named{name, value, Property{File: f.file, Line: line}})
}
