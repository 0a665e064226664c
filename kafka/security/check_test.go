package security_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prantikov/millrace/config"
	"github.com/prantikov/millrace/kafka/kafkatest"
	"github.com/prantikov/millrace/kafka/security"
)

// encrypted are settings with TLS.
func encrypted(s config.TLS) config.Kafka {
	return config.Kafka{Security: config.Security{Protocol: config.ProtocolSSL}, TLS: s}
}

func file(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// content is what a file has.
func content(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// Ensure each kind of store is read, whatever it is called.
func TestStoresAreRead(t *testing.T) {
	t.Parallel()
	authority := kafkatest.NewAuthority(t, "authority")
	own := authority.Issue(t, "own", "localhost")
	secret := config.NewSecret("changeit")
	for name, settings := range map[string]config.TLS{
		"PEM in the settings themselves": {CAPEM: content(t, authority.File), CertPEM: content(t, own.CertFile), KeyPEM: config.NewSecret(content(t, own.KeyFile))},
		"the authorities of the system":  {},
		"PEM":                            {CAFile: authority.File, CertFile: own.CertFile, KeyFile: own.KeyFile},
		"PEM with an encrypted key":      {CAFile: authority.File, CertFile: own.CertFile, KeyFile: own.EncryptedKey(t, "changeit"), KeyPassword: secret},
		"PEM as stores":                  {TrustStoreFile: authority.File, TrustStoreType: "PEM", KeyStoreFile: own.PEM(t), KeyStoreType: "PEM"},
		"PKCS 12":                        {TrustStoreFile: authority.PKCS12(t, "changeit"), TrustStorePassword: secret, KeyStoreFile: own.PKCS12(t, "changeit"), KeyStorePassword: secret},
		"PKCS 12 that is called JKS":     {TrustStoreFile: authority.PKCS12(t, "changeit"), TrustStoreType: "JKS", TrustStorePassword: secret},
		"JKS":                            {TrustStoreFile: authority.JKS(t, "changeit"), TrustStorePassword: secret, KeyStoreFile: own.JKS(t, "changeit", "changeit"), KeyStorePassword: secret},
		"JKS whose key has a password of its own": {KeyStoreFile: authority.Issue(t, "other").JKS(t, "changeit", "another"), KeyStorePassword: secret, KeyPassword: config.NewSecret("another")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mistakes, warnings := security.Check(encrypted(settings), time.Now())
			if len(mistakes) > 0 || len(warnings) > 0 {
				t.Errorf("got mistakes %v and warnings %q, want none", mistakes, warnings)
			}
			if subject := security.Subject(settings); settings.CertFile != "" && subject != "CN=own,O=Millrace" {
				t.Errorf("subject: got %q, want that of the certificate", subject)
			}
		})
	}
}

// Ensure what is wrong with a file is one sentence that names the setting, and repeats no password.
func TestMistakesInFiles(t *testing.T) {
	t.Parallel()
	authority := kafkatest.NewAuthority(t, "authority")
	own, other := authority.Issue(t, "own"), authority.Issue(t, "other")
	right, wrong := config.NewSecret("changeit"), config.NewSecret("canary")
	trust, keys := authority.JKS(t, "changeit"), own.JKS(t, "changeit", "secret")
	empty := file(t, "nothing")
	for name, test := range map[string]struct {
		settings config.TLS
		path     string
		reason   string // part of the sentence
	}{
		"authorities that are not there":         {config.TLS{CAFile: "missing.pem"}, "kafka.tls.ca_file", "cannot be read"},
		"authorities that are none":              {config.TLS{CAFile: own.KeyFile}, "kafka.tls.ca_file", "no certificate of an authority"},
		"authorities in a store of Java's":       {config.TLS{CAFile: trust}, "kafka.tls.ca_file", "not PEM"},
		"a trust store with a wrong password":    {config.TLS{TrustStoreFile: trust, TrustStorePassword: wrong}, "kafka.tls.truststore_password", "does not open"},
		"a trust store without its password":     {config.TLS{TrustStoreFile: trust}, "kafka.tls.truststore_password", "needs a password"},
		"a PKCS 12 store with a wrong password":  {config.TLS{TrustStoreFile: authority.PKCS12(t, "changeit"), TrustStorePassword: wrong}, "kafka.tls.truststore_password", "does not open"},
		"a trust store of another type":          {config.TLS{TrustStoreFile: trust, TrustStoreType: "PEM", TrustStorePassword: right}, "kafka.tls.truststore_type", "is JKS"},
		"a file of no type":                      {config.TLS{TrustStoreFile: empty, TrustStoreType: "JKS", TrustStorePassword: right}, "kafka.tls.truststore_file", "neither PEM nor"},
		"a trust store with keys only":           {config.TLS{TrustStoreFile: keys, TrustStorePassword: right}, "kafka.tls.truststore_file", "no certificate of an authority"},
		"a key store without a key":              {config.TLS{KeyStoreFile: trust, KeyStorePassword: right}, "kafka.tls.keystore_file", "no private key"},
		"a key store with a wrong password":      {config.TLS{KeyStoreFile: keys, KeyStorePassword: wrong}, "kafka.tls.keystore_password", "does not open"},
		"a key in a store with a wrong password": {config.TLS{KeyStoreFile: keys, KeyStorePassword: right, KeyPassword: wrong}, "kafka.tls.key_password", "does not open"},
		"a key in a store with another password": {config.TLS{KeyStoreFile: keys, KeyStorePassword: right}, "kafka.tls.keystore_password", "does not open"},
		"a certificate that is not there":        {config.TLS{CertFile: "missing.crt", KeyFile: own.KeyFile}, "kafka.tls.cert_file", "cannot be read"},
		"a key that is not there":                {config.TLS{CertFile: own.CertFile, KeyFile: "missing.key"}, "kafka.tls.key_file", "cannot be read"},
		"a key file without a key":               {config.TLS{CertFile: own.CertFile, KeyFile: own.CertFile}, "kafka.tls.key_file", "no private key"},
		"a certificate of another key":           {config.TLS{CertFile: own.CertFile, KeyFile: other.KeyFile}, "kafka.tls.cert_file", "not that of the private key"},
		"an encrypted key without a password":    {config.TLS{CertFile: own.CertFile, KeyFile: own.EncryptedKey(t, "changeit")}, "kafka.tls.key_password", "needs a password"},
		"an encrypted key with a wrong password": {config.TLS{CertFile: other.CertFile, KeyFile: other.EncryptedKey(t, "changeit"), KeyPassword: wrong}, "kafka.tls.key_password", "does not open"},
		"a key that is encrypted as long ago":    {config.TLS{CertFile: own.CertFile, KeyFile: file(t, "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: DES-EDE3-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n")}, "kafka.tls.key_file", "openssl pkcs8 -topk8"},
		"a certificate that is damaged":          {config.TLS{CAFile: file(t, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")}, "kafka.tls.ca_file", "cannot be read"},
		"certificates themselves that are none":  {config.TLS{CAPEM: "ca.pem"}, "kafka.tls.ca_pem", "not PEM"},
		"a key itself of another certificate":    {config.TLS{CertFile: own.CertFile, KeyPEM: config.NewSecret(content(t, other.KeyFile))}, "kafka.tls.cert_file", "not that of the private key"},
		"a file that is far too large":           {config.TLS{CAFile: file(t, strings.Repeat("x", 4<<20+1))}, "kafka.tls.ca_file", "larger than 4 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mistakes, _ := security.Check(encrypted(test.settings), time.Now())
			if len(mistakes) != 1 || mistakes[0].Path != test.path || !strings.Contains(mistakes[0].Error(), test.reason) || mistakes[0].Advice == "" {
				t.Fatalf("got %v, want one mistake of %s with %q and advice", mistakes, test.path, test.reason)
			}
			if text := mistakes[0].Error(); strings.Contains(text, "canary") || strings.Contains(text, "\n") {
				t.Errorf("got %q, want one line without the password", text)
			}
		})
	}
}

// Ensure mistakes of both sides and of the token come together.
func TestMistakesInFilesComeTogether(t *testing.T) {
	t.Parallel()
	s := config.Kafka{
		Security: config.Security{Protocol: config.ProtocolSASLSSL}, TLS: config.TLS{CAFile: "missing.pem", CertFile: "missing.crt", KeyFile: "missing.key"},
		SASL: config.SASL{Mechanism: config.MechanismOAuth, TokenFile: "missing.token"},
	}
	mistakes, _ := security.Check(s, time.Now())
	if len(mistakes) != 3 {
		t.Errorf("got %v, want the authorities, the certificate and the token", mistakes)
	}
	s.Security.Protocol = config.ProtocolPlaintext
	if mistakes, _ := security.Check(s, time.Now()); len(mistakes) != 0 {
		t.Errorf("without TLS and login: got %v, want nothing read", mistakes)
	}
}

// Ensure a certificate that is over, soon will be, or is not valid yet is a warning with its date.
func TestWarningsOfCertificates(t *testing.T) {
	t.Parallel()
	authority := kafkatest.NewAuthority(t, "authority")
	now := time.Now()
	for name, test := range map[string]struct {
		end  time.Time
		want string // in the warning; empty for none
	}{
		"expired":       {now.Add(-time.Hour), "expired at " + now.Add(-time.Hour).UTC().Format(time.RFC3339)},
		"ends soon":     {now.Add(24 * time.Hour), "expires at " + now.Add(24*time.Hour).UTC().Format(time.RFC3339)},
		"not valid yet": {now.Add(200 * 24 * time.Hour), "is not valid before"},
		"valid":         {now.Add(60 * 24 * time.Hour), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			own := authority.IssueUntil(t, test.end, strings.ReplaceAll(name, " ", "-"))
			mistakes, warnings := security.Check(encrypted(config.TLS{CertFile: own.CertFile, KeyFile: own.KeyFile}), now)
			switch {
			case len(mistakes) > 0:
				t.Errorf("got mistakes %v, want none", mistakes)
			case test.want == "" && len(warnings) > 0, test.want != "" && (len(warnings) != 1 || !strings.Contains(warnings[0], test.want)):
				t.Errorf("got warnings %q, want %q", warnings, test.want)
			}
		})
	}
}
