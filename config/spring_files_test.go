package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prantikov/millrace/config"
)

// springSources are the names of the binary, with a Spring file.
func springSources(file, profile string, environ ...string) config.Sources {
	return config.Sources{File: file, Profile: profile, Environ: environ,
		ConsumerNames: []string{"appointments", "prescriptions", "orders", "health-records", "notification", "analytics", "logging", "archive"},
		TopicNames:    []string{"appointment-events", "prescription-events", "order-events", "health-record-events"},
	}
}

// Ensure whole files as a Spring team has them are read as they stand: every setting that they change, and every sentence about the rest.
func TestWholeSpringFiles(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		file, profile string
		environ       []string
		secrets       []string // nowhere in what is printed
	}{
		"local": {file: "application.properties"},
		"tls":   {file: "application.yml", environ: []string{"APP_PROFILE=prod", "TRUSTSTORE_PASSWORD=trust-canary"}, secrets: []string{"trust-canary", "change-me"}},
		"scram": {file: "application.properties", profile: "prod", environ: []string{"KAFKA_PASSWORD=pass-canary", "SPRING_APPLICATION_NAME=shop", "SPRING_KAFKA_LISTENER_CONCURRENCY=8"},
			secrets: []string{"pass-canary", "canary"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join("testdata", "spring", name, test.file)
			loaded := load(t, springSources(file, test.profile, test.environ...))
			got := printed(loaded)
			for _, secret := range test.secrets {
				if strings.Contains(got, secret) || strings.Contains(fmt.Sprintf("%+v %#v", loaded.Settings, config.Explain(loaded)), secret) {
					t.Errorf("printed: got %q in it, want it hidden:\n%s", secret, got)
				}
			}
			golden(t, filepath.Join("testdata", "spring", name, "settings.golden"), got)
		})
	}
}

// printed is everything that a configuration changes, and what it is warned of. What all consumers have is there once.
func printed(loaded *config.Loaded) string {
	var out strings.Builder
	for _, row := range config.Rows(loaded) {
		if row.Origin != "default" && !strings.Contains(row.Origin, ", consumers.defaults.") {
			fmt.Fprintf(&out, "%s = %s  # %s\n", row.Path, row.Value, filepath.ToSlash(row.Origin))
		}
	}
	for _, warning := range loaded.Warnings {
		fmt.Fprintf(&out, "\nwarning: %s\n", filepath.ToSlash(warning))
	}
	return out.String()
}

// golden compares with a file, or writes it with -update.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.ReplaceAll(string(want), "\r\n", "\n") != got {
		t.Errorf("%s: got another text; go test ./config -update writes it\n%s", path, got)
	}
}

// Ensure passwords of the files arrive, although nothing prints them.
func TestSecretsOfSpringFiles(t *testing.T) {
	t.Parallel()
	tls := load(t, springSources("testdata/spring/tls/application.yml", "prod", "TRUSTSTORE_PASSWORD=trusted")).Settings.Kafka.TLS
	scram := load(t, springSources("testdata/spring/scram/application.properties", "prod", "KAFKA_PASSWORD=mine")).Settings.Kafka
	for what, pair := range map[string][2]string{
		"trust store":   {tls.TrustStorePassword.Reveal(), "trusted"},
		"key store":     {tls.KeyStorePassword.Reveal(), "change-me"},
		"key":           {tls.KeyPassword.Reveal(), "change-me"},
		"login":         {scram.SASL.Password.Reveal(), "mine"},
		"second of two": {scram.TLS.TrustStorePassword.Reveal(), "trust-!canary"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: got %q, want %q", what, pair[0], pair[1])
		}
	}
}
