package notification

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/prantikov/millrace/messages"
)

// defaults has a file for each audience and kind: patient/OrderEvent.shipped.txt.
//
//go:embed texts
var defaults embed.FS

// texts are what is said, by the name of their file.
type texts struct{ byName map[string]*text }

// text is one file: a line "Subject: …", an empty line, and the text. An empty file says nothing.
type text struct {
	subject, body *template.Template
	// fixed is true for a text without any action, whose subject and body are the same for all events.
	fixed                   bool
	fixedSubject, fixedBody string
}

// find returns what an audience is told of a kind; nil for nothing.
func (t *texts) find(audience Audience, e messages.Meta) *text {
	return t.byName[nameOf(audience, kindOf(e))]
}

func nameOf(audience Audience, kind string) string { return path.Join(string(audience), kind+".txt") }

// readTexts reads the texts that come with the program and lays those of a directory over them. The error joins every mistake and names each
// file; phi says whether the directory's files may use fields that are tagged as patient data.
func readTexts(directory string, phi bool) (*texts, error) {
	inside, err := fs.Sub(defaults, "texts")
	if err != nil {
		return nil, err
	}
	known := knownFields()
	all := &texts{byName: map[string]*text{}}
	mistakes := all.read(inside, "", known, false)
	if directory != "" {
		if info, err := os.Stat(directory); err != nil {
			return nil, fmt.Errorf("notification.templates: reading %q: %w", directory, plain(err))
		} else if !info.IsDir() {
			return nil, fmt.Errorf("notification.templates: %q is no directory", directory)
		}
		mistakes = append(mistakes, all.read(os.DirFS(directory), directory, known, phi)...)
	}
	return all, errors.Join(mistakes...)
}

// read reads every file of a folder. Hidden files and folders are left out: editors and mounted volumes have such.
func (t *texts) read(files fs.FS, directory string, known map[string][]messages.Leaf, phi bool) []error {
	var mistakes []error
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name != "." && strings.HasPrefix(entry.Name(), ".") && entry.IsDir():
			return fs.SkipDir
		case strings.HasPrefix(entry.Name(), ".") || isFolder(files, name):
			return nil
		}
		if err := t.add(files, name, known, phi); err != nil {
			mistakes = append(mistakes, fmt.Errorf("notification.templates: %s: %w", filepath.Join(directory, filepath.FromSlash(name)), err))
		}
		return nil
	})
	if err != nil {
		mistakes = append(mistakes, fmt.Errorf("notification.templates: reading %q: %w", directory, plain(err)))
	}
	return mistakes
}

// isFolder follows links, which is how Kubernetes mounts files.
func isFolder(files fs.FS, name string) bool {
	info, err := fs.Stat(files, name)
	return err == nil && info.IsDir()
}

func (t *texts) add(files fs.FS, name string, known map[string][]messages.Leaf, phi bool) error {
	leaves, ok := known[name]
	if !ok {
		return fmt.Errorf("no event has a text of this name: want AUDIENCE/TYPE.ACTION.txt, for example %s", nearestName(name, known))
	}
	content, err := fs.ReadFile(files, name)
	if err != nil {
		return plain(err)
	}
	read, err := parseText(name, string(content), fieldNames(leaves, phi))
	if err != nil {
		return err
	}
	t.byName[name] = read
	return nil
}

// parseText reads one file.
func parseText(name, content string, rules map[string]fieldRule) (*text, error) {
	content = strings.ReplaceAll(content, "\r\n", "\n")
	if strings.TrimSpace(content) == "" {
		return nil, nil // an empty file takes the text away
	}
	head, body, _ := strings.Cut(content, "\n")
	subject, ok := strings.CutPrefix(head, "Subject:")
	if !ok || strings.TrimSpace(body) == "" {
		return nil, errors.New(`want a first line "Subject: …", an empty line and the text`)
	}
	read := &text{}
	var err error
	if read.subject, err = parsePart(name, strings.TrimSpace(subject), rules); err != nil {
		return nil, err
	}
	if read.body, err = parsePart(name, strings.Trim(body, "\n"), rules); err != nil {
		return nil, err
	}
	if err := read.tryOut(rules); err != nil {
		return nil, err
	}
	if isFixed(read.subject) && isFixed(read.body) {
		if read.fixedSubject, read.fixedBody, err = read.execute(nil); err != nil {
			return nil, err
		}
		read.fixed = true
	}
	return read, nil
}

// render fills the text in. The subject is one line, whatever a field has in it.
func (t *text) render(fields map[string]string) (subject, body string, err error) {
	if t.fixed {
		return t.fixedSubject, t.fixedBody, nil
	}
	return t.execute(fields)
}

func (t *text) execute(fields map[string]string) (subject, body string, err error) {
	var out bytes.Buffer
	if err := t.subject.Execute(&out, fields); err != nil {
		return "", "", unrendered(err)
	}
	subject = strings.Join(strings.Fields(out.String()), " ")
	out.Reset()
	if err := t.body.Execute(&out, fields); err != nil {
		return "", "", unrendered(err)
	}
	return subject, out.String(), nil
}

// unrendered keeps where a text failed. What its error says may quote a field.
func unrendered(err error) error {
	if failed := (template.ExecError{}); errors.As(err, &failed) {
		return fmt.Errorf("the text %s could not be filled in", failed.Name)
	}
	return errors.New("the text could not be filled in")
}

// fieldsOf are the fields that a text can use.
func fieldsOf(audience Audience, e messages.Event[any]) map[string]string {
	fields := map[string]string{}
	for _, leaf := range messages.Leaves(e.Body) {
		fields[leaf.Name] = leaf.Text
	}
	maps.Copy(fields, map[string]string{
		"audience": string(audience), "kind": kindOf(e.Meta), "type": e.Type, "action": string(e.Action), "entityId": e.EntityID,
		"eventId": e.ID, "timestamp": e.Timestamp.UTC().Format(time.RFC3339),
	})
	return fields
}

// knownFields are the fields of each text's kind, by the name of its file, as far as the types tell them.
func knownFields() map[string][]messages.Leaf {
	known := map[string][]messages.Leaf{}
	for _, declared := range messages.Types() {
		for _, action := range declared.Actions() {
			decoded, err := declared.Decode(declared.Sample(action))
			if err != nil {
				continue // a test has every sample decoded
			}
			leaves := messages.Leaves(decoded.Body)
			for _, concerned := range partiesOf(decoded.Body) {
				known[nameOf(concerned.audience, declared.Name()+"."+string(action))] = leaves
			}
		}
	}
	return known
}

// nearestName is a name that somebody may have meant.
func nearestName(name string, known map[string][]messages.Leaf) string {
	names := slices.Sorted(maps.Keys(known))
	at, _ := slices.BinarySearch(names, name)
	return names[min(at, len(names)-1)]
}

// plain drops the operation and the path, which the sentence around it has already.
func plain(err error) error {
	if failed := (*fs.PathError)(nil); errors.As(err, &failed) {
		return failed.Err
	}
	return err
}
