package kafka

import (
	"errors"
	"fmt"
	"strings"

	"github.com/IBM/sarama"

	"github.com/prantikov/millrace/kafka/security"
)

// login makes a refusal of what a broker says against our login, with the settings that it is about; any other error it returns as it is.
func login(c *sarama.Config, err error) error {
	switch {
	case errors.Is(err, sarama.ErrUnsupportedSASLMechanism):
		return security.Refuse(err, "the broker does not log anybody in with kafka.sasl.mechanism %s", c.Net.SASL.Mechanism)
	case errors.Is(err, sarama.ErrIllegalSASLState):
		return security.Refuse(err, "the broker asks for no login on this listener, but kafka.security.protocol says that it does")
	case errors.Is(err, sarama.ErrSASLAuthenticationFailed):
		return security.Refuse(err, "the broker does not accept %s%s", credentials(c), said(err))
	default:
		return err
	}
}

// credentials names what we logged in with.
func credentials(c *sarama.Config) string {
	if provider, ok := c.Net.SASL.TokenProvider.(tokenProvider); ok {
		return provider.tokens.Described()
	}
	return fmt.Sprintf("kafka.sasl.username %q with this kafka.sasl.password", c.Net.SASL.User)
}

// said is the broker's own word on a login, to be put behind a sentence; it repeats no password and no token.
func said(err error) string {
	_, text, found := strings.Cut(err.Error(), sarama.ErrSASLAuthenticationFailed.Error()+": ")
	if !found || text == "" {
		return ""
	}
	return " (it says: " + strings.Join(strings.Fields(text), " ") + ")"
}

// whyAway asks each broker once, where the client says no more than that none is available: an answer to the beginning of a login it drops.
func whyAway(brokers []string, c *sarama.Config, err error) error {
	if !c.Net.SASL.Enable || !errors.Is(err, sarama.ErrOutOfBrokers) || errors.Unwrap(err) != nil {
		return err
	}
	for _, address := range brokers {
		broker := sarama.NewBroker(address)
		if failed := broker.Open(c); failed != nil {
			continue
		}
		connected, failed := broker.Connected()
		if connected {
			_ = broker.Close()
			continue
		}
		if failed != nil {
			return failed
		}
	}
	return err
}
