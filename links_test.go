package millrace_test

import (
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

// Ensure every link of every page that leads to another place of the repository leads to something, and to a heading that is there.
func TestLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	found := pages(t)
	checked := 0
	for name, text := range found {
		for _, target := range linksOf(text) {
			checked++
			if why := deadLink(found, name, target); why != "" {
				t.Errorf("%s links to %s: %s", name, target, why)
			}
		}
	}
	if checked < 20 {
		t.Errorf("got %d links, want those of README and the pages", checked)
	}
}

// Ensure the check itself sees links that lead nowhere.
func TestDeadLinks(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"README.md":    "# Millrace\n\n## What `run` does, and why\n\n## Twice\n\n## Twice\n",
		"docs/page.md": "# A page\n\n```sh\n# no heading\n```\n",
	}
	tests := []struct {
		from, target string
		want         bool // whether it leads nowhere
	}{
		{"README.md", "docs/page.md", false},
		{"README.md", "docs/page.md#a-page", false},
		{"README.md", "#what-run-does-and-why", false},
		{"README.md", "#twice-1", false},
		{"docs/page.md", "../README.md#millrace", false},
		{"docs/page.md", "..", false},
		{"README.md", "docs/none.md", true},
		{"README.md", "docs/page.md#none", true},
		{"README.md", "docs/page.md#no-heading", true},
		{"README.md", "#twice-2", true},
		{"docs/page.md", "README.md", true},
		{"docs/page.md", "../../elsewhere.md", true},
	}
	for _, test := range tests {
		if why := deadLink(files, test.from, test.target); (why != "") != test.want {
			t.Errorf("%s → %s: got %q, want dead %t", test.from, test.target, why, test.want)
		}
	}
}

// pages are all Markdown files of the repository, by their path with slashes.
func pages(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && name != "." && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata" || entry.Name() == "data") {
			return filepath.SkipDir
		}
		if filepath.Ext(name) == ".md" {
			found[filepath.ToSlash(name)] = readFile(t, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

var (
	fence = regexp.MustCompile("(?ms)^```.*?^```$")
	code  = regexp.MustCompile("`[^`\n]+`")
	link  = regexp.MustCompile(`\]\(([^)\s]+)\)`)
)

// linksOf are the targets of a page's links within the repository.
func linksOf(text string) []string {
	text = code.ReplaceAllString(fence.ReplaceAllString(text, ""), "code")
	var targets []string
	for _, match := range link.FindAllStringSubmatch(text, -1) {
		if parsed, err := url.Parse(match[1]); err != nil || parsed.Scheme == "" {
			targets = append(targets, match[1])
		}
	}
	return targets
}

// deadLink says why a link leads nowhere, empty when it leads somewhere.
func deadLink(pages map[string]string, from, target string) string {
	file, anchor, anchored := strings.Cut(target, "#")
	name := path.Join(path.Dir(from), file)
	if file == "" {
		name = from
	}
	text, isPage := pages[name]
	switch {
	case name == ".." || strings.HasPrefix(name, "../"):
		return "it leads out of the repository"
	case !isPage && !exists(name):
		return "there is no such file"
	case anchored && !isPage:
		return "only pages have headings"
	case anchored && !anchors(text)[anchor]:
		return "the page has no such heading"
	}
	return ""
}

func exists(name string) bool {
	_, err := os.Stat(filepath.FromSlash(name))
	return err == nil
}

// anchors are the names that a page's headings have for links, as GitHub makes them.
func anchors(text string) map[string]bool {
	found := map[string]bool{}
	for line := range strings.Lines(fence.ReplaceAllString(text, "")) {
		heading := strings.TrimLeft(line, "#")
		if heading == line || !strings.HasPrefix(heading, " ") {
			continue
		}
		name := strings.Map(func(r rune) rune {
			switch {
			case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
				return unicode.ToLower(r)
			case r == ' ':
				return '-'
			}
			return -1
		}, strings.TrimSpace(heading))
		unique := name
		for i := 1; found[unique]; i++ {
			unique = fmt.Sprintf("%s-%d", name, i)
		}
		found[unique] = true
	}
	return found
}
