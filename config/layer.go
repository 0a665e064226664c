package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/v2"
)

// delimiter joins the parts of a key in koanf: names of topics may have dots, nothing has this.
const delimiter = "\x1f"

func joined(parts []string) string { return strings.Join(parts, delimiter) }

// printable is a path as a person reads it.
func printable(parts []string) string { return strings.Join(parts, ".") }

// Source is the kind of place a value came from, in the order in which they count.
type Source string

const (
	// SourceDefault is the registry.
	SourceDefault Source = "default"
	// SourceFile is the configuration file.
	SourceFile Source = "file"
	// SourceProfile is the profile's file.
	SourceProfile Source = "profile"
	// SourceEnvironment is a variable.
	SourceEnvironment Source = "environment"
	// SourceFlag is a flag of the command line.
	SourceFlag Source = "flag"
)

// Origin is where a value came from.
type Origin struct {
	Source Source `json:"source"`
	// Name is the path of the file, the name of the variable or the flag with its dashes; empty for a default.
	Name string `json:"name,omitempty"`
	// Line is the line in the file; 0 when there is none.
	Line int `json:"line,omitempty"`
	// Inherited is the setting whose value this is (consumers.defaults.timeout); empty when it was set itself.
	Inherited string `json:"inherited,omitempty"`
	// Secret says that the value is never printed.
	Secret bool `json:"secret,omitempty"`
}

// String is for example default, config.yaml:12, MILLRACE_KAFKA_BROKERS or --brokers.
func (o Origin) String() string {
	text := o.Name
	switch {
	case text == "":
		text = string(o.Source)
	case o.Line > 0:
		text = fmt.Sprintf("%s:%d", o.Name, o.Line)
	}
	if o.Inherited != "" {
		text += ", " + o.Inherited
	}
	return text
}

// layer is what one file, the environment or the flags say.
type layer struct {
	source Source
	file   string            // path, of a file
	lines  map[string]int    // by key, of a file
	names  map[string]string // variable or flag by key, of the others
	values *koanf.Koanf
}

func newLayer(source Source, values map[string]any, delim string) (*layer, error) {
	parsed := koanf.New(delimiter)
	if err := parsed.Load(confmap.Provider(values, delim), nil); err != nil {
		return nil, err
	}
	return &layer{source: source, values: parsed}, nil
}

func (l *layer) origin(key string) Origin {
	if l.file != "" {
		return Origin{Source: l.source, Name: l.file, Line: l.lines[key]}
	}
	return Origin{Source: l.source, Name: l.names[key]}
}

// maxFileBytes bounds a configuration file.
const maxFileBytes = 1 << 20

// readFile reads a configuration file into a layer. Its format is its ending: one place for the formats to come.
func readFile(source Source, path string) (*layer, error) {
	switch ending := filepath.Ext(path); ending {
	case ".yaml", ".yml":
	default:
		return nil, fmt.Errorf("configuration file %q: a file that ends in %q is not known; write YAML into one that ends in .yaml", path, ending)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("configuration file %q: %w", path, plainPathError(err))
	}
	defer func() { _ = file.Close() }()
	data, err := io.ReadAll(io.LimitReader(file, maxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("configuration file %q: %w", path, plainPathError(err))
	}
	if len(data) > maxFileBytes {
		return nil, fmt.Errorf("configuration file %q: it is larger than 1 MiB", path)
	}
	parsed, err := parseYAML(data)
	if err != nil {
		return nil, fmt.Errorf("configuration file %q: %w", path, err)
	}
	result, err := newLayer(source, parsed.values, "")
	if err != nil {
		return nil, fmt.Errorf("configuration file %q: %w", path, err)
	}
	result.file, result.lines = path, parsed.lines
	return result, nil
}

// profileName keeps a profile from naming a file elsewhere.
func profileName(name string) bool {
	return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*$`).MatchString(name)
}

// readProfile reads the file of a profile beside the configuration file: config.prod.yaml beside config.yaml.
func readProfile(config, profile string) (*layer, error) {
	if !profileName(profile) {
		return nil, fmt.Errorf("profile %q: a profile's name has letters, digits, - and _ only", profile)
	}
	if config == "" {
		return nil, fmt.Errorf("profile %q: there is no configuration file beside which its file could be; name one with --config", profile)
	}
	ending := filepath.Ext(config)
	path := strings.TrimSuffix(config, ending) + "." + profile + ending
	result, err := readFile(SourceProfile, path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("profile %q: there is no file %q; make one, empty if it changes nothing, or correct the profile's name", profile, path)
	}
	return result, err
}

func splitKey(key string) []string { return strings.Split(key, delimiter) }
