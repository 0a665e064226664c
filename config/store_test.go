package config_test

import (
	"strings"
	"testing"

	"github.com/prantikov/millrace/config"
)

func dsn(address string) func(*config.Settings) {
	return func(s *config.Settings) { s.Store.DSN = config.NewSecret(address) }
}

func TestMistakesOfTheStore(t *testing.T) {
	t.Parallel()
	runMistakes(t, map[string]mistakeCase{
		"another database":      {dsn("mysql://me:canary@db/millrace"), "store.dsn", "***", "not the address of a PostgreSQL database"},
		"words instead":         {dsn("host=db password=canary"), "store.dsn", "***", "not the address of a PostgreSQL database"},
		"what is no address":    {dsn("postgres://me:can%ary@db/millrace"), "store.dsn", "***", "not the address of a PostgreSQL database"},
		"an engine that it has": {func(s *config.Settings) { dsn("postgres://db/millrace")(s); s.Kafka.Engine = "watermill" }, "kafka.engine", `"watermill"`, "changes hands"},
	})
}

// Ensure the address of the store is nowhere to be read, and that one without verified encryption is a warning.
func TestAddressOfTheStoreIsASecret(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, address string
		warned        bool
	}{
		{"on this machine", "postgres://me:canary@127.0.0.1:5432/millrace", false},
		{"verified", "postgres://me:canary@db/millrace?sslmode=verify-full", false},
		{"encrypted for whoever answers", "postgres://me:canary@db/millrace?sslmode=require", true},
		{"as it comes", "postgresql://me:canary@db/millrace", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			loaded, err := config.Load(config.Sources{Environ: []string{"MILLRACE_STORE_DSN=" + test.address, "MILLRACE_KAFKA_BROKERS=a:1"}})
			if err != nil {
				t.Fatal(err)
			}
			if got := loaded.Settings.Store.DSN.Reveal(); got != test.address {
				t.Errorf("address: got %q, want %q", got, test.address)
			}
			for _, row := range config.Rows(loaded) {
				if strings.Contains(row.Value, "canary") || row.Path == "store.dsn" && (row.Value != "***" || row.Origin != "MILLRACE_STORE_DSN") {
					t.Errorf("row: got %+v, want ***", row)
				}
			}
			warnings := strings.Join(loaded.Warnings, "\n")
			if strings.Contains(warnings, "canary") || strings.Contains(warnings, "store.dsn has no sslmode") != test.warned {
				t.Errorf("warnings: got %q, want one of the encryption: %t", warnings, test.warned)
			}
		})
	}
}
