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

	"github.com/prantikov/millrace/config/document"
	"github.com/prantikov/millrace/config/spring"
)

// delimiter joins the parts of a key in koanf: names of topics may have dots, nothing has this.
const delimiter = document.Separator

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
	// Property is Spring's name of the value, of a file that is one of Spring's; empty for others.
	Property string `json:"property,omitempty"`
	// Inherited is the setting whose value this is (consumers.defaults.timeout); empty when it was set itself.
	Inherited string `json:"inherited,omitempty"`
	// Secret says that the value is never printed.
	Secret bool `json:"secret,omitempty"`
}

// String is for example default, config.yaml:12, MILLRACE_KAFKA_BROKERS or --brokers; with Spring's name where that is not the variable.
func (o Origin) String() string {
	text := o.Name
	switch {
	case text == "":
		text = string(o.Source)
	case o.Line > 0:
		text = fmt.Sprintf("%s:%d", o.Name, o.Line)
	}
	if o.Property != "" && o.Line > 0 {
		text += ", " + o.Property
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
	// properties are what Spring calls the values, by key; nil for a layer that is not Spring's. Instead are sentences by key, for values that
	// are another than the property has: they are told when the value is the one that counts.
	// Unread are those that are no value: they cannot stand in values, which are copied without what is not exported.
	properties map[string]spring.Property
	instead    map[string]string
	unread     map[string]*springUnread
}

func newLayer(source Source, values map[string]any, delim string) (*layer, error) {
	parsed := koanf.New(delimiter)
	if err := parsed.Load(confmap.Provider(values, delim), nil); err != nil {
		return nil, err
	}
	return &layer{source: source, values: parsed}, nil
}

// get is a value that exists.
func (l *layer) get(key string) any {
	if unread, found := l.unread[key]; found {
		return unread
	}
	return l.values.Get(key)
}

func (l *layer) origin(key string) Origin {
	if property, found := l.properties[key]; found {
		return Origin{Source: l.source, Name: property.File + property.Variable, Line: property.Line, Property: property.Name}
	}
	if l.file != "" {
		return Origin{Source: l.source, Name: l.file, Line: l.lines[key]}
	}
	return Origin{Source: l.source, Name: l.names[key]}
}

// maxFileBytes bounds a configuration file.
const maxFileBytes = 1 << 20

// readFile reads a configuration file of ours into a layer. Spring's are read by [spring.Read].
func readFile(source Source, path string) (*layer, error) {
	switch ending := filepath.Ext(path); ending {
	case ".yaml", ".yml":
	default:
		return nil, fmt.Errorf("configuration file %q: a file that ends in %q is not known; write YAML into one that ends in .yaml, or Spring's properties into one that ends in .properties", path, ending)
	}
	data, err := readBytes(path)
	if err != nil {
		return nil, err
	}
	parsed, err := parseOne(data)
	if err != nil {
		return nil, fmt.Errorf("configuration file %q: %w", path, err)
	}
	result, err := newLayer(source, parsed.Values, "")
	if err != nil {
		return nil, fmt.Errorf("configuration file %q: %w", path, err)
	}
	result.file, result.lines = path, parsed.Lines
	return result, nil
}

// readBytes reads a whole file; an error says which.
func readBytes(path string) ([]byte, error) {
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
	return data, nil
}

// parseOne reads the one document that a file of ours has.
func parseOne(data []byte) (document.Document, error) {
	documents, err := document.Parse(data)
	switch {
	case err != nil:
		return document.Document{}, err
	case len(documents) > 1:
		return document.Document{}, errors.New("it has more than one YAML document; move what is behind the line --- into profile files")
	case len(documents) == 0:
		return document.Document{}, nil
	default:
		return documents[0], nil
	}
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
