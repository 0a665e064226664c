package kafka

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/IBM/sarama"
)

// ErrFenced is why a subscriber with an instance ends: another process has joined the group under the same instance id, and the group has
// put it in this one's place. What was in flight here is the other's to do again.
var ErrFenced = errors.New("another process has joined its group under the same instance id and has taken this one's place")

// longestInstance is how long an instance id may be, by Kafka's own rule.
const longestInstance = 249

// checkInstance returns an error for an instance id that brokers refuse.
func checkInstance(id string) error {
	switch {
	case id == "." || id == ".." || !regexp.MustCompile(`^[a-zA-Z0-9._-]+$`).MatchString(id):
		return fmt.Errorf("instance id is %q (kafka.instance_id and the consumer's name): want letters, digits, . _ and - only", id)
	case len(id) > longestInstance:
		return fmt.Errorf("instance id has %d characters (kafka.instance_id and the consumer's name): Kafka takes %d", len(id), longestInstance)
	}
	return nil
}

// instanceID is the member's group.instance.id as requests have it; nil for none.
func (m *member) instanceID() *string {
	if m.instance == "" {
		return nil
	}
	return &m.instance
}

// fenced says whether the error means that another process is in this member's place; then the member is over. Who stops already has a
// successor that may come early, which is no mistake.
func (m *member) fenced(err error) bool {
	if m.instance == "" || !errors.Is(err, sarama.ErrFencedInstancedId) {
		return false
	}
	if m.ctx.Err() == nil && m.failure() == nil {
		m.fail(fmt.Errorf("%w: give each process a kafka.instance_id of its own (group %q, instance id %q)", ErrFenced, m.settings.Group, m.instance))
	}
	return true
}

// leaveTries is how often the group is told that a member leaves: its coordinator may just have moved.
const leaveTries = 3

// leaveGroup takes a member with an instance out of its group; the client does so only for members without one. When no broker hears it, the
// group finds out when the session timeout is over.
func (m *member) leaveGroup(c *connection) {
	if m.instance == "" || m.id == "" || c == nil || c.abandoned {
		return
	}
	request := &sarama.LeaveGroupRequest{
		Version: 4, GroupId: m.settings.Group,
		// With the member's own id, so that whoever has taken its place stays.
		Members: []sarama.MemberIdentity{{MemberId: m.id, GroupInstanceId: m.instanceID()}},
	}
	m.id = ""
	var err error
	for range leaveTries {
		var coordinator *sarama.Broker
		if coordinator, err = c.shared.Coordinator(m.settings.Group); err != nil {
			continue
		}
		var answer *sarama.LeaveGroupResponse
		if answer, err = coordinator.LeaveGroup(request); err != nil {
			_ = coordinator.Close()
			continue
		}
		if err = leaveError(answer); err == nil {
			return
		}
		_ = c.shared.RefreshCoordinator(m.settings.Group)
	}
	m.settings.Logger.Debug("leaving the group", "instance", m.instance, "error", explained(err))
}

// leaveError is what kept a group from letting one member go; who is not there has left.
func leaveError(answer *sarama.LeaveGroupResponse) error {
	codes := []sarama.KError{answer.Err}
	for _, member := range answer.Members {
		codes = append(codes, member.Err)
	}
	for _, code := range codes {
		if code != sarama.ErrNoError && code != sarama.ErrUnknownMemberId && code != sarama.ErrFencedInstancedId {
			return code
		}
	}
	return nil
}
