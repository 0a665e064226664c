package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/prantikov/millrace/config"
)

// secured sets the protocol and changes the rest.
func secured(protocol string, change func(*config.Kafka)) func(*config.Settings) {
	return func(s *config.Settings) {
		s.Kafka.Security.Protocol = protocol
		change(&s.Kafka)
	}
}

// tlsOf and saslOf set a whole section.
func tlsOf(section config.TLS) func(*config.Kafka) { return func(k *config.Kafka) { k.TLS = section } }
func saslOf(section config.SASL) func(*config.Kafka) {
	return func(k *config.Kafka) { k.SASL = section }
}

func TestMistakesOfTLS(t *testing.T) {
	t.Parallel()
	secret := config.NewSecret("canary")
	runMistakes(t, map[string]mistakeCase{
		"an unknown protocol":             {secured("TLS", func(*config.Kafka) {}), "kafka.security.protocol", `"TLS"`, "not one of"},
		"authorities without TLS":         {secured("PLAINTEXT", tlsOf(config.TLS{CAFile: "ca.pem"})), "kafka.tls.ca_file", `"ca.pem"`, "nothing is encrypted"},
		"a password without TLS":          {secured("PLAINTEXT", tlsOf(config.TLS{KeyStorePassword: secret})), "kafka.tls.keystore_password", "***", "nothing is encrypted"},
		"a name without TLS":              {secured("PLAINTEXT", tlsOf(config.TLS{ServerName: "kafka"})), "kafka.tls.server_name", `"kafka"`, "nothing is encrypted"},
		"authorities twice":               {secured("SSL", tlsOf(config.TLS{CAFile: "ca.pem", TrustStoreFile: "trust.jks"})), "kafka.tls.truststore_file", `"trust.jks"`, "kafka.tls.ca_file has"},
		"a certificate without its key":   {secured("SSL", tlsOf(config.TLS{CertFile: "me.pem"})), "kafka.tls.cert_file", `"me.pem"`, "without its key"},
		"a key without its certificate":   {secured("SSL", tlsOf(config.TLS{KeyFile: "me.key"})), "kafka.tls.key_file", `"me.key"`, "without its certificate"},
		"a certificate beside a store":    {secured("SSL", tlsOf(config.TLS{KeyStoreFile: "me.p12", CertFile: "me.pem"})), "kafka.tls.cert_file", `"me.pem"`, "kafka.tls.keystore_file has"},
		"a key beside a store":            {secured("SSL", tlsOf(config.TLS{KeyStoreFile: "me.p12", KeyFile: "me.key"})), "kafka.tls.key_file", `"me.key"`, "kafka.tls.keystore_file has"},
		"an unknown type of trust store":  {secured("SSL", tlsOf(config.TLS{TrustStoreFile: "t", TrustStoreType: "BKS"})), "kafka.tls.truststore_type", `"BKS"`, "not one of"},
		"an unknown type of key store":    {secured("SSL", tlsOf(config.TLS{KeyStoreFile: "k", KeyStoreType: "BKS"})), "kafka.tls.keystore_type", `"BKS"`, "not one of"},
		"a type of no trust store":        {secured("SSL", tlsOf(config.TLS{TrustStoreType: "JKS"})), "kafka.tls.truststore_type", `"JKS"`, "no trust store"},
		"a type of no key store":          {secured("SSL", tlsOf(config.TLS{KeyStoreType: "JKS"})), "kafka.tls.keystore_type", `"JKS"`, "no key store"},
		"a password of no trust store":    {secured("SSL", tlsOf(config.TLS{TrustStorePassword: secret})), "kafka.tls.truststore_password", "***", "no trust store"},
		"a password of no key store":      {secured("SSL", tlsOf(config.TLS{KeyStorePassword: secret})), "kafka.tls.keystore_password", "***", "no key store"},
		"a password of no key":            {secured("SSL", tlsOf(config.TLS{KeyPassword: secret})), "kafka.tls.key_password", "***", "no key to open"},
		"TLS with the embedded broker":    {func(s *config.Settings) { s.Dev, s.Kafka.Brokers, s.Kafka.Security.Protocol = true, nil, "SSL" }, "dev", "true", "neither TLS nor a login"},
		"a login without its protocol":    {secured("SSL", saslOf(config.SASL{Mechanism: "PLAIN"})), "kafka.sasl.mechanism", `"PLAIN"`, "no login"},
		"a user without a login":          {secured("PLAINTEXT", saslOf(config.SASL{Username: "me"})), "kafka.sasl.username", `"me"`, "no login"},
		"a protocol without its login":    {secured("SASL_SSL", func(*config.Kafka) {}), "kafka.sasl.mechanism", `""`, "nothing says how"},
		"an unknown mechanism":            {secured("SASL_SSL", saslOf(config.SASL{Mechanism: "GSSAPI", Username: "me", Password: secret})), "kafka.sasl.mechanism", `"GSSAPI"`, "not one of"},
		"a password without a user":       {secured("SASL_SSL", saslOf(config.SASL{Mechanism: "PLAIN", Password: secret})), "kafka.sasl.mechanism", `"PLAIN"`, "there is none"},
		"a user without a password":       {secured("SASL_SSL", saslOf(config.SASL{Mechanism: "SCRAM-SHA-256", Username: "me"})), "kafka.sasl.mechanism", `"SCRAM-SHA-256"`, "there is none"},
		"a token for a password's login":  {secured("SASL_SSL", saslOf(config.SASL{Mechanism: "PLAIN", Username: "me", Password: secret, TokenFile: "t"})), "kafka.sasl.token_file", `"t"`, "with a password"},
		"a user for a token's login":      {secured("SASL_SSL", saslOf(config.SASL{Mechanism: "OAUTHBEARER", TokenFile: "t", Username: "me"})), "kafka.sasl.username", `"me"`, "with a token"},
		"no token":                        {secured("SASL_SSL", saslOf(config.SASL{Mechanism: "OAUTHBEARER"})), "kafka.sasl.mechanism", `"OAUTHBEARER"`, "where that is"},
		"two tokens":                      {secured("SASL_SSL", saslOf(config.SASL{Mechanism: "OAUTHBEARER", TokenFile: "t", TokenURL: "https://a/t"})), "kafka.sasl.token_file", `"t"`, "too"},
		"a client for a token's file":     {secured("SASL_SSL", saslOf(config.SASL{Mechanism: "OAUTHBEARER", TokenFile: "t", ClientID: "me"})), "kafka.sasl.client_id", `"me"`, "not fetched"},
		"a scope for a token's file":      {secured("SASL_SSL", saslOf(config.SASL{Mechanism: "OAUTHBEARER", TokenFile: "t", Scope: "all"})), "kafka.sasl.scope", `"all"`, "not fetched"},
		"a token fetched by nobody":       {secured("SASL_SSL", saslOf(config.SASL{Mechanism: "OAUTHBEARER", TokenURL: "https://a/t", ClientSecret: secret})), "kafka.sasl.token_url", `"https://a/t"`, "somebody's name"},
		"a token fetched without secret":  {secured("SASL_SSL", saslOf(config.SASL{Mechanism: "OAUTHBEARER", TokenURL: "https://a/t", ClientID: "me"})), "kafka.sasl.token_url", `"https://a/t"`, "with a secret"},
		"a token fetched in clear":        {secured("SASL_SSL", saslOf(config.SASL{Mechanism: "OAUTHBEARER", TokenURL: "http://a/t", ClientID: "me", ClientSecret: secret})), "kafka.sasl.token_url", `"http://a/t"`, "in clear"},
		"a token from nowhere":            {secured("SASL_SSL", saslOf(config.SASL{Mechanism: "OAUTHBEARER", TokenURL: "me:canary@a", ClientID: "me", ClientSecret: secret})), "kafka.sasl.token_url", `"…@a"`, "not an address"},
		"a token's address with a secret": {secured("SASL_SSL", saslOf(config.SASL{Mechanism: "OAUTHBEARER", TokenURL: "https://me:canary@a/t", ClientID: "me", ClientSecret: secret})), "kafka.sasl.token_url", `"https://me:xxxxx@a/t"`, "is read by"},
	})
}

// Ensure what belongs together is no mistake.
func TestSecuredSettings(t *testing.T) {
	t.Parallel()
	secret := config.NewSecret("x")
	for name, change := range map[string]func(*config.Settings){
		"TLS with the authorities of the system": secured("SSL", func(*config.Kafka) {}),
		"TLS with files":                         secured("SSL", tlsOf(config.TLS{CAFile: "ca.pem", CertFile: "me.pem", KeyFile: "me.key", KeyPassword: secret, ServerName: "kafka"})),
		"TLS with stores": secured("SSL", tlsOf(config.TLS{TrustStoreFile: "t", TrustStoreType: "JKS", TrustStorePassword: secret,
			KeyStoreFile: "k", KeyStoreType: "PKCS12", KeyStorePassword: secret, KeyPassword: secret})),
		"a password in clear":             secured("SASL_PLAINTEXT", saslOf(config.SASL{Mechanism: "PLAIN", Username: "me", Password: secret})),
		"SCRAM":                           secured("SASL_SSL", saslOf(config.SASL{Mechanism: "SCRAM-SHA-512", Username: "me", Password: secret})),
		"a token in a file":               secured("SASL_SSL", saslOf(config.SASL{Mechanism: "OAUTHBEARER", TokenFile: "t"})),
		"a token that is fetched":         secured("SASL_SSL", saslOf(config.SASL{Mechanism: "OAUTHBEARER", TokenURL: "https://a/t", ClientID: "me", ClientSecret: secret, Scope: "kafka"})),
		"a token fetched on this machine": secured("SASL_SSL", saslOf(config.SASL{Mechanism: "OAUTHBEARER", TokenURL: "http://[::1]:80/t", ClientID: "me", ClientSecret: secret})),
		"a certificate beside a login": secured("SASL_SSL", func(k *config.Kafka) {
			tlsOf(config.TLS{CertFile: "c", KeyFile: "k"})(k)
			saslOf(config.SASL{Mechanism: "OAUTHBEARER", TokenFile: "t"})(k)
		}),
		"a key store with its own password": secured("SSL", tlsOf(config.TLS{KeyStoreFile: "k", KeyStorePassword: secret})),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			settings := valid()
			change(&settings)
			if err := config.Validate(settings); err != nil {
				t.Errorf("got %v, want no mistake", err)
			}
		})
	}
}

// Ensure a secret of ours comes from its variable or its file, and from nowhere else.
func TestSecretsOfKafka(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	file := write(t, directory, "password", "canary\n")
	const login = "kafka: {security: {protocol: SASL_SSL}, sasl: {mechanism: PLAIN, username: me"
	for name, test := range map[string]struct {
		yaml          string
		environ       []string
		flags         map[string]string
		origin, wrong string // of the row, in the sentence
	}{
		"from its variable":                 {yaml: login + "}}", environ: []string{"MILLRACE_KAFKA_SASL_PASSWORD=canary"}, origin: "MILLRACE_KAFKA_SASL_PASSWORD"},
		"from the file that a file names":   {yaml: login + ", password_file: '" + filepath.ToSlash(file) + "'}}", origin: "config.yaml:1"},
		"from the file of a variable":       {yaml: login + "}}", environ: []string{"MILLRACE_KAFKA_SASL_PASSWORD_FILE=" + file}, origin: "MILLRACE_KAFKA_SASL_PASSWORD_FILE"},
		"its variable before a file":        {yaml: login + ", password_file: missing}}", environ: []string{"MILLRACE_KAFKA_SASL_PASSWORD=canary"}, origin: "MILLRACE_KAFKA_SASL_PASSWORD"},
		"not from the configuration file":   {yaml: login + ", password: canary}}", wrong: "kafka.sasl.password (config.yaml:1): a secret written here"},
		"not from a flag":                   {yaml: login + "}}", flags: map[string]string{"kafka.sasl.password": "canary"}, wrong: "kafka.sasl.password: a secret on the command line"},
		"not from two variables":            {yaml: login + "}}", environ: []string{"MILLRACE_KAFKA_SASL_PASSWORD=canary", "MILLRACE_KAFKA_SASL_PASSWORD_FILE=" + file}, wrong: "MILLRACE_KAFKA_SASL_PASSWORD: MILLRACE_KAFKA_SASL_PASSWORD_FILE is set too"},
		"not from a file that is not there": {yaml: login + ", password_file: missing}}", wrong: `kafka.sasl.password_file is "missing" (config.yaml:1): the secret cannot be read`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sources(t, test.yaml, test.environ...)
			s.Flags = test.flags
			loaded, err := config.Load(s)
			if test.wrong != "" {
				found := strings.ReplaceAll(errorText(err), s.File, "config.yaml")
				if strings.Count(found, "\n") != 0 || !strings.HasPrefix(found, test.wrong) || strings.Contains(found, "canary") {
					t.Errorf("got %q, want the one sentence %q…", found, test.wrong)
				}
				return
			}
			if err != nil || loaded.Settings.Kafka.SASL.Password.Reveal() != "canary" {
				t.Fatalf("got %v and %q, want the password", err, loaded.Settings.Kafka.SASL.Password.Reveal())
			}
			rows := config.Rows(loaded)
			row := find(rows, "kafka.sasl.password")
			if origin := strings.ReplaceAll(row.Origin, s.File, "config.yaml"); origin != test.origin || row.Value != "***" || !row.Secret {
				t.Errorf("row: got %+v, want it hidden, from %s", row, test.origin)
			}
			wantHidden(t, rows, "canary")
			wantHidden(t, loaded.Settings, "canary")
		})
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// Ensure a password that travels in clear is warned of, where it leaves this machine.
func TestPasswordInClearIsWarnedOf(t *testing.T) {
	t.Parallel()
	const yaml = "kafka: {security: {protocol: SASL_PLAINTEXT}, sasl: {mechanism: PLAIN, username: me}}"
	for brokers, want := range map[string]int{"kafka.example.org:9092": 1, "localhost:9092,[::1]:9093": 0, "127.0.0.1:9092,kafka:9092": 1} {
		loaded := load(t, sources(t, yaml, "MILLRACE_KAFKA_SASL_PASSWORD=x", "MILLRACE_KAFKA_BROKERS="+brokers))
		if len(loaded.Warnings) != want {
			t.Errorf("%s: got warnings %q, want %d", brokers, loaded.Warnings, want)
		}
	}
}

// Ensure mistakes of the login come together, and one of a secret's file is not followed by one of the missing secret.
func TestMistakesOfTheLoginComeTogether(t *testing.T) {
	t.Parallel()
	s := sources(t, "kafka: {security: {protocol: SASL_SSL}, tls: {cert_file: c.pem, truststore_type: JKS}, sasl: {mechanism: PLAIN, password_file: missing, scope: all}}")
	_, err := config.Load(s)
	var paths []string
	for _, one := range err.(interface{ Unwrap() []error }).Unwrap() {
		var mistake *config.Mistake
		if errors.As(one, &mistake) {
			paths = append(paths, mistake.Path)
		}
	}
	slices.Sort(paths)
	want := []string{"kafka.sasl.mechanism", "kafka.sasl.password_file", "kafka.sasl.scope", "kafka.tls.cert_file", "kafka.tls.truststore_type"}
	if !slices.Equal(paths, want) {
		t.Errorf("got mistakes of %q, want of %q", paths, want)
	}
}

// Ensure a secret that is changed in its file is used from then on, and the one from before while there is none.
func TestSecretOfAFileIsReadAgain(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "password")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("first\n")
	loaded := load(t, config.Sources{Environ: []string{
		"MILLRACE_KAFKA_BROKERS=a:1", "MILLRACE_KAFKA_SECURITY_PROTOCOL=SASL_PLAINTEXT", "MILLRACE_KAFKA_SASL_MECHANISM=PLAIN", "MILLRACE_KAFKA_SASL_USERNAME=me",
		"MILLRACE_KAFKA_SASL_PASSWORD_FILE=" + file,
	}})
	password := loaded.Settings.Kafka.SASL.Password
	for _, step := range []struct{ written, want string }{{"first\n", "first"}, {"second\n", "second"}, {"", "first"}} {
		write(step.written)
		if got := password.Current(); got != step.want {
			t.Errorf("after %q: got %q, want %q", step.written, got, step.want)
		}
	}
	if got := password.Reveal(); got != "first" {
		t.Errorf("got %q revealed, want the one of the start", got)
	}
}
