package security

import (
	"crypto/sha256"
	"crypto/sha512"
	"fmt"

	"github.com/xdg-go/scram"

	"github.com/prantikov/millrace/config"
)

// SCRAM is one conversation that proves to a broker that we know the password, and to us that the broker knows it too. It is for one
// connection and one goroutine.
type SCRAM struct {
	hash         scram.HashGeneratorFcn
	conversation *scram.ClientConversation
}

// NewSCRAM returns a conversation of a mechanism: SCRAM-SHA-256 or SCRAM-SHA-512.
func NewSCRAM(mechanism string) *SCRAM {
	if mechanism == config.MechanismSCRAM512 {
		return &SCRAM{hash: sha512.New}
	}
	return &SCRAM{hash: sha256.New}
}

// Begin starts the conversation. The name and the password are taken byte by byte, as Kafka's own clients do.
func (s *SCRAM) Begin(username, password, authorisation string) error {
	client, err := s.hash.NewClientUnprepped(username, password, authorisation)
	if err != nil {
		return fmt.Errorf("beginning the login: %w", err)
	}
	s.conversation = client.NewConversation()
	return nil
}

// Step answers the broker. The error says that the broker did not prove that it knows the password.
func (s *SCRAM) Step(challenge string) (string, error) {
	answer, err := s.conversation.Step(challenge)
	if err != nil {
		return "", Refuse(err, "the broker does not prove that it knows the password of kafka.sasl.username: %s", err)
	}
	return answer, nil
}

// Done says that the conversation is over.
func (s *SCRAM) Done() bool { return s.conversation.Done() }
