package kafka

import (
	"context"
	"errors"
	"time"

	"github.com/IBM/sarama"
)

// errAbandoned is the error of a session that the client did not end.
var errAbandoned = errors.New("the client did not end its session, going on without it")

// consume has one session of the group. Where a goroutine of the client died of a panic, or waits for another that does the same, the
// session does not end; it is given up then, with its connection, or the partitions would stand still until somebody restarts the process.
func (m *member) consume(ctx context.Context, c *connection, topics []string, handler *session) error {
	ended, lapsed := make(chan error, 1), make(chan sarama.ConsumerGroupSession, 1)
	handler.lapse = func(sess sarama.ConsumerGroupSession) {
		context.AfterFunc(sess.Context(), func() {
			time.AfterFunc(m.releaseTimeout(), func() { lapsed <- sess })
		})
	}
	go func() { ended <- c.group.Consume(ctx, topics, handler) }()
	select {
	case err := <-ended:
		return err
	case sess := <-lapsed:
		m.abandon(c, sess)
		return errAbandoned
	}
}

// releaseTimeout is more than a session takes from its end to its last answer: the drain, then a commit that is tried four times.
func (m *member) releaseTimeout() time.Duration {
	return m.settings.DrainTimeout + abandonAfter + 5*readTimeout(m.settings.Kafka)
}

// abandon gives a connection up. What hangs in it may hang for ever, so nobody waits for it; the group is told that the member left. One with
// an instance does not leave: it takes its own place when it joins again.
func (m *member) abandon(c *connection, sess sarama.ConsumerGroupSession) {
	c.abandoned = true
	close(c.gone)
	go func() {
		if coordinator, err := c.shared.Coordinator(m.settings.Group); err == nil && m.instance == "" {
			_, _ = coordinator.LeaveGroup(&sarama.LeaveGroupRequest{GroupId: m.settings.Group, MemberId: sess.MemberID()})
		}
		_ = c.client.Close()
		_ = c.group.Close()
	}()
}
