//go:build unix

package integration_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/prantikov/millrace/handlers"
	"github.com/prantikov/millrace/store"
)

// Ensure docs/effects.md has a row for each sink, and that each of its cells names a test that there is for this sink and this point.
func TestEffectsPageHasATestForEachCell(t *testing.T) {
	t.Parallel()
	there := effectsTests()
	consumers, err := handlers.Consumers(handlers.Dependencies{Store: func() *store.Store { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	missing := map[string]bool{ownStatements: true, ownFiles: true, ownOutside: true}
	for _, channel := range channels() {
		missing[channel] = true
	}
	for _, consumer := range consumers {
		missing[consumer.Name()] = true
	}
	head, rows := effectsTable(t)
	test := regexp.MustCompile("`(Test[^`]+)`")
	used := map[string]bool{}
	for _, cells := range rows {
		if len(cells) != len(head) {
			t.Fatalf("got %d cells in the row of %s, want %d", len(cells), cells[0], len(head))
		}
		for column, cell := range cells[1:] {
			named := test.FindAllStringSubmatch(cell, -1)
			if len(named) == 0 {
				t.Errorf("%s, %s: got no test, want one", cells[0], head[column+1])
			}
			for _, match := range named {
				of, known := there[match[1]]
				if !known {
					t.Errorf("%s, %s: got %s, want a test that there is", cells[0], head[column+1], match[1])
				}
				delete(missing, of)
				used[match[1]] = true
			}
			if point, kill := strings.CutPrefix(head[column+1], "killed "); kill && !strings.Contains(cell, underlined(point)+"`") {
				t.Errorf("%s: got %q, want the test of a kill %s", cells[0], cell, point)
			}
		}
	}
	for sink := range missing {
		t.Errorf("got no row of %s, want one", sink)
	}
	for name := range there {
		if !used[name] {
			t.Errorf("got no cell that names %s, want one", name)
		}
	}
}

// effectsTests are the tests of the page's cells, with the sink that each is about.
func effectsTests() map[string]string {
	there := map[string]string{"TestRepeatSendsNothing": "notification"}
	for _, s := range sinks() {
		there["TestSinkGivenARecordAgain/"+s.consumer] = s.consumer
		for _, point := range killPoints() {
			there["TestSinkKilled/"+s.consumer+"/"+underlined(point.name)] = s.consumer
		}
	}
	for _, channel := range channels() {
		for _, kill := range notificationKills() {
			there["TestNotificationKilledAtFourPoints/"+channel+"_"+underlined(kill.name)] = channel
		}
	}
	return there
}

// underlined is a name as the testing package writes it.
func underlined(name string) string { return strings.ReplaceAll(name, " ", "_") }

// effectsTable is the head and the rows of the page's first table.
func effectsTable(t *testing.T) (head []string, rows [][]string) {
	t.Helper()
	text, err := os.ReadFile("../docs/effects.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Every sink\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for line := range strings.Lines(section) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "| ") {
			continue
		}
		var cells []string
		for cell := range strings.SplitSeq(strings.Trim(line, "|"), "|") {
			cells = append(cells, strings.TrimSpace(cell))
		}
		if head == nil {
			head = cells
		} else {
			rows = append(rows, cells)
		}
	}
	return head, rows
}
