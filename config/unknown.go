package config

import (
	"maps"
	"slices"
	"strings"
)

// unknownKeys reports what a file has and nobody reads, at the highest place where it stops being known.
func (l *Loaded) unknownKeys(file *layer) []*Mistake {
	walk := keyWalk{loaded: l, file: file}
	walk.section(nil, file.values.Raw())
	return walk.mistakes
}

type keyWalk struct {
	loaded   *Loaded
	file     *layer
	mistakes []*Mistake
}

func (w *keyWalk) section(above []string, section map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(section)) {
		parts := append(above[:len(above):len(above)], name)
		key := joined(parts)
		one, setting := w.loaded.known.keys[key]
		switch {
		case setting && one.Outside:
			w.refuse(parts, "it says which file this is, so it cannot stand in the file", "set "+one.Environment()+" or --"+one.Flag)
		case setting && one.Path == "profile" && w.file.source == SourceProfile:
			w.refuse(parts, "a profile's file cannot choose the profile", "remove the line")
		case setting:
		case w.loaded.elsewhere(parts):
		case w.loaded.known.nodes[key]:
			w.below(parts, section[name])
		default:
			w.unknown(parts)
		}
	}
}

func (w *keyWalk) below(parts []string, value any) {
	switch value := value.(type) {
	case nil:
	case map[string]any:
		w.section(parts, value)
	default:
		w.refuse(parts, "it is a section, not a setting", "write its settings below it, each on a line of its own")
	}
}

// elsewhere says that a section is not Load's to check: a plugin's, or in a partial configuration one of a name that is not known yet.
func (l *Loaded) elsewhere(parts []string) bool {
	if len(parts) != 2 {
		return false
	}
	if parts[0] == "plugins" && slices.Contains(l.sources.PluginNames, parts[1]) {
		return true
	}
	return l.sources.Partial && openSections()[parts[0]] && !l.known.nodes[joined(parts)]
}

func (w *keyWalk) refuse(parts []string, reason, advice string) {
	w.mistakes = append(w.mistakes, &Mistake{Path: printable(parts), Origin: w.file.origin(joined(parts)).String(), Reason: reason, Advice: advice})
}

func (w *keyWalk) unknown(parts []string) {
	if head, _, _ := strings.Cut(parts[0], "."); head == "spring" {
		w.refuse(parts, "it is one of Spring's properties", "name the file application.yml to have it read as Spring reads it")
		return
	}
	if len(parts) != 2 || !openSections()[parts[0]] {
		w.refuse(parts, "there is no such setting", adviceNearest(printable(parts), w.loaded.candidates()))
		return
	}
	names := map[string][]string{"consumers": w.loaded.sources.ConsumerNames, "topics": w.loaded.sources.TopicNames, "plugins": w.loaded.sources.PluginNames}[parts[0]]
	what := map[string]string{"consumers": "consumer", "topics": "topic", "plugins": "plugin"}[parts[0]]
	if len(names) == 0 {
		w.refuse(parts, "there is no "+what+" of this name, nor any other", "remove the section")
		return
	}
	w.refuse(parts, "there is no "+what+" of this name", "the nearest is "+nearest(parts[1], names))
}

// candidates are all settings and sections by their printed paths.
func (l *Loaded) candidates() []string {
	paths := slices.Collect(maps.Keys(l.known.paths))
	for section := range l.known.nodes {
		paths = append(paths, printable(splitKey(section)))
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}
