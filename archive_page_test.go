package millrace_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// Ensure the queries of docs/archive.md are those that are run: the target reads them from the page, and whoever must pass everything runs it.
func TestArchiveQueriesAreRun(t *testing.T) {
	t.Parallel()
	if got := len(regexp.MustCompile("(?m)^```sql$").FindAllString(content(t, "docs/archive.md"), -1)); got != 5 {
		t.Errorf("docs/archive.md: got %d queries, want 5", got)
	}
	for _, link := range []struct{ file, want string }{
		{".ci/run", "\nstep \"make check-archive\" make --no-print-directory check-archive\n"},
		{"Makefile", "\ncheck-archive: "},
		{"Makefile", "\n\t@scripts/archive.sh\n"},
		{"scripts/archive.sh", " scripts/archive.py docs/archive.md "},
	} {
		if !strings.Contains(content(t, link.file), link.want) {
			t.Errorf("%s: got no %q, want the queries to be run", link.file, strings.TrimSpace(link.want))
		}
	}
}

func content(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
