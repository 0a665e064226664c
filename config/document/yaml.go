// Package document owns reading YAML as text: every scalar as it is written, every key with its line. It never says what a value means, and
// no error of its repeats one.
package document

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

const (
	// maxFileValues bounds a file after its aliases: more than any configuration, less than what a loop or a bomb of aliases makes.
	maxFileValues = 20_000
	maxFileDepth  = 32
)

// Separator joins the parts of a key: names of topics may have dots, nothing has this.
const Separator = "\x1f"

// Key joins the parts of a key.
func Key(parts ...string) string { return strings.Join(parts, Separator) }

// Document is one YAML document as text: scalars stay as they are written, for what they mean is up to the setting, not to YAML (an unquoted
// 2026-01-01 is no date, 0123 no octal number, on no boolean). A scalar is a string, nil without a value; a list []any.
type Document struct {
	Values map[string]any
	// Lines has the line of every key and of every entry of a list, by its [Key]; entries are numbered from 0.
	Lines map[string]int
}

// Parse reads the documents of a file; a file without a value in it has none. Errors name the line and never repeat a value.
func Parse(data []byte) ([]Document, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var documents []Document
	seen := 0
	for {
		var root yaml.Node
		if err := decoder.Decode(&root); errors.Is(err, io.EOF) {
			return documents, nil
		} else if err != nil {
			return nil, plainYAMLError(err)
		}
		reader := yamlReader{lines: map[string]int{}, seen: seen}
		value, err := reader.value(root.Content[0], nil)
		if err != nil {
			return nil, err
		}
		// All documents together are bounded: many small ones are as much work as a large one.
		seen = reader.seen
		section, ok := value.(map[string]any)
		if !ok && value != nil {
			return nil, errors.New("it is not a YAML mapping of settings")
		}
		documents = append(documents, Document{Values: section, Lines: reader.lines})
	}
}

func plainYAMLError(err error) error {
	return errors.New("it is not YAML: " + strings.TrimPrefix(err.Error(), "yaml: "))
}

type yamlReader struct {
	lines map[string]int
	seen  int
}

func (r *yamlReader) value(node *yaml.Node, parts []string) (any, error) {
	r.seen++
	if r.seen > maxFileValues || len(parts) > maxFileDepth {
		return nil, fmt.Errorf("line %d: it is nested too deep or too large; is there an alias within its own anchor?", node.Line)
	}
	switch node.Kind {
	case yaml.AliasNode:
		return r.value(node.Alias, parts)
	case yaml.MappingNode:
		return r.mapping(node, parts)
	case yaml.SequenceNode:
		list := make([]any, 0, len(node.Content))
		for i, entry := range node.Content {
			below := append(parts[:len(parts):len(parts)], strconv.Itoa(i))
			r.lines[Key(below...)] = entry.Line
			value, err := r.value(entry, below)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		return list, nil
	default:
		if node.ShortTag() == "!!null" {
			return nil, nil
		}
		return node.Value, nil
	}
}

func (r *yamlReader) mapping(node *yaml.Node, parts []string) (any, error) {
	section := map[string]any{}
	own := map[string]int{}
	var merged []*yaml.Node
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		if key.ShortTag() == "!!merge" {
			merged = append(merged, value)
			continue
		}
		if key.Kind != yaml.ScalarNode || strings.Contains(key.Value, Separator) {
			return nil, fmt.Errorf("line %d: a key is not a plain text", key.Line)
		}
		if first, twice := own[key.Value]; twice {
			return nil, fmt.Errorf("line %d: %s is there twice, first in line %d", key.Line, strings.Join(append(parts[:len(parts):len(parts)], key.Value), "."), first)
		}
		own[key.Value] = key.Line
		below := append(parts[:len(parts):len(parts)], key.Value)
		read, err := r.value(value, below)
		if err != nil {
			return nil, err
		}
		section[key.Value] = read
		r.lines[Key(below...)] = key.Line
	}
	for _, other := range merged {
		if err := r.merge(section, other, parts); err != nil {
			return nil, err
		}
	}
	return section, nil
}

// merge adds what YAML's << brings and the section does not have itself; what it brings keeps the line of its anchor.
func (r *yamlReader) merge(section map[string]any, node *yaml.Node, parts []string) error {
	sources := []*yaml.Node{node}
	if node.Kind == yaml.SequenceNode {
		sources = node.Content
	}
	for _, source := range sources {
		inner := yamlReader{lines: map[string]int{}, seen: r.seen}
		value, err := inner.value(source, append(parts[:len(parts):len(parts)], "<<"))
		r.seen = inner.seen
		if err != nil {
			return err
		}
		mapping, ok := value.(map[string]any)
		if !ok {
			return fmt.Errorf("line %d: << takes a mapping", node.Line)
		}
		for name, value := range mapping {
			if _, own := section[name]; !own {
				section[name] = value
			}
		}
	}
	return nil
}
