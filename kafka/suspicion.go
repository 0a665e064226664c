package kafka

import (
	"context"
	"errors"
	"io"
	"net"

	"github.com/IBM/sarama"
)

// suspect says whether a fetch failed as it does because of a batch that cannot be read: not by a code of the broker, and not on the way.
func suspect(err error) bool {
	var failed *sarama.ConsumerError
	if !errors.As(err, &failed) {
		return false
	}
	var code sarama.KError
	var way net.Error
	switch {
	case errors.As(failed.Err, &code), errors.As(failed.Err, &way), errors.Is(failed.Err, io.EOF), errors.Is(failed.Err, io.ErrUnexpectedEOF),
		errors.Is(failed.Err, net.ErrClosed), errors.Is(failed.Err, sarama.ErrOutOfBrokers), errors.Is(failed.Err, sarama.ErrClosedClient),
		errors.Is(failed.Err, sarama.ErrNotConnected), errors.Is(failed.Err, sarama.ErrAlreadyConnected), errors.Is(failed.Err, context.Canceled):
		return false
	}
	return true
}

// suspects makes the watchdog look at once.
func (m *member) suspects(err error) {
	select {
	case m.suspicion <- err:
	default:
		// It looks already.
	}
}
