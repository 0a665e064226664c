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
	password     config.Secret
	conversation *scram.ClientConversation
}

// NewSCRAM returns a conversation of a mechanism: SCRAM-SHA-256 or SCRAM-SHA-512. The password is read when it begins, so that one that was changed
// in its file is used from the next connection on.
func NewSCRAM(mechanism string, password config.Secret) *SCRAM {
	if mechanism == config.MechanismSCRAM512 {
		return &SCRAM{hash: sha512.New, password: password}
	}
	return &SCRAM{hash: sha256.New, password: password}
}

// Begin starts the conversation. The name and the password are taken byte by byte, as Kafka's own clients do. The password that the client has is
// that of its start.
func (s *SCRAM) Begin(username, _, authorisation string) error {
	client, err := s.hash.NewClientUnprepped(username, s.password.Current(), authorisation)
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
