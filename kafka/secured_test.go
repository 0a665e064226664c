package kafka_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/prantikov/millrace/config"
	"github.com/prantikov/millrace/kafka"
	"github.com/prantikov/millrace/kafka/kafkatest"
	"github.com/prantikov/millrace/kafka/security"
	"github.com/prantikov/millrace/record"
)

// guarded is a broker in memory with TLS and a login.
type guarded struct {
	authority *kafkatest.Authority
	own       *kafkatest.Identity
	connected atomic.Int32
	address   string
}

// guard starts a broker. It knows the user millrace by each mechanism.
func guard(t *testing.T, mutual, login bool) *guarded {
	t.Helper()
	g := &guarded{authority: kafkatest.NewAuthority(t, "authority")}
	g.own = g.authority.Issue(t, "millrace")
	options := []kfake.Opt{
		kfake.TLS(g.authority.Issue(t, "broker", "127.0.0.1").Server(mutual)),
		kfake.ListenFn(func(network, address string) (net.Listener, error) {
			listener, err := net.Listen(network, address)
			return &counting{listener, &g.connected}, err
		}),
	}
	if login {
		options = append(options, kfake.EnableSASL())
		for _, mechanism := range []string{config.MechanismPlain, config.MechanismSCRAM256, config.MechanismSCRAM512} {
			options = append(options, kfake.Superuser(mechanism, "millrace", "right"))
		}
	}
	cluster := kafkatest.Cluster(t, options...)
	// Kafka answers a wrong password; this broker would close the connection.
	cluster.ControlKey(int16(kmsg.SASLAuthenticate), func(asked kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		if !strings.Contains(string(asked.(*kmsg.SASLAuthenticateRequest).SASLAuthBytes), "refused") {
			return nil, nil, false
		}
		answer := asked.ResponseKind().(*kmsg.SASLAuthenticateResponse)
		answer.ErrorCode, answer.ErrorMessage = kerr.SaslAuthenticationFailed.Code, kmsg.StringPtr("Authentication failed: Invalid username or password")
		return answer, nil, true
	})
	g.address = cluster.ListenAddrs()[0]
	return g
}

// counting counts the connections that are made to it.
type counting struct {
	net.Listener
	accepted *atomic.Int32
}

func (c *counting) Accept() (net.Conn, error) {
	accepted, err := c.Listener.Accept()
	if err == nil {
		c.accepted.Add(1)
	}
	return accepted, err
}

// settings are those of a client that the broker takes.
func (g *guarded) settings(mechanism string) config.Kafka {
	s := quick(g.address)
	s.Security.Protocol = config.ProtocolSSL
	s.TLS = config.TLS{CAFile: g.authority.File, CertFile: g.own.CertFile, KeyFile: g.own.KeyFile}
	if mechanism != "" {
		s.Security.Protocol = config.ProtocolSASLSSL
		s.SASL = config.SASL{Mechanism: mechanism, Username: "millrace", Password: config.NewSecret("right")}
	}
	return s
}

// Ensure every client of the program goes through TLS and the login: topics, publishers, readers, lag, members of groups in both ways, and
// Watermill's own.
func TestEveryClientIsSecured(t *testing.T) {
	t.Parallel()
	for name, mechanism := range map[string]string{
		"TLS with a certificate of ours": "", "PLAIN": config.MechanismPlain, "SCRAM-SHA-256": config.MechanismSCRAM256, "SCRAM-SHA-512": config.MechanismSCRAM512,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := guard(t, true, mechanism != "").settings(mechanism)
			if err := kafka.Wait(t.Context(), s); err != nil {
				t.Fatal(err)
			}
			topic := kafkatest.Name(t)
			if _, err := kafka.NewTopics(config.Settings{Kafka: s, Topics: map[string]config.Topic{topic: {Partitions: 2}}}).Apply(t.Context()); err != nil {
				t.Fatal(err)
			}
			publishAll(t, s, topic)
			for _, way := range []string{"eager", "cooperative"} {
				settings := kafka.SubscriberSettings{Kafka: s, Group: kafkatest.Name(t) + way, Topics: []string{topic}}
				settings.Kafka.Rebalance = way
				var done ledger
				batches(t, open(t, settings), topic, done.handleAll)
				kafkatest.Eventually(t, "the "+way+" member has read all", func() bool { return done.count() == 3 })
			}
			engine, err := kafka.NewWatermillSubscriber(kafka.SubscriberSettings{Kafka: s, Group: kafkatest.Name(t) + "-watermill"})
			if err != nil {
				t.Fatal(err)
			}
			defer closeNow(t, engine)
			messages, err := engine.Subscribe(context.Background(), topic)
			if err != nil {
				t.Fatal(err)
			}
			receive(t, messages).Ack()
		})
	}
}

// publishAll sends a record with each publisher, and reads them back.
func publishAll(t *testing.T, s config.Kafka, topic string) {
	t.Helper()
	sent := []*record.Record{{Position: record.Position{Topic: topic}, Key: []byte("k"), Value: []byte("v")}}
	publisher, err := kafka.NewPublisher(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := publisher.PublishRecords(t.Context(), sent); err != nil {
		t.Error(err)
	}
	letters, err := kafka.NewDeadLetterPublisher(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := letters.PublishRecords(t.Context(), sent); err != nil {
		t.Error(err)
	}
	engine, err := kafka.NewWatermillLetters(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := engine.PublishToPartitions(t.Context(), sent); err != nil {
		t.Error(err)
	}
	if err := errors.Join(publisher.Close(), letters.Close(), engine.Close()); err != nil {
		t.Error(err)
	}
	reader, err := kafka.NewReader(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reader.Close() }()
	read := 0
	for _, err := range reader.Read(t.Context(), kafka.Range{Topic: topic}) {
		if err != nil {
			t.Fatal(err)
		}
		read++
	}
	if read != 3 {
		t.Errorf("got %d records, want 3", read)
	}
	if _, err := reader.Lag(t.Context(), []kafka.Watched{{Consumer: "c", Group: "g", Topics: []string{topic}}}); err != nil {
		t.Error(err)
	}
}

// Ensure what will be refused again is one sentence at once, after as many connections as there are brokers and not one more for each try.
func TestRefusalsEndTheWait(t *testing.T) {
	t.Parallel()
	stranger := kafkatest.NewAuthority(t, "stranger")
	foreign := stranger.Issue(t, "foreign")
	for name, test := range map[string]struct {
		change func(*config.Kafka)
		login  bool
		words  []string
		most   int32 // connections
	}{
		"a wrong password": {login: true, most: 1, words: []string{`does not accept kafka.sasl.username "refused" with this kafka.sasl.password (it says: Authentication failed: Invalid username or password)`},
			change: func(s *config.Kafka) { s.SASL.Username = "refused" }},
		"a token where the broker takes none": {login: true, most: 2, words: []string{"kafka.sasl.mechanism OAUTHBEARER"},
			change: func(s *config.Kafka) {
				s.SASL = config.SASL{Mechanism: config.MechanismOAuth, TokenFile: foreign.CertFile}
			}},
		"a certificate of a stranger": {most: 1, words: []string{"does not take our certificate, kafka.tls.cert_file"},
			change: func(s *config.Kafka) { s.TLS.CertFile, s.TLS.KeyFile = foreign.CertFile, foreign.KeyFile }},
		"no certificate": {most: 1, words: []string{"asks for a certificate", "kafka.tls.cert_file"},
			change: func(s *config.Kafka) { s.TLS.CertFile, s.TLS.KeyFile = "", "" }},
		"an unknown authority": {most: 1, words: []string{"kafka.tls.ca_file", "does not have"},
			change: func(s *config.Kafka) { s.TLS.CAFile = stranger.File }},
		"another host": {most: 1, words: []string{"kafka.tls.server_name"},
			change: func(s *config.Kafka) { s.TLS.ServerName = "kafka.example.org" }},
		"authorities that are not there": {most: 0, words: []string{"kafka.tls.ca_file", "cannot be read"},
			change: func(s *config.Kafka) { s.TLS.CAFile = "missing" }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := guard(t, true, test.login)
			mechanism := ""
			if test.login {
				mechanism = config.MechanismSCRAM512
			}
			s := g.settings(mechanism)
			s.Wait = 3 * time.Second
			test.change(&s)
			err := kafka.Wait(t.Context(), s)
			var refused *security.Refusal
			if !errors.As(err, &refused) || strings.Contains(err.Error(), "\n") {
				t.Fatalf("got %v, want a refusal in one line", err)
			}
			for _, word := range test.words {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("got %q, want %q in it", err, word)
				}
			}
			if got := g.connected.Load(); got > test.most {
				t.Errorf("got %d connections, want at most %d", got, test.most)
			}
		})
	}
}

// Ensure a listener of another kind than the settings say is named, after the wait: it may have been a broker that was about to start.
func TestListenerOfAnotherKind(t *testing.T) {
	t.Parallel()
	plain := kafkatest.Cluster(t).ListenAddrs()[0]
	authority := kafkatest.NewAuthority(t, "authority")
	encrypted := kafkatest.Cluster(t, kfake.TLS(authority.Issue(t, "broker", "127.0.0.1").Server(false))).ListenAddrs()[0]
	asking := kafkatest.Cluster(t, kfake.EnableSASL()).ListenAddrs()[0]
	for name, test := range map[string]struct {
		address, protocol, word string
	}{
		"TLS to one without":              {plain, config.ProtocolSSL, "kafka.security.protocol"},
		"no TLS to one with":              {encrypted, config.ProtocolPlaintext, "kafka.security.protocol"},
		"no login to one that asks":       {asking, config.ProtocolPlaintext, "kafka.security.protocol"},
		"a login to one that asks nobody": {plain, config.ProtocolSASLPlaintext, "kafka.security.protocol"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := quick(test.address)
			s.Wait = 300 * time.Millisecond
			s.Security.Protocol = test.protocol
			if s.Security.Encrypted() {
				s.TLS.CAFile = authority.File
			}
			if s.Security.LoggedIn() {
				s.SASL = config.SASL{Mechanism: config.MechanismPlain, Username: "me", Password: config.NewSecret("canary")}
			}
			err := kafka.Wait(t.Context(), s)
			if err == nil || !strings.Contains(err.Error(), test.word) || strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want one line with %q", err, test.word)
			}
		})
	}
}
