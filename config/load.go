package config

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"

	// The zones go with the binary: images without a shell have none, Windows neither.
	_ "time/tzdata"

	"github.com/knadh/koanf/v2"

	"github.com/prantikov/millrace/config/spring"
)

// implicitFile is the configuration file when none is named.
const implicitFile = "config.yaml"

// Sources are where settings come from, and the names that exist: a section for any other is a mistake.
type Sources struct {
	// File is the configuration file (--config); empty for MILLRACE_CONFIG, and without that config.yaml in the working directory, when
	// there is one, else Spring's application.properties and application.yml there or in its directory config.
	File string
	// Profile is the profile (--profile); empty for MILLRACE_PROFILE, and without that what the file says.
	Profile string
	// Environ is what [os.Environ] returns. Only variables that begin with MILLRACE_ are looked at, and beside a Spring file or no file those
	// that Spring looks at; an empty one counts as not set, as compose files need it.
	Environ []string
	// Flags are the flags that were given, by the setting's path: kafka.brokers for --brokers.
	Flags map[string]string
	// ConsumerNames, TopicNames (own names) and PluginNames are all that exist.
	ConsumerNames, TopicNames, PluginNames []string
	// Partial says that the names are not complete yet: sections and variables of other consumers, topics and plugins are no mistakes.
	// It is for the settings that plugins need before they can say which consumers they have; [Loaded.Complete] makes the rest.
	Partial bool
}

// Loaded is the configuration and where each value came from. It is safe for concurrent use as long as nobody changes its fields;
// [Loaded.Plugin] alone adds to Warnings.
type Loaded struct {
	Settings Settings
	// Origins has the origin of every value by the setting's path, for example consumers.orders.timeout.
	Origins map[string]Origin
	// Files are the files that were read, in the order in which they count.
	Files []string
	// Warnings are sentences for the log: what was left out on purpose, and what is no mistake but unwise.
	Warnings []string

	sources   Sources
	known     *known
	values    map[string]any  // by key
	besides   map[string]any  // the files of secrets, by key
	layers    []*layer        // in the order in which they count
	replaced  map[string]bool // keys whose values of Spring's do not count, for they are not safe or of no use
	variables map[string]string

	guard   sync.Mutex
	plugins map[string][]Row // by plugin, of those that were read
}

// Load reads all sources; later ones count more: defaults, file, profile file, environment, flags. For a consumer or topic its own
// settings count before those of defaults, wherever each of them stands.
//
// Mistakes are reported all at once, each a [*Mistake] in a joined error; then the Loaded is returned too, for `config show`, with the
// default in place of a value that could not be read: it is not to be run with. For a file that cannot be read at all, Loaded is nil and
// the error that one sentence.
func Load(sources Sources) (*Loaded, error) {
	l := &Loaded{Origins: map[string]Origin{}, sources: sources, values: map[string]any{}, besides: map[string]any{}, replaced: map[string]bool{}, plugins: map[string][]Row{}}
	var mistakes []*Mistake
	l.known, mistakes = expand(sources.ConsumerNames, sources.TopicNames)
	l.variables = ours(sources.Environ)
	wrong, err := l.readFiles()
	if err != nil {
		return nil, err
	}
	mistakes = append(mistakes, wrong...)
	for _, file := range l.layers {
		if file.properties != nil {
			continue
		}
		l.Files = append(l.Files, file.file)
		mistakes = append(mistakes, l.unknownKeys(file)...)
	}
	environment, wrong := l.readEnvironment()
	mistakes = append(mistakes, wrong...)
	flags, wrong := l.readFlags()
	mistakes = append(mistakes, wrong...)
	l.layers = append(l.layers, environment, flags)

	for {
		unread, wrong, err := l.settle(mistakes)
		if err != nil {
			return nil, err
		}
		if !l.replaceUnsafe(wrong) {
			l.tellInstead()
			l.warn(unwise(l.Settings.Kafka))
			l.warn(unsafeStore(l.Settings.Store))
			return l, join(slices.Concat(mistakes, onceEach(unread), wrong))
		}
	}
}

// settle makes the settings from the layers. Beside the mistakes that are known already it finds values that cannot be read, and what is
// wrong with all values together.
func (l *Loaded) settle(known []*Mistake) (unread, wrong []*Mistake, err error) {
	unread = l.resolve()
	if l.Settings, err = decode(l.values, l.sources); err != nil {
		return nil, nil, err
	}
	l.Settings.Plugins = l.pluginSections()
	return unread, l.wrongTogether(slices.Concat(known, unread)), nil
}

// onceEach keeps one mistake of what was wrong with one property of Spring's: several settings may be made of it.
func onceEach(mistakes []*Mistake) []*Mistake {
	seen := map[[2]string]bool{}
	return slices.DeleteFunc(mistakes, func(mistake *Mistake) bool {
		key := [2]string{mistake.property, mistake.Reason}
		twice := mistake.property != "" && seen[key]
		seen[key] = true
		return twice
	})
}

// Complete loads again from the same sources, now that all names are known, and keeps what plugins have read. Errors are those of [Load].
func (l *Loaded) Complete(consumers, topics, plugins []string) (*Loaded, error) {
	sources := l.sources
	sources.ConsumerNames, sources.TopicNames, sources.PluginNames, sources.Partial = consumers, topics, plugins, false
	complete, err := Load(sources)
	if complete == nil {
		return nil, err
	}
	l.guard.Lock()
	defer l.guard.Unlock()
	maps.Copy(complete.plugins, l.plugins)
	complete.warn(l.Warnings)
	return complete, err
}

// readFiles finds and reads the configuration file and the profile's. Mistakes are of what a Spring file has.
func (l *Loaded) readFiles() ([]*Mistake, error) {
	path := l.ahead("config", l.sources.File)
	if path == "" {
		if _, err := os.Stat(implicitFile); err == nil {
			path = implicitFile
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	if path == "" || spring.IsFile(path) {
		return l.readSpring(path)
	}
	path = filepath.Clean(path)
	file, err := readFile(SourceFile, path)
	if err != nil {
		return nil, err
	}
	l.layers = append(l.layers, file)
	l.values["config"] = path
	l.warnOfSpringVariables(path)
	profile := l.ahead("profile", l.sources.Profile)
	if profile == "" {
		profile, _ = file.values.Get("profile").(string)
	}
	if profile == "" {
		return nil, nil
	}
	overlay, err := readProfile(path, profile)
	if err != nil {
		return nil, err
	}
	l.layers = append(l.layers, overlay)
	return nil, nil
}

// ahead looks up a setting that says what else is to be read, and so is needed before all others.
func (l *Loaded) ahead(path, field string) string {
	if field != "" {
		return field
	}
	if flag := l.sources.Flags[path]; flag != "" {
		return flag
	}
	return l.variables[environmentName([]string{path})]
}

// lookup returns what the last layer that has this key says.
func (l *Loaded) lookup(key string) (any, Origin, bool) {
	for _, layer := range slices.Backward(l.layers) {
		if layer.properties != nil && l.replaced[key] {
			continue
		}
		if layer.values.Exists(key) {
			return layer.get(key), layer.origin(key), true
		}
	}
	return nil, Origin{}, false
}

// pluginSections is the plugins' part of the files, laid over each other.
func (l *Loaded) pluginSections() Sections {
	merged := koanf.New(delimiter)
	for _, layer := range l.layers {
		if layer.file != "" {
			// Merging plain maps of one koanf into another cannot fail: only its strict mode does.
			_ = merged.Merge(layer.values)
		}
	}
	return merged.Cut("plugins").Raw()
}
