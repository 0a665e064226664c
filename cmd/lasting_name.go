package cmd

import (
	"fmt"
	"os"

	"github.com/prantikov/millrace/config"
)

// lastingName is that of this process among those of its groups (kafka.instance_id); empty for none. The error is one of a host whose name is
// no name.
func (s *session) lastingName() (string, error) {
	name := s.settings.Kafka.InstanceID
	if name != config.InstanceHostname {
		return name, nil
	}
	host, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("asking for the host's name (kafka.instance_id): %w", err)
	}
	if host == "" || host == "localhost" {
		return "", fmt.Errorf("the host's name is %q, as that of others is: write a name that no other process has into kafka.instance_id", host)
	}
	return host, nil
}

// memberName is the name of a consumer's member in its group (group.instance.id); empty for a process without a lasting name.
func memberName(lasting, consumer string) string {
	if lasting == "" {
		return ""
	}
	return lasting + "-" + consumer
}
