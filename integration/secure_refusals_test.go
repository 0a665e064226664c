//go:build unix && kafka_secure

package integration_test

import (
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prantikov/millrace/kafka/kafkatest"
)

// testRefusals wants one sentence that names the setting, status 1, and no storm: nobody's wrong password may look like an attack, or lock
// an account.
func testRefusals(t *testing.T, k *secured) {
	stranger := kafkatest.NewAuthority(t, "Stranger")
	foreign := stranger.Issue(t, "foreign")
	expired := k.authority.IssueUntil(t, time.Now().Add(-time.Hour), "expired")
	login := func(sasl settings) func(string) settings {
		return func(address string) settings { return k.over(address, "SASL_SSL", k.encrypted(), sasl) }
	}
	certificate := func(tls settings) func(string) settings {
		return func(address string) settings { return k.over(address, "SSL", tls, nil) }
	}
	wrong := writeFile(t, "canary-secret")
	trust := k.authority.JKS(t, storePassword)
	for name, test := range map[string]struct {
		to    string
		over  func(address string) settings
		words []string
		most  int32 // connections
	}{
		"a wrong password of PLAIN":   {k.login, login(settings{"mechanism": "PLAIN", "username": "plain", "password_file": wrong}), []string{`kafka.sasl.username "plain" with this kafka.sasl.password`}, 1},
		"an unknown user of PLAIN":    {k.login, login(settings{"mechanism": "PLAIN", "username": "nobody", "password_file": wrong}), []string{`kafka.sasl.username "nobody"`}, 1},
		"a wrong password of SCRAM":   {k.login, login(settings{"mechanism": "SCRAM-SHA-256", "username": "scram256", "password_file": wrong}), []string{`kafka.sasl.username "scram256" with this kafka.sasl.password`}, 1},
		"a user of another mechanism": {k.login, login(settings{"mechanism": "SCRAM-SHA-512", "username": "scram256", "password_file": wrong}), []string{`kafka.sasl.username "scram256"`}, 1},
		"an expired token": {k.login, login(settings{"mechanism": "OAUTHBEARER", "token_file": writeFile(t, token("millrace", time.Now().Add(-time.Hour)))}),
			[]string{"the token of kafka.sasl.token_file, which expired at"}, 1},
		"a token that is none": {k.login, login(settings{"mechanism": "OAUTHBEARER", "token_file": writeFile(t, "canary-secret")}), []string{"the token of kafka.sasl.token_file"}, 1},
		"a token's empty file": {k.login, login(settings{"mechanism": "OAUTHBEARER", "token_file": writeFile(t, "\n")}), []string{"kafka.sasl.token_file", "is empty"}, 1},
		"a wrong secret of a client": {k.login, login(settings{"mechanism": "OAUTHBEARER", "token_url": tokenServer(t), "client_id": "millrace", "client_secret_file": wrong}),
			[]string{"kafka.sasl.token_url", `kafka.sasl.client_id "millrace"`, "401"}, 1},
		"a login where none is asked": {k.mutual, func(address string) settings {
			return k.over(address, "SASL_SSL", settings{"ca_file": k.authority.File, "cert_file": k.own.CertFile, "key_file": k.own.KeyFile},
				settings{"mechanism": "PLAIN", "username": "plain", "password_file": wrong})
		}, []string{"asks for no login", "kafka.security.protocol"}, 2},
		"an unknown authority":        {k.mutual, certificate(settings{"ca_file": stranger.File}), []string{"kafka.tls.ca_file", "does not have"}, 1},
		"another host name":           {k.mutual, certificate(settings{"ca_file": k.authority.File, "server_name": "kafka.example.org"}), []string{"kafka.tls.server_name", "localhost"}, 1},
		"no certificate":              {k.mutual, certificate(settings{"ca_file": k.authority.File}), []string{"asks for a certificate", "kafka.tls.cert_file", "kafka.tls.keystore_file"}, 1},
		"a stranger's certificate":    {k.mutual, certificate(settings{"ca_file": k.authority.File, "cert_file": foreign.CertFile, "key_file": foreign.KeyFile}), []string{"does not take our certificate, kafka.tls.cert_file"}, 1},
		"an expired certificate":      {k.mutual, certificate(settings{"ca_file": k.authority.File, "cert_file": expired.CertFile, "key_file": expired.KeyFile}), []string{"does not take our certificate, kafka.tls.cert_file", "which expired at"}, 1},
		"a wrong password of a store": {k.mutual, certificate(settings{"truststore_file": trust, "truststore_password_file": wrong}), []string{"kafka.tls.truststore_password", "does not open kafka.tls.truststore_file"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gate := openGate(t, test.to)
			p := newPlatform(t, k.broker, test.over(gate.address))
			run := p.start(t, "run")
			run.failsInOneSentence(test.words...)
			for _, text := range []string{run.verdict(), run.stderr.String()} {
				if strings.Contains(text, "canary") {
					t.Errorf("got %q, want no secret", text)
				}
			}
			if strings.Contains(run.verdict(), "\n") {
				t.Errorf("got %q, want one line", run.verdict())
			}
			if got := gate.count.Load(); got > test.most {
				t.Errorf("got %d connections, want at most %d", got, test.most)
			}
		})
	}
}

// gate passes connections on and counts them. Who is refused at the first never learns the broker's own address.
type gate struct {
	address string
	count   atomic.Int32
}

func openGate(t *testing.T, to string) *gate {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	g := &gate{address: listener.Addr().String()}
	go func() {
		for {
			accepted, err := listener.Accept()
			if err != nil {
				return
			}
			g.count.Add(1)
			go pass(accepted, to)
		}
	}()
	return g
}

func pass(accepted net.Conn, to string) {
	defer func() { _ = accepted.Close() }()
	beyond, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer func() { _ = beyond.Close() }()
	go func() { _, _ = io.Copy(beyond, accepted); _ = beyond.(*net.TCPConn).CloseWrite() }()
	_, _ = io.Copy(accepted, beyond)
}
