package spring

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/magiconair/properties"
)

// parseProperties reads the documents of a .properties file. Java reads these files as ISO-8859-1, so what is beyond is written \u00fc.
func parseProperties(file string, data []byte) ([]Source, error) {
	reading := &propertiesReading{file: file, current: &Source{File: file}}
	for _, line := range logicalLines(string(data)) {
		if line.comment {
			reading.comment(line)
			continue
		}
		reading.before = 0
		if err := reading.property(line); err != nil {
			return nil, fmt.Errorf("line %d: %w", line.number, err)
		}
	}
	reading.close()
	return reading.documents, nil
}

type propertiesReading struct {
	file      string
	documents []Source
	current   *Source
	before    byte // the sign with which the line before, a comment, begins
}

// comment begins a new document at #--- or !---, unless the line before or after it is a comment of the same sign: then it is a frame
// around a heading.
func (r *propertiesReading) comment(line logicalLine) {
	if r.before != line.text[0] && strings.TrimRight(line.text[1:], " \t\f") == "---" {
		r.close()
		r.before = 0
		return
	}
	if len(r.current.Properties) == 0 && len(r.documents) > 0 {
		last := len(r.documents) - 1
		*r.current, r.documents = r.documents[last], r.documents[:last]
	}
	r.before = line.text[0]
}

func (r *propertiesReading) close() {
	if len(r.current.Properties) > 0 {
		r.documents = append(r.documents, *r.current)
	}
	r.current = &Source{File: r.file}
}

func (r *propertiesReading) property(line logicalLine) error {
	if strings.IndexByte("=:", line.text[0]) >= 0 {
		return errors.New("it has a value and no name")
	}
	// Its own expansion makes an empty text of ${NAME:default} without a word, and knows nothing of other files.
	loader := properties.Loader{Encoding: properties.ISO_8859_1, DisableExpansion: true}
	parsed, err := loader.LoadBytes([]byte(line.text + "\n"))
	if err != nil {
		return errors.New("it is not a property: an escape that begins with \\u has four hexadecimal digits")
	}
	for _, name := range parsed.Keys() {
		value, _ := parsed.Get(name)
		at := Property{File: r.file, Line: line.number}
		if plain, list := strings.CutSuffix(name, "[]"); list {
			for i, entry := range strings.Split(value, ",") {
				r.current.add(fmt.Sprintf("%s[%d]", plain, i), strings.TrimSpace(entry), at)
			}
			continue
		}
		r.current.add(name, value, at)
	}
	return nil
}

// logicalLine is a property with its continuation lines, or a comment.
type logicalLine struct {
	number  int // of its first line
	text    string
	comment bool
}

// logicalLines puts together what a backslash at the end of a line continues, and leaves empty lines out. Every property on its own has the
// line that the library does not tell.
func logicalLines(text string) []logicalLine {
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
	var lines []logicalLine
	open := false
	for number, line := range strings.Split(text, "\n") {
		line = strings.TrimLeft(line, " \t\f")
		if open {
			last := &lines[len(lines)-1]
			last.text += line
		} else if line == "" {
			continue
		} else {
			lines = append(lines, logicalLine{number: number + 1, text: line, comment: line[0] == '#' || line[0] == '!'})
		}
		last := &lines[len(lines)-1]
		if open = !last.comment && continues(last.text); open {
			last.text = last.text[:len(last.text)-1]
		}
	}
	// A backslash alone at the end of the file continues nothing.
	return slices.DeleteFunc(lines, func(line logicalLine) bool { return line.text == "" })
}

// continues says that a line ends in a backslash that is not itself escaped.
func continues(line string) bool {
	return (len(line)-len(strings.TrimRight(line, `\`)))%2 == 1
}
