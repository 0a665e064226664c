package security_test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/prantikov/millrace/config"
	"github.com/prantikov/millrace/kafka/kafkatest"
	"github.com/prantikov/millrace/kafka/security"
)

// serve answers each line with the name in the client's certificate, until the test ends.
func serve(t *testing.T, c *tls.Config) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if c != nil {
		listener = tls.NewListener(listener, c)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			accepted, err := listener.Accept()
			if err != nil {
				return
			}
			go answer(accepted)
		}
	}()
	return listener.Addr().String()
}

func answer(accepted net.Conn) {
	defer func() { _ = accepted.Close() }()
	// A server without TLS takes the handshake for a line that is far too long.
	if _, err := bufio.NewReaderSize(accepted, 16).ReadSlice('\n'); err != nil {
		_, _ = io.WriteString(accepted, "this is no handshake")
		return
	}
	name := "nobody"
	if secured, ok := accepted.(*tls.Conn); ok && len(secured.ConnectionState().PeerCertificates) > 0 {
		name = secured.ConnectionState().PeerCertificates[0].Subject.CommonName
	}
	_, _ = io.WriteString(accepted, name+"\n")
}

// whoami connects and asks who we are.
func whoami(d *security.Dialer, address string) (string, error) {
	c, err := d.Dial("tcp", address)
	if err != nil {
		return "", err
	}
	defer func() { _ = c.Close() }()
	if _, err := io.WriteString(c, "who am I?\n"); err != nil {
		return "", err
	}
	text, err := bufio.NewReader(c).ReadString('\n')
	return strings.TrimSpace(text), err
}

func dialer(s config.TLS) *security.Dialer {
	return security.NewDialer(s, net.Dialer{Timeout: 10 * time.Second})
}

// Ensure each refusal is one sentence that names what is to be changed, in both versions of TLS.
func TestRefusals(t *testing.T) {
	t.Parallel()
	authority, stranger := kafkatest.NewAuthority(t, "authority"), kafkatest.NewAuthority(t, "stranger")
	server := authority.Issue(t, "server", "127.0.0.1", "kafka.example.org")
	own, foreign := authority.Issue(t, "own"), stranger.Issue(t, "foreign")
	expired := authority.IssueUntil(t, time.Now().Add(-time.Hour), "expired", "127.0.0.1")
	trusting := config.TLS{CAFile: authority.File}
	with := func(i *kafkatest.Identity) config.TLS {
		return config.TLS{CAFile: authority.File, CertFile: i.CertFile, KeyFile: i.KeyFile}
	}
	named := trusting
	named.ServerName = "other.example.org"
	for name, test := range map[string]struct {
		server   *tls.Config
		settings config.TLS
		words    []string
	}{
		"an unknown authority":             {server.Server(false), config.TLS{CAFile: stranger.File}, []string{"signed by an authority that kafka.tls.ca_file", "does not have"}},
		"an authority the system lacks":    {server.Server(false), config.TLS{}, []string{"signed by an authority that the system", "set kafka.tls.ca_file"}},
		"another host name":                {server.Server(false), named, []string{`not for "other.example.org" but for kafka.example.org, 127.0.0.1`, "kafka.tls.server_name"}},
		"a server that expired":            {expired.Server(false), trusting, []string{"is valid from", expired.Certificate.NotAfter.UTC().Format(time.RFC3339)}},
		"no certificate of ours":           {server.Server(true), trusting, []string{"asks for a certificate, and there is none", "kafka.tls.cert_file", "kafka.tls.keystore_file"}},
		"a certificate of a stranger":      {server.Server(true), with(foreign), []string{"does not take our certificate, kafka.tls.cert_file", "CN=foreign"}},
		"our certificate expired":          {server.Server(true), with(expired), []string{"does not take our certificate", "which expired at"}},
		"a server without TLS":             {nil, trusting, []string{"does not answer in TLS", "kafka.security.protocol"}},
		"a store that cannot be read":      {server.Server(false), config.TLS{CAFile: "missing.pem"}, []string{`kafka.tls.ca_file is "missing.pem": it cannot be read`}},
		"a certificate that is none of it": {server.Server(false), config.TLS{CertFile: own.CertFile, KeyFile: foreign.KeyFile}, []string{"kafka.tls.cert_file", "not that of the private key"}},
	} {
		for version, highest := range map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13} {
			t.Run(name+"/"+version, func(t *testing.T) {
				t.Parallel()
				server := test.server
				if server != nil {
					server = server.Clone()
					server.MaxVersion = highest
				}
				_, err := whoami(dialer(test.settings), serve(t, server))
				var refused *security.Refusal
				if !errors.As(err, &refused) {
					t.Fatalf("got %v, want a refusal", err)
				}
				for _, word := range test.words {
					if !strings.Contains(refused.Error(), word) || strings.Contains(refused.Error(), "\n") {
						t.Errorf("got %q, want one line with %q", refused, word)
					}
				}
			})
		}
	}
}

// Ensure a certificate is taken, the host's name counts, and another name only where the settings say so.
func TestConnections(t *testing.T) {
	t.Parallel()
	authority := kafkatest.NewAuthority(t, "authority")
	own := authority.Issue(t, "own")
	mutual := config.TLS{CAFile: authority.File, CertFile: own.CertFile, KeyFile: own.KeyFile}
	named := mutual
	named.ServerName = "kafka.example.org"
	written := config.TLS{CAPEM: content(t, authority.File), CertPEM: content(t, own.CertFile), KeyPEM: config.NewSecret(content(t, own.KeyFile))}
	for name, test := range map[string]struct {
		host     string
		settings config.TLS
	}{
		"by the host":     {"127.0.0.1", mutual},
		"by another name": {"kafka.example.org", named},
		"by certificates in the settings themselves": {"127.0.0.1", written},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := serve(t, authority.Issue(t, "server-"+test.host, test.host).Server(true))
			if got, err := whoami(dialer(test.settings), address); got != "own" || err != nil {
				t.Errorf("got %q and %v, want our certificate's name", got, err)
			}
		})
	}
}

// Ensure certificates that were replaced are used from the next connection on, and that the old ones are while the new cannot be read.
func TestCertificatesAreReadAnew(t *testing.T) {
	t.Parallel()
	authority := kafkatest.NewAuthority(t, "authority")
	address := serve(t, authority.Issue(t, "server", "127.0.0.1").Server(true))
	first, second := authority.Issue(t, "first"), authority.Issue(t, "second")
	d := dialer(config.TLS{CAFile: authority.File, CertFile: first.CertFile, KeyFile: first.KeyFile})
	want := func(want string) {
		t.Helper()
		if got, err := whoami(d, address); got != want || err != nil {
			t.Errorf("got %q and %v, want %q", got, err, want)
		}
	}
	want("first")
	replace(t, first.CertFile, second.CertFile)
	// The key is still the first one's.
	want("first")
	replace(t, first.KeyFile, second.KeyFile)
	want("second")
	if err := os.Remove(first.CertFile); err != nil {
		t.Fatal(err)
	}
	want("second")
}

// replace puts a file in another's place at once, as rotation does.
func replace(t *testing.T, old, by string) {
	t.Helper()
	data, err := os.ReadFile(by)
	if err == nil {
		err = os.WriteFile(old+".new", data, 0o600)
	}
	if err == nil {
		// The time tells the change, whatever the file system's clock.
		later := time.Now().Add(time.Minute)
		err = os.Chtimes(old+".new", later, later)
	}
	if err == nil {
		err = os.Rename(old+".new", old)
	}
	if err != nil {
		t.Fatal(err)
	}
}
