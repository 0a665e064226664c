package millrace_test

import (
	"go/ast"
	"go/token"
	"path"
	"slices"
	"strings"
	"testing"
)

// Ensure no file is too long to be read at once.
func TestFilesAreShort(t *testing.T) {
	t.Parallel()
	const most = 500
	for _, source := range sources(t) {
		if source.lines > most && !ast.IsGenerated(source.file) {
			t.Errorf("%s: got %d lines, want at most %d: one idea per file", source.path, source.lines, most)
		}
	}
}

// Ensure nothing happens behind the reader's back: what runs is called from main.
func TestNoInit(t *testing.T) {
	t.Parallel()
	for _, source := range sources(t) {
		for _, declaration := range source.file.Decls {
			if function, ok := declaration.(*ast.FuncDecl); ok && function.Recv == nil && function.Name.Name == "init" {
				t.Errorf("%s: got func init, want a function that is called by name", source.at(function))
			}
		}
	}
}

// Ensure tests wait for what they want to see, not for a time, and that all of them run.
func TestTestsNeitherSleepNorSkip(t *testing.T) {
	t.Parallel()
	for _, source := range sources(t) {
		if !source.isTest() {
			continue
		}
		// A *rapid.T that skips only drops one drawn step, so what its functions skip is theirs.
		drawn := 0
		var open []bool // of the nodes around: whether it is a function of a *rapid.T
		ast.Inspect(source.file, func(node ast.Node) bool {
			if node == nil {
				if open[len(open)-1] {
					drawn--
				}
				open = open[:len(open)-1]
				return true
			}
			function, ok := node.(*ast.FuncLit)
			rapid := ok && takesRapid(function.Type)
			if rapid {
				drawn++
			}
			open = append(open, rapid)
			name := selected(node)
			if name == "time.Sleep" || drawn == 0 && slices.Contains([]string{"t.Skip", "t.Skipf", "t.SkipNow"}, name) {
				t.Errorf("%s: got %s, want a poll with a deadline or testing/synctest, and a test that runs everywhere", source.at(node), name)
			}
			return true
		})
	}
}

// selected is NAME.NAME when the node is that, else empty.
func selected(node ast.Node) string {
	selector, ok := node.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	if name, ok := selector.X.(*ast.Ident); ok {
		return name.Name + "." + selector.Sel.Name
	}
	return ""
}

// takesRapid reports whether a function's first parameter is a *rapid.T.
func takesRapid(function *ast.FuncType) bool {
	if len(function.Params.List) == 0 {
		return false
	}
	pointer, ok := function.Params.List[0].Type.(*ast.StarExpr)
	return ok && selected(pointer.X) == "rapid.T"
}

// Ensure each package says in its comment what it owns.
func TestPackagesAreDocumented(t *testing.T) {
	t.Parallel()
	documented := map[string]bool{}
	for _, source := range sources(t) {
		if !source.isTest() {
			documented[source.folder] = documented[source.folder] || source.file.Doc != nil
		}
	}
	for folder, has := range documented {
		if !has {
			t.Errorf("%s: got no package comment, want one sentence of what it owns and one of what it never does", folder)
		}
	}
}

// Ensure every exported name says what it is for.
func TestExportedNamesAreDocumented(t *testing.T) {
	t.Parallel()
	for _, source := range sources(t) {
		if source.isTest() || source.file.Name.Name == "main" || ast.IsGenerated(source.file) {
			continue
		}
		for _, declaration := range source.file.Decls {
			for _, name := range undocumented(declaration) {
				t.Errorf("%s: %s has no doc comment", source.at(name), path.Base(source.folder)+"."+name.Name)
			}
		}
	}
}

// undocumented are the exported names of a declaration that nothing is said about. In a group the comment above the group counts.
func undocumented(declaration ast.Decl) []*ast.Ident {
	switch declaration := declaration.(type) {
	case *ast.FuncDecl:
		if declaration.Doc == nil && declaration.Name.IsExported() && !ofUnexported(declaration.Recv) {
			return []*ast.Ident{declaration.Name}
		}
	case *ast.GenDecl:
		if declaration.Doc != nil || declaration.Tok == token.IMPORT {
			return nil
		}
		var names []*ast.Ident
		for _, spec := range declaration.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				if spec.Doc == nil && spec.Comment == nil {
					names = append(names, spec.Name)
				}
			case *ast.ValueSpec:
				if spec.Doc == nil && spec.Comment == nil {
					names = append(names, spec.Names...)
				}
			}
		}
		return slices.DeleteFunc(names, func(name *ast.Ident) bool { return !name.IsExported() })
	}
	return nil
}

// ofUnexported reports whether a receiver's type is not exported: its methods are nobody's to call by name.
func ofUnexported(receiver *ast.FieldList) bool {
	if receiver == nil || len(receiver.List) == 0 {
		return false
	}
	exported := false
	ast.Inspect(receiver.List[0].Type, func(node ast.Node) bool {
		name, ok := node.(*ast.Ident)
		if ok && !exported {
			exported = name.IsExported()
		}
		return !ok
	})
	return !exported
}

// Ensure a dependency is a decision: what is imported has its line, with the reason, in CONTRIBUTING.md.
func TestDependenciesHaveAReason(t *testing.T) {
	t.Parallel()
	var reasons []string
	for line := range strings.Lines(readFile(t, "CONTRIBUTING.md")) {
		if cell, ok := strings.CutPrefix(line, "| `"); ok {
			for i, word := range strings.Split(strings.Split(cell, " |")[0], "`") {
				if i%2 == 0 { // the words between backticks
					reasons = append(reasons, word)
				}
			}
		}
	}
	for _, source := range sources(t) {
		for _, imported := range source.imports() {
			host, _, _ := strings.Cut(imported, "/")
			if _, isOurs := ours(imported); isOurs || !strings.Contains(host, ".") {
				continue
			}
			if !slices.ContainsFunc(reasons, func(reason string) bool {
				return within(majorless(strings.TrimPrefix(imported, "github.com/")), reason)
			}) {
				t.Errorf("%s imports %s: CONTRIBUTING.md has no line for it: why, instead of what", source.path, imported)
			}
		}
	}
}

// Ensure nothing unfinished and nothing silenced is left in the sources.
func TestNothingIsLeftUnfinished(t *testing.T) {
	t.Parallel()
	// In parts, so that this file does not find itself.
	words := []string{"TO" + "DO", "FIX" + "ME", "no" + "lint", "lint:" + "ignore"}
	for _, source := range sources(t) {
		for _, group := range source.file.Comments {
			for _, comment := range group.List {
				for _, word := range words {
					if strings.Contains(comment.Text, word) {
						t.Errorf("%s: got %q in a comment, want the thing done", source.at(comment), word)
					}
				}
			}
		}
	}
}
