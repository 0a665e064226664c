package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/IBM/sarama"

	"github.com/prantikov/millrace/kafka/security"
)

var (
	// ErrClosed is what a publisher or reader returns after its Close.
	ErrClosed = errors.New("closed")
	// ErrOutcomeUnknown is in the error of a send whose context ended first: the record may be on the topic, or come there yet.
	ErrOutcomeUnknown = errors.New("outcome unknown")
	// ErrNoTopic is in the error of whatever was asked of a topic that does not exist.
	ErrNoTopic = errors.New("the topic does not exist")
	// ErrNoRecord is in the error of a read of one position where nothing can be read.
	ErrNoRecord = errors.New("there is no record")
)

// explain says in one plain sentence what went wrong, for errors whose own text helps only who knows the client. It never has a payload or a key.
func explain(err error) string {
	var refused sarama.ConfigurationError
	var kafka sarama.KError
	var refusal *security.Refusal
	var doubt *security.Doubt
	var missing *Missing
	switch {
	case err == nil:
		return ""
	case errors.As(err, &refusal):
		return refusal.Error()
	case errors.As(err, &doubt):
		return doubt.Error()
	case errors.As(err, &missing):
		return missing.Error()
	case errors.Is(err, ErrOutcomeUnknown), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err.Error()
	case errors.As(err, &refused) && strings.Contains(refused.Error(), "MaxMessageBytes"), errors.Is(err, sarama.ErrMessageSizeTooLarge):
		return "the record is larger than the topic or kafka.producer.max_message_bytes allows"
	case errors.Is(err, sarama.ErrUnknownTopicOrPartition):
		return ErrNoTopic.Error()
	case strings.Contains(err.Error(), "circuit breaker is open"):
		return "the client has just been refused several times and waits before it asks again: does the topic exist?"
	case denied(err):
		return "the broker's access rules do not allow it (millrace acls prints what is needed)"
	case errors.Is(err, sarama.ErrSASLAuthenticationFailed):
		return "the broker does not accept the login (kafka.sasl.username and password, or the token)" + said(err)
	case errors.Is(err, sarama.ErrInconsistentGroupProtocol):
		return "the members of the group have no way in common to share partitions: the first of the two rollouts, kafka.rebalance: migrate on all of them, is missing"
	case errors.Is(err, sarama.ErrFencedInstancedId):
		return "another process has joined the group under the same instance id (kafka.instance_id)"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, io.EOF):
		return "the broker closed the connection (is it Kafka, and has this listener the kafka.security.protocol of the settings?)"
	case strings.Contains(err.Error(), "too large or too small"):
		// The client reads the beginning of a TLS alert as a length.
		return "the broker does not answer as Kafka does (has this listener TLS, and kafka.security.protocol does not say so?)"
	case isTimeout(err):
		return "no answer in time"
	case errors.As(err, &kafka):
		return strings.TrimPrefix(kafka.Error(), "kafka server: ")
	default:
		return strings.TrimPrefix(err.Error(), "kafka: ")
	}
}

// explained is err with explain's text, and still err for errors.Is.
func explained(err error) error {
	if err == nil {
		return nil
	}
	return &explanation{text: explain(err), err: err}
}

type explanation struct {
	text string
	err  error
}

func (e *explanation) Error() string { return e.text }
func (e *explanation) Unwrap() error { return e.err }

// Is makes the client's error for an unknown topic ours, for those who do not know the client.
func (e *explanation) Is(target error) bool {
	return target == ErrNoTopic && errors.Is(e.err, sarama.ErrUnknownTopicOrPartition)
}

func isTimeout(err error) bool {
	var network net.Error
	return errors.As(err, &network) && network.Timeout()
}

// ErrorType is the kind of an error in the words of OpenTelemetry's error.type: timeout, or _OTHER. It is empty for none.
func ErrorType(err error) string {
	switch {
	case err == nil:
		return ""
	case isTimeout(err), errors.Is(err, context.DeadlineExceeded), errors.Is(err, sarama.ErrRequestTimedOut):
		return "timeout"
	default:
		return "_OTHER"
	}
}

// await runs a call that takes no context and returns its answer, or earlier when ctx ends; the call then ends on its own timeout.
func await[T any](ctx context.Context, call func() (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	answers := make(chan answer, 1)
	go func() {
		value, err := call()
		answers <- answer{value, err}
	}()
	select {
	case a := <-answers:
		return a.value, a.err
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
}

// connect opens a client. It returns when ctx ends; a client that comes later is closed.
func connect(ctx context.Context, brokers []string, c *sarama.Config) (sarama.Client, error) {
	type answer struct {
		client sarama.Client
		err    error
	}
	answers := make(chan answer)
	go func() {
		client, err := sarama.NewClient(brokers, c)
		if err != nil {
			err = login(c, whyAway(brokers, c, err))
		}
		select {
		case answers <- answer{client, err}:
		case <-ctx.Done():
			if client != nil {
				_ = client.Close()
			}
		}
	}()
	select {
	case a := <-answers:
		if a.err != nil {
			return nil, fmt.Errorf("connecting to kafka.brokers %q: %w", strings.Join(brokers, ","), explained(a.err))
		}
		return a.client, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("connecting to kafka.brokers %q: %w", strings.Join(brokers, ","), context.Cause(ctx))
	}
}
