package millrace_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/prantikov/millrace"

// house is the table of DESIGN.md: what a folder may import of ours. A folder below one of these follows the rule of the nearest above it,
// and a folder may always import what lies below itself. Arrows point one way: the table has no cycle, and Go refuses one.
var house = map[string][]string{
	// The root is the public door: somebody's own binary imports it and gets every command.
	".": {"cmd", "config", "control", "dashboard", "deadletter", "demo", "docs", "handlers", "kafka", "messages", "observe", "privacy", "producer",
		"progress", "record", "replay", "router", "store", "tracing"},
	"cmd": {"config", "control", "dashboard", "deadletter", "demo", "docs", "handlers", "kafka", "messages", "observe", "privacy", "producer",
		"progress", "record", "replay", "router", "store", "tracing"},
	"config": {},
	// How Spring Boot reads its files knows no setting of ours.
	"config/document": {},
	"config/spring":   {"config/document"},
	"messages":        {},
	"record":          {},
	"progress":        {"record"},
	"kafka":           {"config", "record", "progress"},
	"router":          {"messages", "record"},
	"handlers":        {"messages", "record", "router", "store"},
	"store":           {"messages", "record", "progress"},
	"deadletter":      {"docs", "messages", "record", "kafka"},
	"producer":        {"messages", "record"},
	"replay":          {"messages", "record", "progress", "kafka", "router", "store"},
	"observe":         {"record"},
	"control":         {"observe"},
	"privacy":         {},
	"tracing":         {"record", "router"},
	"demo":            {"messages", "record"},
	// docs holds the pages that commands print, embedded.
	"docs": {},
	"dashboard": {"config", "deadletter", "docs", "handlers", "kafka", "messages", "observe", "privacy", "producer", "progress", "record",
		"replay", "router", "store"},
	// Test kits: they know what they stand in for, and only tests and examples import them.
	"kafka/kafkatest":     {"config", "kafka", "record", "progress"},
	"router/routertest":   {"messages", "record", "router"},
	"store/storetest":     {},
	"tracing/tracingtest": {},
	// Measurements and examples may use everything; nothing imports them.
	"bench": {".", "cmd", "config", "deadletter", "demo", "handlers", "kafka", "messages", "observe", "producer", "progress", "record",
		"replay", "router", "store", "store/storetest"},
	// What is deployed beside the program, and what starts a Kafka for it. Its check is a module of its own.
	"deploy":  {"config", "observe"},
	"scripts": {},
	// The binary as processes, under faults, and somebody's own binary for them.
	"integration": {".", "router", "config", "deadletter", "handlers", "kafka", "kafka/kafkatest", "messages", "record", "store", "store/storetest", "tracing/tracingtest"},
	"examples":    {".", "config", "handlers", "messages", "producer", "record", "router", "store", "store/storetest"},
}

// testKits are imported by tests and by examples alone.
var testKits = []string{"kafka/kafkatest", "router/routertest", "store/storetest", "tracing/tracingtest"}

// leaves are imported by nobody.
var leaves = []string{"bench", "deploy", "examples", "integration", "scripts"}

// clients says which folders may import what came from outside: one place for each, so that one place changes with it.
var clients = []struct {
	prefix string   // import path, and all below it
	only   []string // folders that may import it
}{
	// The measurements compare us with who uses the clients raw.
	{prefix: "github.com/IBM/sarama", only: []string{"kafka", "bench"}},
	{prefix: "github.com/ThreeDotsLabs/watermill-kafka", only: []string{"kafka", "bench"}},
	{prefix: "github.com/twmb/franz-go", only: []string{"kafka", "bench"}},
	// Handlers are plain functions of events; the wire contract, the log's records, progress and the store know no messaging library.
	{prefix: "github.com/ThreeDotsLabs/watermill", only: []string{".", "bench", "cmd", "examples", "kafka", "observe", "replay", "router"}},
	{prefix: "database/sql", only: []string{".", "bench", "cmd", "examples", "handlers", "store"}},
	{prefix: "modernc.org/sqlite", only: []string{"store"}},
	{prefix: "github.com/jackc/pgx", only: []string{"bench", "store"}},
	{prefix: "github.com/pressly/goose", only: []string{"store"}},
	// Certificates, keys and logins are read and checked in one place, and made in the test kit.
	{prefix: "software.sslmate.com/src/go-pkcs12", only: []string{"kafka/security", "kafka/kafkatest"}},
	{prefix: "github.com/pavlo-v-chernykh/keystore-go", only: []string{"kafka/security", "kafka/kafkatest"}},
	{prefix: "github.com/youmark/pkcs8", only: []string{"kafka/security", "kafka/kafkatest"}},
	{prefix: "github.com/xdg-go/scram", only: []string{"kafka/security"}},
	{prefix: "golang.org/x/oauth2", only: []string{"kafka/security"}},
	{prefix: "github.com/knadh/koanf", only: []string{"config"}},
	{prefix: "github.com/spf13/cobra", only: []string{"cmd"}},
	{prefix: "go.opentelemetry.io", only: []string{".", "tracing"}},
	{prefix: "github.com/wneessen/go-mail", only: []string{"handlers/notification"}},
	{prefix: "github.com/standard-webhooks", only: []string{"handlers/notification"}},
	{prefix: "github.com/sony/gobreaker", only: []string{"handlers/notification"}},
	{prefix: "github.com/parquet-go/parquet-go", only: []string{"handlers/archive"}},
	{prefix: "github.com/klauspost/compress", only: []string{"handlers/archive"}},
	{prefix: "github.com/prometheus/client_golang", only: []string{"cmd", "dashboard", "observe"}},
}

// source is one Go file of this module.
type source struct {
	path   string // from the root, with slashes
	folder string // its directory, "." for the root
	lines  int
	set    *token.FileSet
	file   *ast.File
}

func (s source) isTest() bool { return strings.HasSuffix(s.path, "_test.go") }

// at is the position of a node for a failure text.
func (s source) at(node ast.Node) string {
	return s.path + ":" + strconv.Itoa(s.set.Position(node.Pos()).Line)
}

// imports are the import paths of the file.
func (s source) imports() []string {
	var paths []string
	for _, spec := range s.file.Imports {
		paths = append(paths, strings.Trim(spec.Path.Value, `"`))
	}
	return paths
}

// sources parses every Go file of the repository, tests too.
func sources(t *testing.T) []source {
	t.Helper()
	var found []source
	set := token.NewFileSet()
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			hidden := name != "." && strings.HasPrefix(entry.Name(), ".")
			if hidden || entry.Name() == "testdata" || entry.Name() == "data" {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(name) != ".go" {
			return nil
		}
		file, err := parser.ParseFile(set, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		slashed := filepath.ToSlash(name)
		lines := set.File(file.FileStart).LineCount()
		found = append(found, source{path: slashed, folder: path.Dir(slashed), lines: lines, set: set, file: file})
		return nil
	})
	if err != nil {
		t.Fatalf("reading the sources: %v", err)
	}
	if len(found) == 0 {
		t.Fatal("got no Go file, want the whole repository")
	}
	return found
}

// ours cuts an import path to the folder in this module; false for one of somebody else.
func ours(imported string) (string, bool) {
	if imported == module {
		return ".", true
	}
	return strings.CutPrefix(imported, module+"/")
}

// within reports whether a folder is one of those, or below one; the root has nothing below it here.
func within(folder string, those ...string) bool {
	return slices.ContainsFunc(those, func(one string) bool {
		return folder == one || one != "." && strings.HasPrefix(folder, one+"/")
	})
}

// room is the row of the house table that a folder follows; false when there is none.
func room(folder string) (string, bool) {
	for ; ; folder = path.Dir(folder) {
		if _, known := house[folder]; known {
			return folder, true
		}
		if !strings.Contains(folder, "/") {
			return "", false
		}
	}
}

// wrongArrow says why a file in a folder must not import another one of ours, empty when it may.
func wrongArrow(folder, imported string, test bool) string {
	row, known := room(folder)
	switch {
	case !known:
		return "the folder has no row in the house table"
	case within(folder, imported), within(imported, folder) && folder != ".":
		// What lies below, and an external test of the package itself.
		if within(imported, testKits...) && !test {
			return "a test kit is for tests"
		}
		return ""
	case within(imported, leaves...):
		return "nothing imports measurements or examples"
	case test:
		return ""
	case within(imported, testKits...) && row != "examples":
		return "a test kit is for tests"
	case within(imported, house[row]...), imported == row:
		return ""
	}
	return "the house table has no arrow from " + row
}

// Ensure every import of ours is an arrow of the house table.
func TestArrowsPointOneWay(t *testing.T) {
	t.Parallel()
	for _, source := range sources(t) {
		for _, imported := range source.imports() {
			target, isOurs := ours(imported)
			if !isOurs {
				continue
			}
			if why := wrongArrow(source.folder, target, source.isTest()); why != "" {
				t.Errorf("%s imports %s: %s", source.path, target, why)
			}
		}
	}
}

// Ensure the check itself sees wrong arrows.
func TestWrongArrows(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name             string
		folder, imported string
		test             bool // whether the importing file is a test
		want             bool // whether the arrow is wrong
	}{
		{name: "a handler may use the router", folder: "handlers/notification", imported: "router"},
		{name: "a handler must not use kafka", folder: "handlers/notification", imported: "kafka", want: true},
		{name: "the wire contract knows nothing of ours", folder: "messages", imported: "record", want: true},
		{name: "commands wire everything", folder: "cmd", imported: "kafka"},
		{name: "our binary imports the commands", folder: "cmd/millrace", imported: "cmd"},
		{name: "our binary must not go through the public door", folder: "cmd/millrace", imported: ".", want: true},
		{name: "a folder below follows the rule above", folder: "store/migrations", imported: "kafka", want: true},
		{name: "a package may use what lies below it", folder: "handlers", imported: "handlers/archive"},
		{name: "a test kit is not for production", folder: "cmd", imported: "kafka/kafkatest", want: true},
		{name: "a test kit is not for its own package", folder: "kafka", imported: "kafka/kafkatest", want: true},
		{name: "a test may use a test kit", folder: "kafka", imported: "kafka/kafkatest", test: true},
		{name: "an example may use a test kit", folder: "examples/loyalty", imported: "router/routertest"},
		{name: "nobody imports an example", folder: "cmd", imported: "examples/loyalty", test: true, want: true},
		{name: "an example imports itself in its test", folder: "examples/loyalty", imported: "examples/loyalty", test: true},
		{name: "a new folder needs a row", folder: "utils", imported: "record", want: true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if why := wrongArrow(test.folder, test.imported, test.test); (why != "") != test.want {
				t.Errorf("%s → %s: got %q, want wrong %t", test.folder, test.imported, why, test.want)
			}
		})
	}
}

// Ensure each library from outside is known to the folders that own it and to no other.
func TestClientsHaveOneHome(t *testing.T) {
	t.Parallel()
	for _, source := range sources(t) {
		if source.isTest() {
			continue
		}
		for _, imported := range source.imports() {
			for _, client := range clients {
				if within(majorless(imported), client.prefix) && !within(source.folder, client.only...) {
					t.Errorf("%s imports %s: only %s may", source.path, imported, strings.Join(client.only, ", "))
				}
			}
			if within(source.folder, "record") && strings.Contains(strings.Split(imported, "/")[0], ".") {
				t.Errorf("%s imports %s: a record needs the standard library alone", source.path, imported)
			}
		}
	}
}

// majorless cuts the /vN of a module path, so that a new major version falls under the same rule.
func majorless(imported string) string {
	parts := strings.Split(imported, "/")
	return strings.Join(slices.DeleteFunc(parts, func(part string) bool {
		return len(part) > 1 && part[0] == 'v' && strings.Trim(part[1:], "0123456789") == ""
	}), "/")
}

// Ensure progress stays a pure state machine: its tests against a model hold only without a clock and without goroutines.
func TestProgressHasNoClockAndNoGoroutine(t *testing.T) {
	t.Parallel()
	clock := []string{"Now", "Since", "Until", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick", "Sleep"}
	for _, source := range sources(t) {
		if !within(source.folder, "progress") || source.isTest() {
			continue
		}
		ast.Inspect(source.file, func(node ast.Node) bool {
			switch node := node.(type) {
			case *ast.GoStmt:
				t.Errorf("%s: got a goroutine, want none in progress", source.at(node))
			case *ast.SelectorExpr:
				if name, ok := strings.CutPrefix(selected(node), "time."); ok && slices.Contains(clock, name) {
					t.Errorf("%s: got time.%s, want no clock in progress", source.at(node), name)
				}
			}
			return true
		})
	}
}

// Ensure the router routes by what it is given: it names no action and no kind.
func TestRouterNamesNoAction(t *testing.T) {
	t.Parallel()
	actions := []string{"Created", "Updated", "Cancelled", "Shipped", "Delivered", "Deleted"}
	for _, source := range sources(t) {
		if source.folder != "router" || source.isTest() {
			continue
		}
		ast.Inspect(source.file, func(node ast.Node) bool {
			name, ok := strings.CutPrefix(selected(node), "messages.")
			if ok && slices.ContainsFunc(actions, func(action string) bool { return strings.HasSuffix(name, action) }) {
				t.Errorf("%s: got messages.%s, want no action named in the router", source.at(node), name)
			}
			return true
		})
	}
}
