package examples_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/kafka/kafkatest"
)

// Ensure what an outsider needs is exported: their own module builds, and their consumer works beside the built-in ones.
func TestLoyaltyOutside(t *testing.T) {
	t.Parallel()
	loyalty := buildOutside(t, "loyalty")
	t.Run("its routes are listed", func(t *testing.T) { wantRoutes(t, loyalty) })
	t.Run("its settings are checked", func(t *testing.T) { wantSettings(t, loyalty) })
	loyalty.configure(t, "plugins: {loyalty: {per_step: 25}}\ntopics: {points-events: {partitions: 2}}\n")
	t.Run("its consumer takes every order", func(t *testing.T) { wantOrders(t, loyalty) })
	t.Run("its topic is made as the settings have it", func(t *testing.T) { wantTopic(t, loyalty) })
	t.Run("its events are on its topic", func(t *testing.T) { wantPoints(t, loyalty) })
}

func wantRoutes(t *testing.T, loyalty program) {
	var rows []struct{ Consumer, Topic, Type, Action, Function string }
	read(t, loyalty.run(t, "routes", "-o", "json"), &rows)
	var own []string
	for _, row := range rows {
		switch row.Consumer {
		case "loyalty":
			own = append(own, strings.Join([]string{row.Topic, row.Type, row.Action, row.Function}, " "))
		case "archive":
			t.Errorf("got %+v, want archive left out", row)
		}
	}
	want := []string{
		"order-events OrderEvent shipped main.loyalty.earn",
		"order-events OrderEvent delivered main.loyalty.earn",
		"points-events PointsEvent earned main.loyalty.thank",
	}
	if !slices.Equal(own, want) {
		t.Errorf("got %q, want %q", own, want)
	}
}

func wantSettings(t *testing.T, loyalty program) {
	tests := []struct {
		name, yaml, variable string
		// value and origin are what the setting is and from where; refusal is part of the error when there is a mistake.
		value, origin, refusal string
	}{
		{name: "nothing set leaves the default", value: "10", origin: "default"},
		{name: "the file counts", yaml: "plugins: {loyalty: {per_step: 25}}", value: "25", origin: "config.yaml:1"},
		{
			name: "the environment counts more", yaml: "plugins: {loyalty: {per_step: 25}}", variable: "MILLRACE_PLUGINS_LOYALTY_PER_STEP=30",
			value: "30", origin: "MILLRACE_PLUGINS_LOYALTY_PER_STEP",
		},
		{name: "an unknown key is named", yaml: "plugins: {loyalty: {per_steps: 25}}", refusal: "plugins.loyalty.per_steps"},
		{name: "an unknown variable is named", variable: "MILLRACE_PLUGINS_LOYALTY_STEPS=1", refusal: "MILLRACE_PLUGINS_LOYALTY_STEPS"},
		{name: "another plugin's section is named", yaml: "plugins: {ledger: {per_step: 25}}", refusal: "plugins.ledger"},
		{name: "a value of the wrong kind is named", yaml: "plugins: {loyalty: {per_step: many}}", refusal: "plugins.loyalty.per_step"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			configured := program{path: loyalty.path, directory: t.TempDir()}
			configured.configure(t, test.yaml+"\n")
			if test.variable != "" {
				configured.environment = []string{test.variable}
			}
			if test.refusal != "" {
				if got := configured.refused(t, "routes"); !strings.Contains(got, test.refusal) {
					t.Errorf("got %q, want it to name %s", got, test.refusal)
				}
				return
			}
			var rows []struct{ Path, Value, Origin string }
			read(t, configured.run(t, "config", "show", "-o", "json"), &rows)
			for _, row := range rows {
				if row.Path == "plugins.loyalty.per_step" {
					if row.Value != test.value || row.Origin != test.origin {
						t.Errorf("got %+v, want %s from %s", row, test.value, test.origin)
					}
					return
				}
			}
			t.Error("got no row for plugins.loyalty.per_step, want one")
		})
	}
}

func wantOrders(t *testing.T, loyalty program) {
	got := loyalty.demo(t, "--events", "200", "--poison", "8", "--data-dir", "data")
	own, orders := got.Consumers["loyalty"], got.Consumers["orders"]
	if got.Published != 208 || got.Lost != 0 {
		t.Errorf("got %d published and %d lost, want 208 and 0", got.Published, got.Lost)
	}
	if own.Done == 0 || own.Skipped == 0 || own.Done+own.Skipped != orders.Done || own.DeadLettered != orders.DeadLettered {
		t.Errorf("got %+v, want the %d good orders done or skipped, and %d dead letters", own, orders.Done, orders.DeadLettered)
	}
	if _, there := got.Consumers["archive"]; there || len(got.Consumers) != 8 {
		t.Errorf("got consumers %v, want the seven that are left and loyalty", got.Consumers)
	}
}

func wantTopic(t *testing.T, loyalty program) {
	var plans []struct {
		Topic      string
		Exists     bool
		Partitions int
	}
	read(t, loyalty.run(t, "topics", "plan", "--dev", "--data-dir", "data", "-o", "json"), &plans)
	found := 0
	for _, plan := range plans {
		if plan.Topic == "points-events" || plan.Topic == "points-events-dlt" {
			found++
			if !plan.Exists || plan.Partitions != 2 {
				t.Errorf("got %+v, want a topic of 2 partitions that exists", plan)
			}
		}
	}
	if found != 2 {
		t.Errorf("got %d of points-events and its dead letters, want both", found)
	}
}

func wantPoints(t *testing.T, loyalty program) {
	broker, err := kafka.StartEmbedded(t.Context(), loyalty.directory+"/data/broker", kafka.EmbeddedOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = broker.Close() })
	for _, r := range kafkatest.Consume(t, broker.Address(), "points-events", 1) {
		if want := `{"orderId":"` + string(r.Key) + `","points":25,"action":"earned"}`; string(r.Value) != want {
			t.Errorf("got %s, want %s", r.Value, want)
		}
	}
}
