package millrace_test

import (
	"go/ast"
	"os"
	"regexp"
	"testing"
)

// Ensure each test that docs/effects.md names is there: a promise without one is none. The cells of its first table are checked with the tests that they
// name, in package integration.
func TestEffectsAreTested(t *testing.T) {
	t.Parallel()
	there := map[string]bool{}
	for _, source := range sources(t) {
		for _, declaration := range source.file.Decls {
			if function, ok := declaration.(*ast.FuncDecl); ok && source.isTest() {
				there[function.Name.Name] = true
			}
		}
	}
	text, err := os.ReadFile("docs/effects.md")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`(Test\\w+)[/`]").FindAllStringSubmatch(string(text), -1)
	if len(named) < 10 {
		t.Fatalf("got %d tests named in docs/effects.md, want one for each cell", len(named))
	}
	for _, match := range named {
		if !there[match[1]] {
			t.Errorf("docs/effects.md: got no test %s, want it", match[1])
		}
	}
}
