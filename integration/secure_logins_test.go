//go:build unix && kafka_secure

package integration_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// testLogins runs the program by each way to log in, with exactly the rights that it asks for: it creates its topics, takes events in, consumes,
// dead-letters and tells its lag.
func testLogins(t *testing.T, k *secured) {
	server := tokenServer(t)
	trust := settings{"truststore_file": k.authority.PKCS12(t, storePassword), "truststore_password_file": writeFile(t, storePassword)}
	secret := writeFile(t, userPassword)
	stored := func(file string) settings {
		return settings{"truststore_file": trust["truststore_file"], "truststore_password_file": trust["truststore_password_file"],
			"keystore_file": file, "keystore_password_file": writeFile(t, storePassword)}
	}
	for name, test := range map[string]struct {
		over settings
		tool bool // whether the rights are given by Kafka's own tool, from the lines that are printed
		user string
	}{
		"a certificate in PEM":     {user: "User:CN=millrace,O=Millrace", over: k.over(k.mutual, "SSL", settings{"ca_file": k.authority.File, "cert_file": k.own.CertFile, "key_file": k.own.EncryptedKey(t, storePassword), "key_password_file": writeFile(t, storePassword)}, nil)},
		"a certificate in PKCS 12": {user: "User:CN=millrace,O=Millrace", over: k.over(k.mutual, "SSL", stored(k.own.PKCS12(t, storePassword)), nil)},
		"a certificate in JKS":     {user: "User:CN=millrace,O=Millrace", over: k.over(k.mutual, "SSL", stored(k.own.JKS(t, storePassword, storePassword)), nil)},
		"PLAIN":                    {user: "User:plain", tool: true, over: k.plain(t)},
		"SCRAM-SHA-256":            {user: "User:scram256", over: k.over(k.login, "SASL_SSL", trust, settings{"mechanism": "SCRAM-SHA-256", "username": "scram256", "password_file": secret})},
		"SCRAM-SHA-512":            {user: "User:scram512", over: k.over(k.login, "SASL_SSL", k.encrypted(), settings{"mechanism": "SCRAM-SHA-512", "username": "scram512", "password_file": secret})},
		"a token from a file":      {user: "User:millrace", over: k.over(k.login, "SASL_SSL", k.encrypted(), settings{"mechanism": "OAUTHBEARER", "token_file": writeFile(t, token("millrace", time.Now().Add(time.Hour)))})},
		"a token that is fetched": {user: "User:millrace", over: k.over(k.login, "SASL_SSL", k.encrypted(), settings{"mechanism": "OAUTHBEARER", "token_url": server,
			"client_id": "millrace", "client_secret_file": secret, "scope": "kafka"})},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlatform(t, k.broker, test.over)
			rights := p.rights(t, "--for", "run,topics,publish")
			if rights[0].Principal != test.user {
				t.Errorf("principal: got %q, want %q", rights[0].Principal, test.user)
			}
			if test.tool {
				k.giveByTool(t, p, "--for", "run,topics,publish")
				eventually(t, "the broker knows the rights", func() bool { return k.known(t, rights) == len(rights) })
			} else {
				k.give(t, rights...)
			}
			p.worksWithRights(t)
		})
	}
}

// worksWithRights takes the platform through everything once.
func (p *platform) worksWithRights(t testing.TB) {
	t.Helper()
	const events = 120
	p.provision(t)
	p.execute(t, "publish", "order-events", "--sample", "created").ends(0)
	made := p.load()
	for range events {
		p.produce(t, made.next())
	}
	p.finish(t)
	letters := len(p.broker.read(t, p.deadLetterNames()...))
	if want := 4 * (events / badEvery); letters != want {
		t.Errorf("got %d dead letters, want %d", letters, want)
	}
	var lags []struct{ Lag, End int64 }
	decode(t, p.execute(t, "lag", "-o", "json").ends(0).stdout.String(), &lags)
	total := int64(0)
	for _, lag := range lags {
		total += lag.End
		if lag.Lag != 0 {
			t.Errorf("got %+v, want no lag", lag)
		}
	}
	if total == 0 {
		t.Errorf("got lag %+v, want partitions with records", lags)
	}
}

// giveByTool runs the lines that acls prints, as they are, with Kafka's own tool under the name that they call it by.
func (k *secured) giveByTool(t *testing.T, p *platform, arguments ...string) {
	t.Helper()
	directory := t.TempDir()
	tool := fmt.Sprintf("#!/bin/sh\nexec java -Xmx256m -XX:TieredStopAtLevel=1 -cp '%s/*' org.apache.kafka.tools.AclCommand \"$@\"\n", k.jars)
	if err := os.WriteFile(filepath.Join(directory, "kafka-acls.sh"), []byte(tool), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(directory, "admin.properties"), []byte("security.protocol=PLAINTEXT\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	// Whoever gives the rights reaches the brokers by a listener of his own.
	lines := strings.ReplaceAll(p.execute(t, append([]string{"acls"}, arguments...)...).ends(0).stdout.String(), k.login, k.address)
	shell := exec.CommandContext(t.Context(), "sh", "-e")
	shell.Dir, shell.Stdin = directory, strings.NewReader(lines)
	shell.Env = append(os.Environ(), "PATH="+directory+":"+os.Getenv("PATH"))
	if output, err := shell.CombinedOutput(); err != nil {
		t.Fatalf("giving rights by\n%s%v\n%s", lines, err, output)
	}
}

// tokenServer gives tokens to who knows the secret, and returns its address.
func tokenServer(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if user, password, _ := r.BasicAuth(); user != "millrace" || password != userPassword || r.FormValue("scope") != "kafka" {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = fmt.Fprint(w, `{"error":"invalid_client"}`)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"access_token": token("millrace", time.Now().Add(time.Hour)), "token_type": "bearer", "expires_in": 3600})
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func decode(t testing.TB, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
}
