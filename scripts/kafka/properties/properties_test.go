package properties_test

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/prantikov/millrace/scripts/kafka/properties"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Ensure variables are settings by the image's rule, so that what a compose file says is what runs without it.
func TestVariablesAreSettingsByTheRuleOfTheImage(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, variable, setting string }{
		{"an underscore is a dot", "KAFKA_NODE_ID", "node.id"},
		{"a long name too", "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR", "transaction.state.log.min.isr"},
		{"two underscores are one", "KAFKA_LISTENER_NAME_OUTSIDE_SCRAM__SHA", "listener.name.outside.scram_sha"},
		{"three underscores are a dash", "KAFKA_LISTENER_NAME_OUTSIDE_SCRAM___SHA___256_SASL_JAAS_CONFIG", "listener.name.outside.scram-sha-256.sasl.jaas.config"},
		{"the options of the JVM are none", "KAFKA_JVM_PERFORMANCE_OPTS", ""},
		{"the heap is none", "KAFKA_HEAP_OPTS", ""},
		{"somebody else's variable is none", "CLUSTER_ID", ""},
		{"a name that only has it inside is none", "MY_KAFKA_NODE_ID", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			want := map[string]string{}
			if test.setting != "" {
				want[test.setting] = "value"
			}
			if got := properties.Of(map[string]string{test.variable: "value"}); !maps.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

// Ensure the compose files' Kafka is on one machine what it is in containers, but for addresses and paths: the golden files are the settings.
func TestComposeFilesOnOneMachine(t *testing.T) {
	t.Parallel()
	for golden, file := range map[string]string{"one.properties": "docker-compose.yml", "three.properties": "scripts/kafka/cluster.yml"} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			nodes, err := properties.Compose(t.Context(), filepath.Join("../../..", file), 29092, func(node int) string { return "/data/" + strconv.Itoa(node) })
			if err != nil {
				t.Fatalf("Compose: %v", err)
			}
			var text strings.Builder
			for i, node := range nodes {
				text.WriteString("# node " + strconv.Itoa(i+1) + "\n" + properties.Text(node))
			}
			path := filepath.Join("testdata", golden)
			if *update {
				if err := os.WriteFile(path, []byte(text.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if text.String() != string(want) {
				t.Errorf("got\n%s\nwant, as %s has it (-update writes it)\n%s", text.String(), path, want)
			}
		})
	}
}

// Ensure what cannot be on one machine is said, and not silently something else.
func TestWhatCannotBeOnOneMachineIsRefused(t *testing.T) {
	t.Parallel()
	good := map[string]string{
		"controller.listener.names": "CONTROLLER", "inter.broker.listener.name": "INSIDE", "controller.quorum.voters": "1@kafka:9093",
		"listeners": "INSIDE://:19092,OUTSIDE://:9092,CONTROLLER://:9093", "advertised.listeners": "INSIDE://kafka:19092,OUTSIDE://localhost:9092",
	}
	tests := []struct{ name, setting, value, words string }{
		{"a voter that is no service", "controller.quorum.voters", "1@elsewhere:9093", `"elsewhere"`},
		{"a listener without a name", "listeners", ":9092", "NAME://HOST:PORT"},
		{"two listeners for clients", "listeners", "OUTSIDE://:9092,OTHER://:9094", "127.0.0.1:29092"},
		{"another setting with a container's name", "metric.reporter.address", "kafka:4317", `"kafka"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			settings := maps.Clone(good)
			settings[test.setting] = test.value
			_, err := properties.Machine{Hosts: []string{"kafka"}, Port: 29092, Data: "/data"}.Local(settings, 1)
			if err == nil || !strings.Contains(err.Error(), test.setting) || !strings.Contains(err.Error(), test.words) {
				t.Errorf("got %v, want %s and %s in it", err, test.setting, test.words)
			}
		})
	}
}
