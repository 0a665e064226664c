package millrace_test

import (
	"go/ast"
	"go/token"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	alertsFile  = "deploy/prometheus/alerts.yml"
	runbookFile = "docs/runbook.md"
)

// alert is one rule of alerts.yml.
type alert struct {
	Alert       string
	Expr        string
	Labels      map[string]string
	Annotations map[string]string
}

// alerts are all of them.
func alerts(t *testing.T) []alert {
	t.Helper()
	var file struct{ Groups []struct{ Rules []alert } }
	readYAML(t, alertsFile, &file)
	var all []alert
	for _, group := range file.Groups {
		all = append(all, group.Rules...)
	}
	if len(all) == 0 {
		t.Fatalf("got no alert in %s", alertsFile)
	}
	return all
}

// sections are those of the runbook, by heading.
func sections(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, part := range strings.Split(readFile(t, runbookFile), "\n## ")[1:] {
		heading, text, _ := strings.Cut(part, "\n")
		if _, twice := found[heading]; twice {
			t.Errorf("%s has the section %q twice", runbookFile, heading)
		}
		found[heading] = text
	}
	return found
}

// Ensure who is woken by an alert finds what it means, where to look, what to do, and what not to.
func TestEveryAlertHasItsSection(t *testing.T) {
	t.Parallel()
	sections := sections(t)
	for _, alert := range alerts(t) {
		text, found := sections[alert.Alert]
		if !found {
			t.Errorf("%s: %s has no section of this name", alert.Alert, runbookFile)
			continue
		}
		for _, part := range []string{"**Look.**", "**Do.**", "**Do not.**"} {
			if !strings.Contains(text, part) {
				t.Errorf("%s: the section in %s has no %s", alert.Alert, runbookFile, part)
			}
		}
		want := "https://" + module + "/blob/main/" + runbookFile + "#" + strings.ToLower(alert.Alert)
		if got := alert.Annotations["runbook_url"]; got != want {
			t.Errorf("%s: runbook_url: got %q, want %q", alert.Alert, got, want)
		}
		if severity := alert.Labels["severity"]; severity != "page" && severity != "ticket" {
			t.Errorf("%s: severity: got %q, want page or ticket", alert.Alert, severity)
		}
		if alert.Annotations["summary"] == "" {
			t.Errorf("%s has no summary", alert.Alert)
		}
	}
	for heading := range sections {
		isAlert := strings.HasPrefix(heading, "Millrace")
		if isAlert && !slices.ContainsFunc(alerts(t), func(a alert) bool { return a.Alert == heading }) {
			t.Errorf("%s: section %q is of no alert", runbookFile, heading)
		}
	}
}

// Ensure each alert has a test that fires it and one that does not.
func TestEveryAlertIsTested(t *testing.T) {
	t.Parallel()
	var file struct {
		Tests []struct {
			Rules []struct {
				Alert    string           `yaml:"alertname"`
				Expected []map[string]any `yaml:"exp_alerts"`
			} `yaml:"alert_rule_test"`
		}
	}
	readYAML(t, "deploy/prometheus/alerts_test.yml", &file)
	fires, quiet := map[string]bool{}, map[string]bool{}
	for _, test := range file.Tests {
		for _, rule := range test.Rules {
			if len(rule.Expected) > 0 {
				fires[rule.Alert] = true
			} else {
				quiet[rule.Alert] = true
			}
		}
	}
	for _, alert := range alerts(t) {
		if !fires[alert.Alert] || !quiet[alert.Alert] {
			t.Errorf("%s: got a test that fires it: %t, one that does not: %t, want both", alert.Alert, fires[alert.Alert], quiet[alert.Alert])
		}
	}
}

// Ensure each alarm that the program can raise has an alert of its own, and so a section.
func TestEveryAlarmHasItsAlert(t *testing.T) {
	t.Parallel()
	kinds := alarmKinds(t)
	if len(kinds) < 10 {
		t.Fatalf("got the alarms %v, want all of the program", kinds)
	}
	known := map[string]string{}
	others := ""
	for _, alert := range alerts(t) {
		if match := regexp.MustCompile(`millrace_alarm\{kind="(\w+)"\}`).FindStringSubmatch(alert.Expr); match != nil {
			known[match[1]] = alert.Alert
		}
		if match := regexp.MustCompile(`millrace_alarm\{kind!~"([\w|]+)"\}`).FindStringSubmatch(alert.Expr); match != nil {
			others = match[1]
		}
	}
	sections := sections(t)
	for _, kind := range kinds {
		if known[kind] == "" {
			t.Errorf("alarm %s: no alert in %s is for it", kind, alertsFile)
		} else if !strings.Contains(sections[known[kind]], "Alarm `"+kind+"`") {
			t.Errorf("alarm %s: section %s of %s does not name it", kind, known[kind], runbookFile)
		}
		if !slices.Contains(strings.Split(others, "|"), kind) {
			t.Errorf("alarm %s: MillraceOtherAlarm would tell it a second time", kind)
		}
	}
	for kind := range known {
		if !slices.Contains(kinds, kind) {
			t.Errorf("alarm %s: %s has an alert for it, and the program none", kind, alertsFile)
		}
	}
}

// alarmKinds are the alarms of the program: the texts of its constants whose names begin with alarm. A kind that is no such constant fails.
func alarmKinds(t *testing.T) []string {
	t.Helper()
	var kinds []string
	for _, source := range sources(t) {
		if source.isTest() || within(source.folder, leaves...) {
			continue
		}
		ast.Inspect(source.file, func(node ast.Node) bool {
			switch node := node.(type) {
			case *ast.ValueSpec:
				kinds = append(kinds, alarmTexts(node)...)
			case *ast.CallExpr:
				if text, ok := literalKind(node); ok {
					t.Errorf("%s: got the alarm %s, want a constant alarm…", source.at(node), text)
				}
			}
			return true
		})
	}
	slices.Sort(kinds)
	return slices.Compact(kinds)
}

// alarmTexts are the texts of the constants alarm….
func alarmTexts(spec *ast.ValueSpec) []string {
	var texts []string
	for i, name := range spec.Names {
		if i >= len(spec.Values) || !strings.HasPrefix(strings.ToLower(name.Name), "alarm") {
			continue
		}
		if literal, ok := spec.Values[i].(*ast.BasicLit); ok && literal.Kind == token.STRING {
			if text, err := strconv.Unquote(literal.Value); err == nil {
				texts = append(texts, text)
			}
		}
	}
	return texts
}

// literalKind is the kind of an alarm that is begun, or told to a hook, with a text in its place.
func literalKind(call *ast.CallExpr) (string, bool) {
	selector, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || len(call.Args) < 5 || !slices.Contains([]string{"Begin", "Alarm"}, selector.Sel.Name) {
		return "", false
	}
	literal, ok := call.Args[0].(*ast.BasicLit)
	if !ok {
		return "", false
	}
	return literal.Value, true
}

// Ensure the commands that the runbook tells somebody to type at night exist, with these flags.
func TestRunbookCommands(t *testing.T) {
	t.Parallel()
	binary := filepath.Join(t.TempDir(), "millrace")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./cmd/millrace").CombinedOutput(); err != nil {
		t.Fatalf("building the binary: %v\n%s", err, out)
	}
	seen := map[string]string{} // help by command
	for line := range strings.Lines(readFile(t, runbookFile)) {
		for _, match := range regexp.MustCompile("(?:^|`)millrace ([a-z][^`\n#|]*)").FindAllStringSubmatch(line, -1) {
			command, flags := commandOf(match[1])
			help, known := seen[command]
			if !known {
				out, err := exec.CommandContext(t.Context(), binary, append(strings.Fields(command), "--help")...).CombinedOutput()
				if err != nil {
					t.Errorf("millrace %s: %v\n%s", command, err, out)
				}
				help = string(out)
				seen[command] = help
			}
			if !strings.Contains(help, "Usage:\n  millrace "+command) {
				t.Errorf("millrace %s: there is no such command", command)
			}
			for _, flag := range flags {
				if !strings.Contains(help, flag+" ") {
					t.Errorf("millrace %s has no flag %s", command, flag)
				}
			}
		}
	}
	if len(seen) < 8 {
		t.Errorf("got the commands %v, want all that the runbook has", seen)
	}
}

// commandOf takes a command line apart: the names of the command, and its flags.
func commandOf(line string) (command string, flags []string) {
	groups := []string{"topics", "dlq", "config"}
	var names []string
	for i, word := range strings.Fields(line) {
		switch {
		case strings.HasPrefix(word, "--"):
			name, _, _ := strings.Cut(word, "=")
			flags = append(flags, name)
		case i == 0, i == 1 && slices.Contains(groups, names[0]):
			names = append(names, word)
		}
	}
	return strings.Join(names, " "), flags
}
