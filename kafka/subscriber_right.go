package kafka

import (
	"errors"
	"strings"

	"github.com/IBM/sarama"
)

// needing names the right that a request of the member's was refused for want of; any other error it returns as it is.
func (m *member) needing(err error) error {
	var of *sarama.ConsumerError
	switch {
	case errors.Is(err, sarama.ErrGroupAuthorizationFailed):
		return needing(err, OperationRead, ResourceGroup, m.settings.Group)
	case !errors.Is(err, sarama.ErrTopicAuthorizationFailed):
		return err
	case errors.As(err, &of) && of.Topic != "":
		return needing(err, OperationRead, ResourceTopic, of.Topic)
	}
	missing := &Missing{Err: err}
	for _, topic := range m.settings.Topics {
		// The client names a topic in the text of its error alone, if at all.
		if strings.Contains(err.Error(), topic) {
			missing.Rights = append(missing.Rights, Right{Resource: ResourceTopic, Name: topic, Operation: OperationRead})
		}
	}
	if len(missing.Rights) == 0 {
		return err
	}
	return missing
}
