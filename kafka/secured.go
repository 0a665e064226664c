package kafka

import (
	"net"

	"github.com/IBM/sarama"

	"github.com/prantikov/millrace/config"
	"github.com/prantikov/millrace/kafka/security"
)

// dialer makes the client's connections.
type dialer interface {
	Dial(network, address string) (net.Conn, error)
}

// secure sets how the client's connections are secured and how it logs in. No file is opened before the first connection.
//
// TLS is not left to the client: whoever keeps its bytes ([recorder]) or moves its deadlines (patientDialer) has to stand above it, and its
// errors say here which setting they are about.
func secure(c *sarama.Config, s config.Kafka) {
	if s.Security.Encrypted() {
		c.Net.Proxy.Enable = true
		c.Net.Proxy.Dialer = security.NewDialer(s.TLS, net.Dialer{Timeout: c.Net.DialTimeout, KeepAlive: c.Net.KeepAlive})
	}
	if !s.Security.LoggedIn() {
		return
	}
	login := &c.Net.SASL
	login.Enable, login.Mechanism, login.Version, login.Handshake = true, sarama.SASLMechanism(s.SASL.Mechanism), sarama.SASLHandshakeV1, true
	switch s.SASL.Mechanism {
	case config.MechanismOAuth:
		login.TokenProvider = tokenProvider{security.NewTokens(s)}
	case config.MechanismSCRAM256, config.MechanismSCRAM512:
		login.SCRAMClientGeneratorFunc = func() sarama.SCRAMClient { return security.NewSCRAM(s.SASL.Mechanism, s.SASL.Password) }
		fallthrough
	default:
		// The client asks for a password of PLAIN once. A member whose login is refused makes another client.
		login.User, login.Password = s.SASL.Username, s.SASL.Password.Current()
	}
}

// dialerOf is the dialer of the client's settings over connections of one's own beneath.
func dialerOf(c *sarama.Config, plain net.Dialer) dialer {
	if secured, ok := c.Net.Proxy.Dialer.(*security.Dialer); ok {
		return secured.With(plain)
	}
	return &plain
}

// tokenProvider gives the client its tokens.
type tokenProvider struct{ tokens *security.Tokens }

// Token implements the client's interface.
func (p tokenProvider) Token() (*sarama.AccessToken, error) {
	text, err := p.tokens.Token()
	if err != nil {
		return nil, err
	}
	return &sarama.AccessToken{Token: text}, nil
}
