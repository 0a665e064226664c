package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prantikov/millrace/config"
)

// holds checks what is true for any input: no panic, and what was loaded without an error is valid and can be shown.
func holds(t *testing.T, s config.Sources) {
	t.Helper()
	s.ConsumerNames, s.TopicNames, s.PluginNames = consumerNames, topicNames, []string{"loyalty"}
	loaded, err := config.Load(s)
	if loaded == nil {
		if err == nil {
			t.Fatal("Load: got neither settings nor an error, want one of them")
		}
		return
	}
	if err == nil {
		if wrong := config.Validate(loaded.Settings); wrong != nil {
			t.Fatalf("Validate: got %v, want nil after Load", wrong)
		}
	}
	var plugin loyalty
	_ = loaded.Plugin("loyalty", &plugin)
	for _, row := range config.Rows(loaded) {
		if row.Path == "" || row.Origin == "" {
			t.Fatalf("row: got %+v, want a path and an origin", row)
		}
	}
}

func FuzzFile(f *testing.F) {
	example, err := os.ReadFile("example.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(example))
	for _, seed := range []string{"", "a: &a [*a]", "kafka: {<<: {brokers: a:1}}", "plugins: {loyalty: {tiers: [{name: x}], token: y, limits: 3}}",
		"consumers: {defaults: {timeout: 40000d}}", "? [a]\n: b", "topics: {lab.results: {retention: -1}}", "\x00", "a: !!binary x", "--- \n---\n", "~: 1", "kafka: !x y"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(t.TempDir(), "config.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		holds(t, config.Sources{File: path})
	})
}

func FuzzEnvironment(f *testing.F) {
	for _, seed := range []string{"", "MILLRACE_KAFKA_BROKERS=a:1,b:2", "MILLRACE_=x", "MILLRACE_DEV=maybe\nMILLRACE_DEV=true", "=", "MILLRACE_PORT=tcp://x",
		"MILLRACE_PLUGINS_LOYALTY_TIERS=x", "MILLRACE_PLUGINS_LOYALTY_TOKEN=x", "MILLRACE_CONSUMERS_DEFAULTS_TIMEOUT=1d-1h", "MILLRACE_LIMITS_VALUE_BYTES=1e99"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		environ := strings.Split(text, "\n")
		for _, entry := range environ {
			// These two name files, which are another test's.
			if strings.HasPrefix(entry, "MILLRACE_CONFIG=") || strings.Contains(entry, "_FILE=") {
				return
			}
		}
		holds(t, config.Sources{Environ: environ})
	})
}

func FuzzSpringFile(f *testing.F) {
	for _, name := range []string{"local", "scram"} {
		example, err := os.ReadFile(filepath.Join("testdata", "spring", name, "application.properties"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(example))
	}
	for _, seed := range []string{"", "spring.kafka.bootstrap-servers=${X:a:1}", "kafka.topic.order=${kafka.topic.order}", "millrace.plugins.loyalty.tiers=x", "millrace.kafka.tls.key_password=x",
		"spring.kafka.consumer.heartbeat-interval=PT1H", "spring.kafka.properties.sasl.jaas.config=X required;", "spring.profiles.active=a,b\n#---\nspring.config.activate.on-profile=a",
		"spring.kafka.producer.acks=0\nspring.kafka.consumer.properties.session.timeout.ms=1\nspring.lifecycle.timeout-per-shutdown-phase=1s"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "_file") || strings.Contains(text, "File") {
			return // a secret's file is another test's
		}
		path := filepath.Join(t.TempDir(), "application.properties")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		holds(t, config.Sources{File: path, Environ: []string{"SPRING_KAFKA_CLIENT_ID=${a}"}})
	})
}
