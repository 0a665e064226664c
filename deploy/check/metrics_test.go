package check_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/promql/parser"
	"sigs.k8s.io/yaml"

	"github.com/prantikov/millrace/observe"
)

// prometheusOwn are the series that Prometheus itself makes, with their labels.
var prometheusOwn = map[string][]string{"up": nil, "ALERTS": {"alertname", "alertstate"}}

// scraped are the labels that a scrape adds to every series.
var scraped = []string{"job", "instance"}

// shown has the labels of every series of the program's /metrics, by name. A histogram's are three series.
func shown(t *testing.T) map[string][]string {
	t.Helper()
	metrics := observe.NewMetrics("test")
	metrics.Show(observe.NewHealth(observe.HealthSettings{}))
	descriptions := make(chan *prometheus.Desc)
	go func() {
		metrics.Registry().Describe(descriptions)
		close(descriptions)
	}()
	// A Desc tells its name and labels in its text alone.
	text := regexp.MustCompile(`fqName: "([^"]+)".*variableLabels: \{([^}]*)\}`)
	series := map[string][]string{}
	for description := range descriptions {
		match := text.FindStringSubmatch(description.String())
		if match == nil {
			t.Fatalf("got the description %s, want a name and labels in it", description)
		}
		labels := strings.FieldsFunc(match[2], func(r rune) bool { return r == ',' })
		series[match[1]] = labels
		if strings.HasSuffix(match[1], "_duration_seconds") {
			series[match[1]+"_bucket"] = append(slices.Clone(labels), "le")
			series[match[1]+"_sum"], series[match[1]+"_count"] = labels, labels
		}
	}
	return series
}

// asked checks one expression: every series in it exists, with the labels that are asked of it.
func asked(t *testing.T, where, expression string, series map[string][]string) {
	t.Helper()
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(expression)
	if err != nil {
		t.Errorf("%s: %v", where, err)
		return
	}
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		selector, ok := node.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		labels, exists := series[selector.Name]
		if own, known := prometheusOwn[selector.Name]; known {
			labels, exists = own, true
		}
		if !exists {
			t.Errorf("%s: the program has no metric %s", where, selector.Name)
			return nil
		}
		for _, matcher := range selector.LabelMatchers {
			if matcher.Name != "__name__" && !slices.Contains(labels, matcher.Name) && !slices.Contains(scraped, matcher.Name) {
				t.Errorf("%s: %s has no label %s, it has %v", where, selector.Name, matcher.Name, labels)
			}
		}
		return nil
	})
	for _, label := range grouped(parsed) {
		if !slices.ContainsFunc(selected(parsed), func(name string) bool { return slices.Contains(series[name], label) }) && !slices.Contains(scraped, label) {
			t.Errorf("%s: no series in it has the label %s", where, label)
		}
	}
}

// grouped are the labels that an expression groups by.
func grouped(expression parser.Expr) []string {
	var labels []string
	parser.Inspect(expression, func(node parser.Node, _ []parser.Node) error {
		if aggregate, ok := node.(*parser.AggregateExpr); ok {
			labels = append(labels, aggregate.Grouping...)
		}
		return nil
	})
	return labels
}

// selected are the names of the series of an expression.
func selected(expression parser.Expr) []string {
	var names []string
	parser.Inspect(expression, func(node parser.Node, _ []parser.Node) error {
		if selector, ok := node.(*parser.VectorSelector); ok {
			names = append(names, selector.Name)
		}
		return nil
	})
	return names
}

// Ensure every series that an alert asks for is one of the program's: an alert on a name that is gone never fires.
func TestAlertsAskForMetricsThatExist(t *testing.T) {
	t.Parallel()
	series := shown(t)
	var file struct {
		Groups []struct {
			Rules []struct{ Alert, Expr string }
		}
	}
	text, err := os.ReadFile("../prometheus/alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, group := range file.Groups {
		for _, rule := range group.Rules {
			asked(t, rule.Alert, rule.Expr, series)
			count++
		}
	}
	if count < 20 {
		t.Errorf("got %d alerts, want all of them", count)
	}
}

// dashboard is what the test needs of a dashboard's file.
type dashboard struct {
	UID, Title string
	Templating struct {
		List []struct {
			Name       string
			Datasource source
			Query      struct{ Query string }
		}
	}
	Panels []struct {
		ID         int
		Type       string
		Title      string
		Datasource source
		Grid       struct{ X, Y, W, H int } `json:"gridPos"`
		Targets    []struct {
			Expr       string
			Datasource source
		}
	}
}

type source struct{ Type, UID string }

// Ensure every panel asks the provisioned source for series that exist, and no two panels lie over each other.
func TestDashboardsAskForMetricsThatExist(t *testing.T) {
	t.Parallel()
	series := shown(t)
	files, err := filepath.Glob("../grafana/dashboards/*.json")
	if err != nil || len(files) < 2 {
		t.Fatalf("got the dashboards %v, %v, want two", files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var d dashboard
			if err := json.Unmarshal(text, &d); err != nil {
				t.Fatal(err)
			}
			if d.UID != strings.TrimSuffix(filepath.Base(file), ".json") {
				t.Errorf("uid: got %q, want the file's name", d.UID)
			}
			d.check(t, series)
		})
	}
}

func (d dashboard) check(t *testing.T, series map[string][]string) {
	t.Helper()
	provisioned := source{"prometheus", "prometheus"}
	for _, variable := range d.Templating.List {
		query := strings.TrimPrefix(variable.Query.Query, "label_values(")
		expression := query[:strings.LastIndex(query, ",")]
		asked(t, "variable "+variable.Name, filled(expression), series)
		if variable.Datasource != provisioned {
			t.Errorf("variable %s: got the source %+v, want %+v", variable.Name, variable.Datasource, provisioned)
		}
	}
	seen := map[int]bool{}
	cells := map[[2]int]string{}
	for _, panel := range d.Panels {
		if seen[panel.ID] {
			t.Errorf("panel %q: its id %d is another's too", panel.Title, panel.ID)
		}
		seen[panel.ID] = true
		for x := panel.Grid.X; x < panel.Grid.X+panel.Grid.W; x++ {
			for y := panel.Grid.Y; y < panel.Grid.Y+panel.Grid.H; y++ {
				if other := cells[[2]int{x, y}]; other != "" || x >= 24 {
					t.Fatalf("panel %q lies over %q, or beyond the edge", panel.Title, other)
				}
				cells[[2]int{x, y}] = panel.Title
			}
		}
		if panel.Type != "row" && (len(panel.Targets) == 0 || panel.Datasource != provisioned) {
			t.Errorf("panel %q: got %d queries of %+v, want some of %+v", panel.Title, len(panel.Targets), panel.Datasource, provisioned)
		}
		for _, target := range panel.Targets {
			asked(t, "panel "+panel.Title, filled(target.Expr), series)
		}
	}
}

// filled is an expression as Grafana sends it.
func filled(expression string) string {
	return strings.NewReplacer("$__rate_interval", "1m", "$consumer", "orders", "$group", "orders").Replace(expression)
}
