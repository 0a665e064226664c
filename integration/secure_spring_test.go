//go:build unix && kafka_secure

package integration_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// testSpringFiles runs the program with the whole files of a Spring team: nothing of Millrace's own but the name of the file, a data directory and where
// the test's brokers and stores are.
func testSpringFiles(t *testing.T, k *secured) {
	copied := func(t *testing.T, name string, replace ...string) (file string) {
		t.Helper()
		directory := t.TempDir()
		if err := os.CopyFS(directory, os.DirFS(filepath.Join("..", "config", "testdata", "spring", name))); err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(filepath.Join(directory, "application*"))
		if err != nil || len(files) == 0 {
			t.Fatalf("got %v, %v, want Spring's files", files, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			writeTo(t, file, strings.NewReplacer(replace...).Replace(string(text)))
		}
		return files[len(files)-1]
	}
	host, port, _ := strings.Cut(k.login, ":")
	for name, test := range map[string]struct {
		file        func(t *testing.T) string
		environment []string
		user        string
	}{
		"TLS with JKS": {
			file: func(t *testing.T) string {
				file := copied(t, "tls",
					"- kafka-1.example.org:9093\n", "- "+k.mutual+"\n", "      - kafka-2.example.org:9093\n", "",
					"file:/etc/kafka/truststore.jks", "file:"+k.authority.JKS(t, storePassword), "replication-factor: 3", "replication-factor: 1")
				keys, err := os.ReadFile(k.own.JKS(t, storePassword, storePassword))
				if err != nil {
					t.Fatal(err)
				}
				store := filepath.Join(filepath.Dir(file), "kafka", "keystore.jks")
				if err := os.MkdirAll(filepath.Dir(store), 0o700); err != nil {
					t.Fatal(err)
				}
				writeTo(t, store, string(keys))
				return file
			},
			environment: []string{"TRUSTSTORE_PASSWORD=" + storePassword, "KEYSTORE_PASSWORD=" + storePassword},
			user:        "User:CN=millrace,O=Millrace",
		},
		"SCRAM with JAAS": {
			file: func(t *testing.T) string {
				file := copied(t, "scram",
					"kafka.host=kafka.example.org", "kafka.host="+host, "kafka.port=9094", "kafka.port="+port, `username="order-service"`, `username="scram512"`,
					"file:///etc/kafka/ca.p12", "file:"+k.authority.PKCS12(t, storePassword), `trust-\u0021canary`, storePassword)
				return filepath.Join(filepath.Dir(file), "application.properties")
			},
			// A variable of the shell counts before the file, as with Spring.
			environment: []string{"KAFKA_PASSWORD=" + userPassword, "KAFKA_HOST=" + host, "KAFKA_PORT=" + port},
			user:        "User:scram512",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file, data := test.file(t), filepath.Join(t.TempDir(), "data")
			environment := append([]string{"MILLRACE_HTTP_ADDRESS=127.0.0.1:0"}, test.environment...)
			command := func(arguments ...string) *process {
				t.Helper()
				return execute(t, environment, append(arguments, "--config", file, "--profile", "prod", "--data-dir", data)...)
			}
			var rights []right
			decode(t, command("acls", "-o", "json", "--for", "run,topics,publish").ends(0).stdout.String(), &rights)
			if rights[0].Principal != test.user {
				t.Errorf("principal: got %q, want %q", rights[0].Principal, test.user)
			}
			// The files name topics as a team does, so both may have some in common.
			k.give(t, rights...)
			command("topics", "apply").ends(0)
			command("publish", "order-events", "--sample", "created").ends(0)
			command("run", "--consumers", "orders", "--exit-at-end", "--timeout", "2m").ends(0)
			var lags []struct {
				Consumer string
				Lag, End int64
			}
			decode(t, command("lag", "-o", "json").ends(0).stdout.String(), &lags)
			handled := int64(0)
			for _, lag := range lags {
				if lag.Consumer == "orders" {
					handled += lag.End - lag.Lag
				}
			}
			if handled == 0 {
				t.Errorf("got lag %+v, want the order to be handled", lags)
			}
		})
	}
}
