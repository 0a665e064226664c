package deadletter_test

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/prantikov/millrace/deadletter"
	"github.com/prantikov/millrace/record"
)

var update = flag.Bool("update", false, "write the table of classes into docs/dead-letters.md")

func TestEveryClassHasARow(t *testing.T) {
	t.Parallel()
	want := append(record.Classes(), deadletter.Foreign)
	var got []record.Class
	for _, explanation := range deadletter.Explanations() {
		got = append(got, explanation.Class)
	}
	if !slices.Equal(got, want) {
		t.Errorf("explained classes: got %v, want %v", got, want)
	}
	for _, class := range want {
		explanation, ok := deadletter.Explain(class)
		if !ok {
			t.Errorf("class %s: got no explanation, want one", class)
			continue
		}
		for field, value := range map[string]string{
			"meaning": explanation.Meaning, "cause": explanation.Cause, "remedy": explanation.Remedy, "command": explanation.Command,
		} {
			if value == "" || strings.ContainsAny(value, "|\n") {
				t.Errorf("%s of class %s: got %q, want one line for a table", field, class, value)
			}
		}
		if !strings.HasPrefix(explanation.Command, "millrace ") {
			t.Errorf("command of class %s: got %q, want one of millrace's", class, explanation.Command)
		}
	}
}

func TestUnknownClassHasNoExplanation(t *testing.T) {
	t.Parallel()
	if explanation, ok := deadletter.Explain("of_a_later_version"); ok {
		t.Errorf("got %+v, want none", explanation)
	}
}

func TestDocumentHasTheTableOfClasses(t *testing.T) {
	t.Parallel()
	const path = "../docs/dead-letters.md"
	const begin, end = "-update -->\n", "<!-- end of classes -->"
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, foundBegin := strings.Cut(string(content), begin)
	got, after, foundEnd := strings.Cut(rest, end)
	if !foundBegin || !foundEnd {
		t.Fatalf("%s: got no place for the table, want the two comments around it", path)
	}
	want := classTable()
	if got == want {
		return
	}
	if !*update {
		t.Fatalf("%s: the table of classes is not that of classes.go; go test ./deadletter -run TestDocument -update writes it\ngot:\n%s\nwant:\n%s", path, got, want)
	}
	if err := os.WriteFile(path, []byte(before+begin+want+end+after), 0o600); err != nil {
		t.Fatal(err)
	}
}

func classTable() string {
	var table strings.Builder
	table.WriteString("| class | meaning | usual cause | what to do | command |\n|---|---|---|---|---|\n")
	for _, row := range deadletter.Explanations() {
		cells := []string{"`" + string(row.Class) + "`", row.Meaning, row.Cause, row.Remedy, "`" + row.Command + "`"}
		// An angle bracket outside of code would be taken for HTML.
		line := strings.NewReplacer("<", `\<`, ">", `\>`).Replace(strings.Join(cells, " | "))
		table.WriteString("| " + line + " |\n")
	}
	return table.String()
}
