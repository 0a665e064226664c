package millrace_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prantikov/millrace/messages"
)

var update = flag.Bool("update", false, "write the pictures of docs/guide.md anew")

const guide = "docs/guide.md"

// Ensure the guide has the headings of the platform's, each with a picture that every console can show and a command.
func TestGuideHasItsParts(t *testing.T) {
	t.Parallel()
	want := []string{
		"System architecture", "Event flow", "Topic partitioning and consumer groups", "Event life cycle", "Offset management", "Data model",
		"Configuration hierarchy", "Processing patterns", "Error handling flows", "Scaling",
	}
	var got []string
	for _, part := range strings.Split(readFile(t, guide), "\n## ")[1:] {
		heading, text, _ := strings.Cut(part, "\n")
		got = append(got, heading)
		pictures := regexp.MustCompile("(?s)```text\n(.+?)```").FindAllStringSubmatch(text, -1)
		if len(pictures) == 0 {
			t.Errorf("%s: got no picture, want one", heading)
		}
		for _, picture := range pictures {
			if at := strings.IndexFunc(picture[1], func(r rune) bool { return r != '\n' && (r < ' ' || r > '~') }); at >= 0 {
				t.Errorf("%s: got a picture with %q, want ASCII alone", heading, picture[1][at:min(len(picture[1]), at+4)])
			}
		}
		if !strings.Contains(text, "```sh\nmillrace ") {
			t.Errorf("%s: got no command that shows it, want one", heading)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got headings %q, want %q", got, want)
	}
}

// Ensure every command of the guide works in the order in which it stands there, in one directory that is empty at first.
func TestGuideCommands(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	binary := buildProgram(t, directory)
	if ran := runDocumented(t, guide, directory, binary, nil); ran < 10 {
		t.Errorf("ran %d commands of %s, want one of each part at least", ran, guide)
	}
}

// Ensure the pictures of routes and of types are what the program has; -update draws them anew.
func TestGuidePictures(t *testing.T) {
	t.Parallel()
	page := readFile(t, guide)
	routes := drawnRoutes(t)
	marked := regexp.MustCompile("(?s)<!-- (routes: [a-z-]+|types) -->\n```text\n(.*?)```")
	drawn := 0
	redrawn := marked.ReplaceAllStringFunc(page, func(block string) string {
		name := marked.FindStringSubmatch(block)[1]
		picture := drawnTypes(t)
		if topic, ok := strings.CutPrefix(name, "routes: "); ok {
			if picture = routes[topic]; picture == "" {
				t.Errorf("got a picture of %s, which routes --graph does not draw", topic)
			}
		}
		drawn++
		return "<!-- " + name + " -->\n```text\n" + picture + "```"
	})
	if drawn < 2 {
		t.Errorf("got %d pictures to compare, want those of routes and of types", drawn)
	}
	if redrawn == page {
		return
	}
	if !*update {
		t.Errorf("the pictures of %s are not what the program draws: go test . -run TestGuidePictures -update\n%s", guide, redrawn)
		return
	}
	if err := os.WriteFile(filepath.FromSlash(guide), []byte(redrawn), 0o644); err != nil {
		t.Fatal(err)
	}
}

// drawnRoutes is what routes --graph draws, by topic.
func drawnRoutes(t *testing.T) map[string]string {
	t.Helper()
	directory := t.TempDir()
	out := runProgram(t, directory, buildProgram(t, directory), "routes", "--graph")
	trees := map[string]string{}
	topic := ""
	for line := range strings.Lines(out) {
		if name, _, isTopic := strings.Cut(line, " ("); isTopic {
			topic = name
		}
		trees[topic] += line
	}
	return trees
}

// drawnTypes is every type with its fields, in the order of its sample; patient data is marked.
func drawnTypes(t *testing.T) string {
	t.Helper()
	var text strings.Builder
	for i, declared := range messages.Types() {
		if i > 0 {
			text.WriteString("\n")
		}
		sample := declared.Sample(messages.Created)
		decoded, err := declared.Decode(sample)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&text, "%s (%s)\n", declared.Topic(), declared.Name())
		for _, field := range fieldsOf(t, sample) {
			notes := ""
			switch {
			case field.value == decoded.EntityID:
				notes = "  the key"
			case slices.Contains(declared.PHI(), field.name):
				notes = "  *"
			case field.name == "action":
				var actions []string
				for _, action := range declared.Actions() {
					actions = append(actions, string(action))
				}
				notes = "  " + strings.Join(actions, " ")
			}
			text.WriteString(strings.TrimRight(fmt.Sprintf("  %-15s%s", field.name, notes), " ") + "\n")
		}
	}
	return text.String()
}

type sampleField struct {
	name  string
	value any
}

// fieldsOf are the fields of a JSON object, in their order.
func fieldsOf(t *testing.T, document []byte) []sampleField {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(string(document)))
	if _, err := decoder.Token(); err != nil {
		t.Fatal(err)
	}
	var fields []sampleField
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			t.Fatal(err)
		}
		field := sampleField{name: name.(string)}
		if err := decoder.Decode(&field.value); err != nil {
			t.Fatal(err)
		}
		fields = append(fields, field)
	}
	return fields
}
