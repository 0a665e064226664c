package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/prantikov/millrace/config"
)

const (
	tableBegins = "<!-- The properties: written by go test ./config -update from config/spring_*.go. Change them there. -->\n"
	tableEnds   = "<!-- End of the properties. -->\n"
)

// Ensure the page for Spring teams has every property that is read, as it is read.
func TestSpringPageIsUpToDate(t *testing.T) {
	t.Parallel()
	path := filepath.Join("..", "docs", "from-spring.md")
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(page), "\r\n", "\n")
	before, rest, begun := strings.Cut(text, tableBegins)
	between, after, ended := strings.Cut(rest, tableEnds)
	if !begun || !ended {
		t.Fatalf("docs/from-spring.md: got no place for the properties, want the lines %q and %q", tableBegins, tableEnds)
	}
	want := springTable()
	if between == want {
		return
	}
	if !*update {
		t.Fatal("docs/from-spring.md: got other properties than those that are read, want the same: go test ./config -update")
	}
	if err := os.WriteFile(path, []byte(before+tableBegins+want+tableEnds+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

func springTable() string {
	var out strings.Builder
	out.WriteString("\n| Spring | Kafka | Millrace | to know |\n|---|---|---|---|\n")
	for _, property := range config.SpringProperties() {
		if property.Setting != "" {
			fmt.Fprintf(&out, "| %s | %s | `%s` | %s |\n", codes(property.Names), code(property.Kafka), property.Setting, property.Note)
		}
	}
	out.WriteString("\nThese are understood, and Millrace does something in its own way:\n\n| Spring | instead |\n|---|---|\n")
	for _, property := range config.SpringProperties() {
		if property.Setting == "" {
			fmt.Fprintf(&out, "| %s | %s |\n", codes(property.Names), strings.NewReplacer("<", "&lt;", ">", "&gt;").Replace(property.Note))
		}
	}
	out.WriteString("\n")
	return out.String()
}

func codes(names []string) string {
	all := make([]string, len(names))
	for i, name := range names {
		if strings.HasSuffix(name, ".") {
			name += "*"
		}
		all[i] = code(name)
	}
	return strings.Join(all, ", ")
}

// Ensure what the documentation of a setting calls its name in Spring is read under that name.
func TestSpringNamesOfTheRegistryAreRead(t *testing.T) {
	t.Parallel()
	// These have a counterpart there and are not taken: where files are is said elsewhere; the Java service's ports, database, name and traces
	// stay its own.
	elsewhere := []string{"config", "http.address", "metrics.address", "store.dsn", "tracing.enabled", "tracing.endpoint", "tracing.sample_ratio", "tracing.service"}
	read := map[string][]string{}
	for _, property := range config.SpringProperties() {
		for _, name := range property.Names {
			read[name] = append(read[name], property.Setting)
		}
	}
	for _, setting := range config.Registry() {
		if setting.Spring == "" || slices.Contains(elsewhere, setting.Path) {
			continue
		}
		name := strings.Replace(setting.Spring, "kafka.topic.<name>", "kafka.topic.order", 1)
		path := strings.Replace(setting.Path, "topics.<name>", "topics.order-events", 1)
		if !slices.Contains(read[name], path) && !slices.Contains(read[name], strings.Replace(setting.Path, "<name>", "defaults", 1)) {
			t.Errorf("%s: got %s not read, want it to set it", setting.Path, setting.Spring)
		}
	}
}
